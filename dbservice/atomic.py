"""All or nothing: what makes a method of the store one transaction."""

import asyncio
import errno
import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from dbservice.errors import Reason, ServiceError
from lookalike.database import storage_fault

_P = ParamSpec("_P")
_R = TypeVar("_R")
_T = TypeVar("_T", bound="Transactional")


class Transactional:
    """A class whose methods are transactions on one engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._running: set[asyncio.Task[Any]] = set()

    async def close(self) -> None:
        """Lets running transactions end, then closes the database."""
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._engine.dispose()

    async def run(self, work: Callable[[AsyncSession], Coroutine[Any, Any, _R]]) -> _R:
        """Runs the work in a transaction, which goes to its end even if the caller is cancelled.

        Raises:
            ServiceError: the database is full, busy, broken or away.
        """
        task = asyncio.create_task(self._run(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _run(self, work: Callable[[AsyncSession], Coroutine[Any, Any, _R]]) -> _R:
        try:
            async with self._sessions.begin() as session:
                return await work(session)
        except SQLAlchemyError as error:
            if (fault := storage_fault(error)) is None:
                raise
            if fault.errno == errno.ENOSPC:
                raise ServiceError(Reason.DISK_FULL, "The database's disk is full.") from error
            raise ServiceError(
                Reason.STORAGE_UNAVAILABLE, "The database cannot be reached."
            ) from error


def atomic(
    method: Callable[Concatenate[_T, AsyncSession, _P], Coroutine[Any, Any, _R]],
) -> Callable[Concatenate[_T, _P], Coroutine[Any, Any, _R]]:
    """Makes a method that takes a session one transaction that brings its own."""

    @functools.wraps(method)
    async def transaction(self: _T, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        return await self.run(lambda session: method(self, session, *args, **kwargs))

    return transaction
