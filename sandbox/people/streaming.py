"""The event log as a live stream: server-sent events, as browsers read them."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.ext.asyncio import AsyncConnection

from lookalike.waiting import any_of
from sandbox.people.watching import describe_bot
from sandbox.state import InSandbox, Sandbox
from sandbox.storage.events import event_range, events_after
from sandbox.storage.schema import Json

router = APIRouter(prefix="/sandbox")

_MAX_N = 2**53 - 1
_KINDS = ("message", "edit", "delete", "reaction", "action", "chat")
_PAGE = 200
_LOOK_SECONDS = 2.0  # how late the page learns that the bot has gone: nothing signals that
_RETRY_MS = 1000


@router.get("/stream", response_class=EventSourceResponse)
async def stream(
    sandbox: InSandbox,
    after: Annotated[int, Query(ge=0, le=_MAX_N)],
    last_event_id: Annotated[int | None, Header(ge=0, le=_MAX_N)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Streams what people see happen, from event `after` on, or where a connection broke off.

    `bot` events describe the bot, {user, profile, listening, note, inline_mode, commands,
    menu_buttons}; they have no number. A `reset` says that events in between are gone: look at
    everything again.
    """
    n = after if last_event_id is None else last_event_id
    bot: Json = {}
    while not sandbox.stop.is_set():
        changed = sandbox.database.changes.next_change()
        first, last, found, now = await sandbox.database.read(partial(_look, sandbox, n))
        if n > last or n < first - 1:
            yield ServerSentEvent(event="reset", data={}, id=str(last))
            return
        if now != bot:
            bot = now
            yield ServerSentEvent(event="bot", data=bot, retry=_RETRY_MS)
        for event in found:
            n = event["n"]
            yield ServerSentEvent(event=event["kind"], data=event["data"], id=str(n))
        if not found:
            n = last
            await any_of(changed, sandbox.stop, seconds=_LOOK_SECONDS)


async def _look(sandbox: Sandbox, n: int, tx: AsyncConnection) -> tuple[int, int, list[Json], Json]:
    """The log's oldest and newest numbers, what comes after `n`, and how the bot is."""
    first, last = await event_range(tx)
    return first, last, await events_after(tx, n, _KINDS, _PAGE), await describe_bot(tx, sandbox)
