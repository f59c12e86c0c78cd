"""Where transactions on the rows are run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lookalike.transactions import Transactional

MIGRATIONS: Final = Path(__file__).parent / "migrations"
"""What brings a database of any earlier version to `dbservice.models`."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Transaction:
    """What an action of `dbservice.transactions` works with.

    Attributes:
        session: the rows.
        now: the time at which all of it happens.
    """

    session: Session
    now: datetime


class Store(Transactional):
    """Runs actions on the rows, each as one transaction, one after the other."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(engine)
        self._clock = clock

    async def transact(
        self,
        action: Callable[Concatenate[Transaction, _P], _R],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _R:
        """Runs an action as a transaction of its own; what it raises rolls everything back.

        Once begun it goes to its end, even if the caller is cancelled.

        Raises:
            OSError: the database is full, busy, broken or away.
        """

        def work(session: Session) -> _R:
            return action(Transaction(session, self._clock()), *args, **kwargs)

        return await self.run(work)
