"""The database of a service: a SQLite file or a PostgreSQL server, as its URL says.

What differs between the two is in `lookalike.sqlite` and `lookalike.postgresql`; all else is one.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import Column, Connection, Engine
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.orm import Session

from lookalike import postgresql, sqlite
from lookalike.errors import StartError


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

    def reading(self, engine: Engine, *, alone: bool = False) -> AbstractContextManager[Connection]:
        """A transaction that sees all rows as of one moment, however long it takes.

        Args:
            engine: the database's.
            alone: nobody else writes meanwhile.
        """

    def refuse_others(self, connection: Connection) -> None:
        """Makes sure that no other process of ours uses the database.

        Raises:
            StartError: one does.
        """

    def last_number(self, connection: Connection, column: Column[Any]) -> int:
        """The last number that a column which counts up has had; 0: none."""

    def go_on_from(self, connection: Connection, column: Column[Any], number: int) -> None:
        """Has such a column go on after that number."""

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


@contextmanager
def usable(engine: Engine) -> Iterator[None]:
    """Has what is wrong with a database be told in a sentence; another one's faults are passed on.

    Raises:
        StartError: it cannot be used; its exit code tells what passes from what lasts.
    """
    backend = backend_of(engine)
    try:
        yield
    except DatabaseError as error:
        if not isinstance(error.orig, engine.dialect.loaded_dbapi.Error):
            raise
        reason = " ".join(str(error.orig).split()).rstrip(".")
        told = StartError(f"The database {backend.named(engine)} cannot be used: {reason}.")
        if (fault := backend.fault(error)) is None:
            raise told from error
        fault.__cause__ = error
        raise told from fault
