"""The log of what has happened, which people and tests read."""

import time
from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.storage import schema
from sandbox.storage.schema import Json

_EVENTS_KEPT = 20_000


async def record_event(tx: AsyncConnection, kind: str, data: Json) -> None:
    """Adds an event to the log, and drops the oldest; what the kinds hold: `sandbox.people`."""
    table = schema.events
    result = await tx.execute(
        insert(table).values(time=time.time(), kind=kind, data=data).returning(table.c.n)
    )
    await tx.execute(delete(table).where(table.c.n <= result.scalar_one() - _EVENTS_KEPT))


async def event_range(tx: AsyncConnection) -> tuple[int, int]:
    """The numbers of the oldest event that is kept and of the newest; (1, 0) if there is none."""
    n = schema.events.c.n
    oldest, newest = (await tx.execute(select(func.min(n), func.max(n)))).one()
    return oldest or 1, newest or 0


async def events_after(tx: AsyncConnection, n: int, kinds: Sequence[str], limit: int) -> list[Json]:
    """Events with a number over `n`, oldest first; of all kinds where `kinds` is empty."""
    table = schema.events
    query = select(table).where(table.c.n > n).order_by(table.c.n).limit(limit)
    if kinds:
        query = query.where(table.c.kind.in_(kinds))
    return [dict(row._mapping) for row in await tx.execute(query)]  # noqa: SLF001, public by name
