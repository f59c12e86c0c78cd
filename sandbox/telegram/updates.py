"""Updates that wait for the bot, and getUpdates' long poll."""

import asyncio
import math
import time
from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lookalike.waiting import any_of
from sandbox.storage.database import Database
from sandbox.storage.schema import Json, updates
from sandbox.storage.values import get_option, next_number, set_option
from sandbox.telegram.refusals import Refusal

_PAUSE_SECONDS = 5.0  # between two polls of a bot that is there

_KEPT_SECONDS = 24 * 3600  # core.telegram.org/bots/api, "Getting updates"


RAW = ""
"""The kind of an update whose payload is all of it but the number."""


_TO_BE_NAMED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds that only those get who ask for them (core.telegram.org/bots/api#getupdates)."""


async def push_update(tx: AsyncConnection, kind: str, payload: Json) -> None:
    """Queues an update, if the bot has not asked only for other kinds; a raw one in any case."""
    allowed = await get_option(tx, "allowed_updates")
    if kind not in {*allowed, RAW} if allowed else kind in _TO_BE_NAMED:
        return
    update_id = await next_number(tx, "update")
    await tx.execute(
        insert(updates).values(update_id=update_id, time=time.time(), kind=kind, payload=payload)
    )


async def allow_updates(tx: AsyncConnection, kinds: Sequence[str]) -> None:
    """Stores which kinds the bot wants from now on; an empty list means all."""
    await set_option(tx, "allowed_updates", list(kinds) or None)


async def confirm_updates(tx: AsyncConnection, offset: int) -> None:
    """Deletes the updates before `offset`; a negative one counts from the end of the queue."""
    if offset < 0:
        newest = select(updates.c.update_id).order_by(updates.c.update_id.desc()).limit(-offset)
        kept = select(func.min(newest.subquery().c.update_id)).scalar_subquery()
        await tx.execute(delete(updates).where(updates.c.update_id < kept))
    elif offset > 0:
        await tx.execute(delete(updates).where(updates.c.update_id < offset))
    await _forget_old(tx)


async def forget_updates(tx: AsyncConnection, update_ids: Sequence[int]) -> None:
    """Deletes these and no others."""
    await tx.execute(delete(updates).where(updates.c.update_id.in_(update_ids)))
    await _forget_old(tx)


async def _forget_old(tx: AsyncConnection) -> None:
    await tx.execute(delete(updates).where(updates.c.time < time.time() - _KEPT_SECONDS))


async def drop_updates(tx: AsyncConnection) -> None:
    """Deletes all of them."""
    await tx.execute(delete(updates))


async def count_updates(tx: AsyncConnection) -> int:
    """How many wait."""
    return (await tx.execute(select(func.count()).select_from(updates))).scalar_one()


async def waiting_updates(tx: AsyncConnection, limit: int, after: int = 0) -> list[Json]:
    """The oldest waiting updates that follow `after`, each as an `Update`."""
    following = select(updates).where(updates.c.update_id > after)
    rows = await tx.execute(following.order_by(updates.c.update_id).limit(limit))
    return [
        {
            "update_id": row.update_id,
            **(row.payload if row.kind == RAW else {row.kind: row.payload}),
        }
        for row in rows
    ]


class Poller:
    """The one getUpdates request that may be open."""

    def __init__(self, database: Database, stop: asyncio.Event) -> None:
        self._database = database
        self._stop = stop
        self._end_current: asyncio.Event | None = None
        self._conflict = ""
        self._heard_at = -math.inf

    @property
    def listening(self) -> bool:
        """Whether the bot polls."""
        return self._end_current is not None or time.monotonic() < self._heard_at + _PAUSE_SECONDS

    def end_current(self, description: str) -> None:
        """Ends the open request, if there is one, with a conflict."""
        if self._end_current is not None:
            self._conflict = description
            self._end_current.set()

    async def poll(
        self, offset: int, limit: int, seconds: float, gone: asyncio.Event
    ) -> list[Json]:
        """Confirms the updates before `offset`, waits for others and gives the oldest.

        Raises:
            Refusal: another request took over.
        """
        self.end_current(
            "Conflict: terminated by other getUpdates request;"
            " make sure that only one bot instance is running"
        )
        end = self._end_current = asyncio.Event()
        deadline = time.monotonic() + seconds
        try:
            async with self._database.transaction() as tx:
                await confirm_updates(tx, offset)
            while True:
                changed = self._database.changes.next_change()
                async with self._database.reading() as tx:
                    found = await waiting_updates(tx, limit)
                if end.is_set():
                    raise Refusal(409, self._conflict)
                left = deadline - time.monotonic()
                if found or left <= 0 or self._stop.is_set() or gone.is_set():
                    return found
                await any_of(changed, end, self._stop, gone, seconds=left)
        finally:
            self._heard_at = time.monotonic()
            if self._end_current is end:
                self._end_current = None
