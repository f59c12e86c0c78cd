"""Makes a method of a store one transaction: all of it happens, or nothing."""

import asyncio
import errno
import functools
import random
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from lookalike import tracing
from lookalike.database import backend_of

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Transactions(Protocol):
    """What `atomic` asks of a method's class: a `Transactional`, or one that has its `run`."""

    async def run(self, work: Callable[[Session], _R], name: str) -> _R: ...  # noqa: D102, below


_T = TypeVar("_T", bound=Transactions)


_PAUSES: Final = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Seconds, at most, before a transaction that another one was in the way of is begun anew."""


class Transactional:
    """A class whose methods are transactions on one engine, each in one thread of its own.

    With SQLite they come one after another, with PostgreSQL so many at once as it has connections.
    A transaction goes to the thread and back once. With a driver for asyncio every statement does
    so several times, which costs more than the statement itself (docs/decisions/0003-sqlite.md).
    """

    def __init__(self, engine: Engine, timed: Callable[[float], None] | None = None) -> None:
        """Nothing runs yet.

        Args:
            engine: the database's.
            timed: is told on the transaction's thread how many seconds each took, however it ended;
                None: nobody is.
        """
        self._engine = engine
        self._timed = timed
        self._attributes = {"db.system.name": engine.dialect.name}
        self._backend = backend_of(engine)
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._threads = ThreadPoolExecutor(self._backend.THREADS, "database")
        self._reserve = self._backend.reserve(engine)
        self._began: dict[int, float] = {}

    @property
    def began(self) -> float | None:
        """When the oldest transaction under way began, in monotonic seconds; None: none is."""
        return min(tuple(self._began.values()), default=None)

    async def close(self) -> None:
        """Lets all transactions end that have begun or wait, then closes the database."""
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    async def run(self, work: Callable[[Session], _R], name: str = "") -> _R:
        """Runs the work in a transaction; `name` is what a trace calls it.

        Once begun it runs to its end, even if the caller is cancelled. Where another transaction
        was in the way, it is rolled back and run anew. Where it finds the disk full, it is run once
        more, in the room that the ballast leaves. So the work must do nothing but read and write
        rows.

        Raises:
            OSError: the database is full, busy, broken or unavailable.
        """
        loop = asyncio.get_running_loop()
        transact = tracing.carried(self._transact)
        return await loop.run_in_executor(self._threads, transact, work, name)

    async def truncate_log(self) -> None:
        """Empties SQLite's write-ahead log, if there is one: it has what was deleted since.

        Raises:
            OSError: the disk fails.
        """
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._backend.truncate_log, self._engine)

    async def remove_old_copies(self) -> None:
        """Removes copies from before upgrades that are old; ask while the clock is certain.

        Raises:
            OSError: the disk fails.
        """
        await asyncio.to_thread(self._backend.remove_old_copies, self._engine)

    def _transact(self, work: Callable[[Session], _R], name: str) -> _R:
        thread = threading.get_ident()
        self._began[thread] = began = time.monotonic()
        try:
            with tracing.span(f"transaction {name}", self._attributes):
                self._reserve.take_in()
                try:
                    return self._attempt(work)
                except OSError as error:
                    if error.errno != errno.ENOSPC or not self._reserve.throw_away():
                        raise
                return self._attempt(work)
        finally:
            del self._began[thread]
            if self._timed is not None:
                self._timed(time.monotonic() - began)

    def _attempt(self, work: Callable[[Session], _R]) -> _R:
        pauses = iter(_PAUSES)
        while True:
            try:
                with self._sessions.begin() as session:
                    return work(session)
            except SQLAlchemyError as error:
                pause = next(pauses, None) if self._backend.is_conflict(error) else None
                if pause is None:
                    if (fault := self._backend.fault(error)) is None:
                        raise
                    raise fault from error
            time.sleep(random.uniform(0, pause))  # noqa: S311, no secret


def atomic(
    method: Callable[Concatenate[_T, Session, _P], _R],
) -> Callable[Concatenate[_T, _P], Coroutine[Any, Any, _R]]:
    """Turns a method that takes a session into a transaction with a session of its own."""

    @functools.wraps(method)
    async def transaction(self: _T, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        return await self.run(
            lambda session: method(self, session, *args, **kwargs), method.__name__
        )

    return transaction
