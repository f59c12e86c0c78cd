"""Where transactions on the rows are run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lookalike.database import Backend
from lookalike.transactions import Transactional

MIGRATIONS: Final = Path(__file__).parent / "migrations"
"""What brings a database of any earlier version to `dbservice.models`."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Transaction:
    """What an action of `dbservice.transactions` works with.

    Attributes:
        session: the rows.
        now: the time at which all of it happens.
        backend: what the database has of its own.
    """

    session: Session
    now: datetime
    backend: Backend

    def take_turn(self, *name: object) -> None:
        """Waits until no other transaction has this turn, and has it to its own end.

        For what no row stands for that could be locked: what is read of many rows, or of none yet,
        is true until the end for all that take the turn.
        """
        self.backend.take_turn(self.session, ":".join(map(str, name)))


class Store(Transactional):
    """Runs actions on the rows, each as one transaction."""

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime] | None = None,
        timed: Callable[[float], None] | None = None,
    ) -> None:
        """Runs them on an engine.

        Args:
            engine: the database's.
            clock: tells the time; None: the database does, for all that share it.
            timed: see `Transactional`.
        """
        super().__init__(engine, timed)
        self._clock = clock

    async def transact(
        self,
        action: Callable[Concatenate[Transaction, _P], _R],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _R:
        """Runs an action as a transaction of its own; what it raises rolls everything back.

        Once begun it goes to its end, even if the caller is cancelled; it may be run more than once
        before it commits.

        Raises:
            OSError: the database is full, busy, broken or away.
        """

        def work(session: Session) -> _R:
            now = self._backend.now(session) if self._clock is None else self._clock()
            return action(Transaction(session, now, self._backend), *args, **kwargs)

        return await self.run(work, f"{action.__module__.rpartition('.')[2]}.{action.__name__}")
