"""Transactions on the sandbox's state."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from lookalike.errors import StartError
from lookalike.sqlite import ENGINE_OPTIONS, own
from sandbox.storage import schema
from sandbox.storage.changes import ChangeSignal

_T = TypeVar("_T")


class Database:
    """The SQLite file, and the folder of files next to it.

    Attributes:
        changes: signals every committed transaction.
        files_folder: where the bytes of files are; paths in the table `files` are relative to it.
    """

    def __init__(self, engine: AsyncEngine, folder: Path) -> None:
        self._engine = engine
        self._readings: set[asyncio.Task[Any]] = set()
        self.changes = ChangeSignal()
        self.files_folder = folder / "files"

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """Opens the database in `folder`; makes it if there is none yet.

        Raises:
            StartError: the folder cannot be used, or another version wrote it.
        """
        path = folder / "sandbox.db"
        url = URL.create("sqlite+aiosqlite", database=str(path))
        engine = create_async_engine(url, **ENGINE_OPTIONS)
        own(engine.sync_engine)
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
        """The only open transaction; commits at the end, and rolls back on an exception."""
        async with self._engine.begin() as connection:
            yield connection
        self.changes.notify()

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that changes nothing, and so wakes nobody."""
        async with self._engine.begin() as connection:
            yield connection

    async def read(self, look: Callable[[AsyncConnection], Awaitable[_T]]) -> _T:
        """What `look` finds in a transaction that changes nothing.

        It runs to its end even if the caller is cancelled, as a stream is whose reader has gone:
        left halfway, it would lock everybody else out.
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
            " remove its folder to start afresh."
        )
    schema.metadata.create_all(connection)
    connection.exec_driver_sql(f"PRAGMA user_version={schema.VERSION}")
