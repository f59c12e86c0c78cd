"""The sandbox's state: one SQLite file and a folder of files. It survives kill -9."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from lookalike import database
from lookalike.errors import StartError
from sandbox import schema
from sandbox.schema import Json
from sandbox.waiting import Bell

_EVENTS_KEPT = 20_000

_T = TypeVar("_T")


class Store:
    """Transactions on the state.

    Attributes:
        changed: rings after every committed transaction.
        files_folder: where files' bytes lie; paths in the table `files` are relative to it.
    """

    def __init__(self, engine: AsyncEngine, folder: Path) -> None:
        self._engine = engine
        self._readings: set[asyncio.Task[Any]] = set()
        self.changed = Bell()
        self.files_folder = folder / "files"

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """Opens the state in `folder`; made now if there is none yet.

        Raises:
            StartError: the folder cannot be used, or another version wrote it.
        """
        path = folder / "sandbox.db"
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}", **database.ENGINE_OPTIONS)
        database.own(engine.sync_engine)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(_create_tables, path)
        except DatabaseError as error:
            await engine.dispose()
            raise StartError(f"The database {path} cannot be used: {error.orig}.") from None
        except StartError:
            await engine.dispose()
            raise
        return cls(engine, folder)

    async def close(self) -> None:
        """Closes the file."""
        await asyncio.gather(*self._readings, return_exceptions=True)
        await self._engine.dispose()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """The only open transaction; committed at the end, rolled back on an exception."""
        async with self._engine.begin() as connection:
            yield connection
        self.changed.ring()

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that changes nothing, and so wakes nobody."""
        async with self._engine.begin() as connection:
            yield connection

    async def read(self, look: Callable[[AsyncConnection], Awaitable[_T]]) -> _T:
        """What `look` finds in a transaction that changes nothing.

        It goes on to its end when the caller is cancelled, as a stream is whose reader has gone:
        left halfway, it would keep everybody else out.
        """

        async def run() -> _T:
            async with self.reading() as tx:
                return await look(tx)

        reading = asyncio.create_task(run())
        self._readings.add(reading)
        reading.add_done_callback(self._readings.discard)
        return await asyncio.shield(reading)


def _create_tables(connection: Connection, path: Path) -> None:
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version not in {0, schema.VERSION}:
        raise StartError(
            f"{path} was written by another version of the sandbox;"
            " remove its folder to start anew."
        )
    schema.metadata.create_all(connection)
    connection.exec_driver_sql(f"PRAGMA user_version={schema.VERSION}")


async def next_number(tx: AsyncConnection, name: str) -> int:
    """The counter's next value, from 1; never given twice, also after a restart."""
    statement = (
        upsert(schema.counters)
        .values(name=name, value=1)
        .on_conflict_do_update(
            index_elements=[schema.counters.c.name],
            set_={"value": schema.counters.c.value + 1},
        )
        .returning(schema.counters.c.value)
    )
    value: int = (await tx.execute(statement)).scalar_one()
    return value


async def get_option(tx: AsyncConnection, name: str) -> Any:
    """The value kept under `name`; None where there is none."""
    table = schema.options
    return (await tx.execute(select(table.c.value).where(table.c.name == name))).scalar()


async def set_option(tx: AsyncConnection, name: str, value: Any) -> None:
    """Keeps a JSON value under `name`; None removes it."""
    table = schema.options
    await tx.execute(delete(table).where(table.c.name == name))
    if value is not None:
        await tx.execute(insert(table).values(name=name, value=value))


async def record(tx: AsyncConnection, kind: str, data: Json) -> None:
    """Adds an event to the log; what the kinds hold: `sandbox.people`. The oldest fall off."""
    table = schema.events
    result = await tx.execute(
        insert(table).values(time=time.time(), kind=kind, data=data).returning(table.c.n)
    )
    await tx.execute(delete(table).where(table.c.n <= result.scalar_one() - _EVENTS_KEPT))


async def event_range(tx: AsyncConnection) -> tuple[int, int]:
    """The numbers of the oldest event that is kept and of the newest; (1, 0) before the first."""
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
