"""Makes a method of a store one transaction: all of it happens, or nothing."""

import asyncio
import errno
import functools
import sqlite3
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from lookalike.ballast import Ballast
from lookalike.database import storage_fault

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Transactions(Protocol):
    """What `atomic` asks of a method's class: a `Transactional`, or one that has its `run`."""

    async def run(self, work: Callable[[Session], _R]) -> _R: ...  # noqa: D102, below


_T = TypeVar("_T", bound=Transactions)


class Transactional:
    """A class whose methods are transactions on one engine, one after another in one thread.

    A transaction goes to the thread and back once. With a driver for asyncio every statement does
    so several times, which costs more than the statement itself (docs/decisions/0003-sqlite.md).

    Attributes:
        began: when the transaction began that is under way, in monotonic seconds; None: none is.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._thread = ThreadPoolExecutor(1, "database")
        self._ballast = Ballast(Path(engine.url.database or ""))
        self.began: float | None = None

    async def close(self) -> None:
        """Lets all transactions end that have begun or wait, then closes the database."""
        await asyncio.to_thread(self._thread.shutdown)
        self._engine.dispose()

    async def run(self, work: Callable[[Session], _R]) -> _R:
        """Runs the work in a transaction.

        Once begun it runs to its end, even if the caller is cancelled. Where that finds the disk
        full, it is run once more, in the room that the ballast leaves.

        Raises:
            OSError: the database is full, busy, broken or unavailable.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._transact, work)

    async def truncate_log(self) -> None:
        """Empties SQLite's write-ahead log, if there is one: it has what was deleted since.

        Raises:
            OSError: the disk fails.
        """
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._truncate_log)

    def _truncate_log(self) -> None:
        connection = self._engine.raw_connection()  # outside of a transaction
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise OSError(errno.EIO, f"the database: {error}") from error
        finally:
            connection.close()

    def _transact(self, work: Callable[[Session], _R]) -> _R:
        self.began = time.monotonic()
        try:
            self._ballast.take_in()
            try:
                return self._attempt(work)
            except OSError as error:
                if error.errno != errno.ENOSPC or not self._ballast.throw_away():
                    raise
            return self._attempt(work)
        finally:
            self.began = None

    def _attempt(self, work: Callable[[Session], _R]) -> _R:
        try:
            with self._sessions.begin() as session:
                return work(session)
        except SQLAlchemyError as error:
            if (fault := storage_fault(error)) is None:
                raise
            raise fault from error


def atomic(
    method: Callable[Concatenate[_T, Session, _P], _R],
) -> Callable[Concatenate[_T, _P], Coroutine[Any, Any, _R]]:
    """Turns a method that takes a session into a transaction with a session of its own."""

    @functools.wraps(method)
    async def transaction(self: _T, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        return await self.run(lambda session: method(self, session, *args, **kwargs))

    return transaction
