"""What people and tests see: chats, files, events, the bot's state; and the faults they queue."""

import json
import mimetypes
import time
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import FileResponse

from lookalike.waiting import any_of
from sandbox.faults import Fault, FaultOrder
from sandbox.state import InSandbox, Sandbox
from sandbox.storage import schema
from sandbox.storage.events import event_range, events_after
from sandbox.storage.schema import Json
from sandbox.storage.values import UNKNOWN_METHODS, get_option, next_number
from sandbox.telegram.chats import describe, list_chats, list_users
from sandbox.telegram.files import find_file, invalidate
from sandbox.telegram.inline import is_enabled
from sandbox.telegram.menu_buttons import list_menu_buttons
from sandbox.telegram.messages import shown_messages
from sandbox.telegram.profile import bot_user, describe_profile
from sandbox.telegram.updates import count_updates
from sandbox.telegram.webhook import WEBHOOK

router = APIRouter(prefix="/sandbox")

_MAX_ID = 2**53 - 1


@router.get("/bot")
async def show_bot(sandbox: InSandbox) -> Json:
    """The bot and what it left with Telegram."""
    async with sandbox.database.reading() as tx:
        webhook = await get_option(tx, WEBHOOK)
        return {
            **await describe_bot(tx, sandbox),
            "pending_updates": await count_updates(tx),
            "webhook": webhook["url"] if webhook else None,
            "unknown_methods": await get_option(tx, UNKNOWN_METHODS) or [],
        }


async def describe_bot(tx: AsyncConnection, sandbox: Sandbox) -> Json:
    """What people see of the bot."""
    rows = await tx.execute(select(schema.commands))
    return {
        "user": await bot_user(tx, sandbox.bot),
        "profile": await describe_profile(tx),
        "listening": sandbox.poller.listening or sandbox.deliveries.work,
        "note": sandbox.note,
        "inline_mode": await is_enabled(tx),
        "commands": [
            {
                "scope": json.loads(row.scope),
                "language_code": row.language_code,
                "commands": row.commands,
            }
            for row in rows
        ],
        "menu_buttons": await list_menu_buttons(tx),
    }


@router.get("/users")
async def show_users(sandbox: InSandbox) -> list[Json]:
    """All users."""
    async with sandbox.database.reading() as tx:
        return await list_users(tx)


@router.get("/chats")
async def show_chats(sandbox: InSandbox) -> list[Json]:
    """All chats."""
    async with sandbox.database.reading() as tx:
        return [describe(chat) for chat in await list_chats(tx)]


@router.get("/chats/{chat_id}/messages")
async def show_messages(
    chat_id: Annotated[int, Path(ge=-_MAX_ID, le=_MAX_ID)],
    sandbox: InSandbox,
    after: Annotated[int, Query(ge=0, le=_MAX_ID)] = 0,
    before: Annotated[int, Query(ge=1, le=_MAX_ID)] = _MAX_ID,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> list[Json]:
    """A chat as its people see it; empty where there is none yet."""
    async with sandbox.database.reading() as tx:
        return await shown_messages(tx, chat_id, (after, before), limit)


@router.get("/files/{file_id}")
async def show_file(file_id: str, sandbox: InSandbox) -> FileResponse:
    """A file's bytes as they were uploaded."""
    async with sandbox.database.reading() as tx:
        file = await find_file(tx, file_id)
    if file is None:
        raise HTTPException(404, "there is no such file")
    extension = mimetypes.guess_extension(file.media_type) or ""
    own_name = file.content.get("document", {}).get("file_name")
    return FileResponse(
        sandbox.database.files_folder / file.original,
        media_type=file.media_type,
        filename=own_name or f"lookalike{extension}",
        content_disposition_type="inline",
        headers={
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
            "Cache-Control": "private, max-age=31536000, immutable",
        },
    )


@router.delete("/files/{file_id}", status_code=204)
async def invalidate_file(file_id: str, sandbox: InSandbox) -> None:
    """Makes the Bot API refuse a file_id, as Telegram does with old ones."""
    async with sandbox.database.transaction() as tx:
        file = await find_file(tx, file_id)
        if file is None:
            raise HTTPException(404, "there is no such file")
        await invalidate(tx, file)


@router.get("/events")
async def show_events(
    sandbox: InSandbox,
    after: Annotated[int | None, Query(ge=0, le=_MAX_ID)] = None,
    wait: Annotated[float, Query(ge=0, le=60)] = 0.0,
    kind: Annotated[list[str] | None, Query(max_length=10)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Json:
    """Events after a number, waiting up to `wait` seconds for the first."""
    deadline = time.monotonic() + wait
    while True:
        changed = sandbox.database.changes.next_change()
        async with sandbox.database.reading() as tx:
            _, last = await event_range(tx)
            found = [] if after is None else await events_after(tx, after, kind or (), limit)
        left = deadline - time.monotonic()
        if found or after is None or left <= 0 or sandbox.stop.is_set():
            return {"events": found, "last": found[-1]["n"] if found else last}
        await any_of(changed, sandbox.stop, seconds=left)


@router.post("/faults")
async def add_fault(order: FaultOrder, sandbox: InSandbox) -> Fault:
    """Queues a fault."""
    async with sandbox.database.transaction() as tx:
        fault_id = await next_number(tx, "fault")
    return sandbox.faults.add(order, fault_id)


@router.get("/faults")
async def show_faults(sandbox: InSandbox) -> list[Fault]:
    """All faults, with how many calls each met."""
    return sandbox.faults.all()


@router.delete("/faults", status_code=204)
async def end_faults(sandbox: InSandbox) -> None:
    """Releases and ends all."""
    sandbox.faults.end_all()


@router.delete("/faults/{fault_id}", status_code=204)
async def end_fault(fault_id: int, sandbox: InSandbox) -> None:
    """Releases what a fault holds and ends it."""
    if not sandbox.faults.end(fault_id):
        raise HTTPException(404, f"there is no fault {fault_id}")
