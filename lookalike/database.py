"""The database of a service: a SQLite file or a PostgreSQL server, as its URL says.

What differs between the two is in `lookalike.sqlite` and `lookalike.postgresql`; all else is one.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from lookalike import postgresql, sqlite


class Reserve(Protocol):
    """Room that a database gives up when the disk is full."""

    def take_in(self) -> None:
        """Makes sure that it is there, if there is plenty of room."""

    def throw_away(self) -> bool:
        """Gives it to the database; False: there is none to give."""


class Backend(Protocol):
    """What a kind of database has of its own; a module does so."""

    @property
    def THREADS(self) -> int:  # noqa: N802, a module's constant
        """How many transactions there are at once."""

    @property
    def SHARED(self) -> bool:  # noqa: N802, likewise
        """Whether processes of several machines may use it at once."""

    def create_engine(self, url: str) -> Engine:
        """An engine with its options.

        Raises:
            StartError: there can be none.
        """

    def named(self, engine: Engine) -> str:
        """Which database it is, in a sentence; it holds no secret."""

    def fault(self, error: SQLAlchemyError) -> OSError | None:
        """What is wrong with the database's storage, the way to it, or its load.

        Returns:
            An error whose `errno` is ENOSPC if the disk is full, else EIO; None if the fault is
            the program's own.
        """

    def is_conflict(self, error: SQLAlchemyError) -> bool:
        """Whether another transaction was in the way, and the same one, begun anew, may succeed."""

    def reserve(self, engine: Engine) -> Reserve:
        """What is given up when the disk is full."""

    def upgrading(
        self, connection: Connection, version: str | None
    ) -> AbstractContextManager[None]:
        """A transaction in which alone the tables are changed; all of it happens, or nothing.

        Args:
            connection: without a transaction.
            version: the tables' before; None: there are none.

        Raises:
            StartError: rows would refer to nothing.
            OSError: the disk fails.
        """

    def truncate_log(self, engine: Engine) -> None:
        """Empties a log of ours that has what was deleted since, if there is one.

        Raises:
            OSError: the disk fails.
        """

    def remove_old_copies(self, engine: Engine) -> None:
        """Removes copies of ours from before upgrades that are old, if there are any.

        Ask for it only while the clock is certain.

        Raises:
            OSError: the disk fails.
        """

    def now(self, session: Session) -> datetime:
        """The time, by a clock that is the same for all processes that use the database."""

    def take_turn(self, session: Session, name: str) -> None:
        """Waits for other transactions that have taken the turn of this name, and takes it."""

    def take_snapshot(self, session: Session) -> None:
        """As a transaction's first: all it reads is as of one moment, and it writes nothing."""

    def notify(self, session: Session, channel: str, message: str) -> None:
        """Tells whoever listens, in any process, once the transaction is committed.

        Args:
            session: the transaction's.
            channel: a word of lower-case letters and underscores.
            message: up to 1,000 characters; the same twice in a transaction is told once.
        """

    async def listen(self, engine: Engine, channel: str, hear: Callable[[str], None]) -> None:
        """Hears what is told on a channel, by a connection of its own, until it is cancelled.

        Args:
            engine: the database's.
            channel: see `notify`.
            hear: gets each message; at first "", as all may have changed that was not heard.

        Raises:
            OSError: the connection cannot be made, or broke; what is told meanwhile is not heard.
        """


_BACKENDS: Final[Mapping[str, Backend]] = {"sqlite": sqlite, "postgresql": postgresql}
"""By the beginning of the URL."""


def create_engine(url: str) -> Engine:
    """An engine on a database; a SQLite file is this engine's alone until it is disposed of.

    Raises:
        StartError: the folder of the file cannot be made, another process uses the file, or
            PostgreSQL's driver is not installed.
    """
    return _BACKENDS[url.partition(":")[0]].create_engine(url)


def backend_of(engine: Engine) -> Backend:
    """What is the engine's database's own."""
    return _BACKENDS[engine.dialect.name]
