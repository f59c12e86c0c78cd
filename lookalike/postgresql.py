"""PostgreSQL: a server that many processes share, by psycopg; its timeouts, faults and locks.

It does what `lookalike.database.Backend` asks for. Why so: docs/decisions/0074-postgresql.md.
"""

import errno
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy
from sqlalchemy import (
    URL,
    Column,
    Connection,
    DateTime,
    Engine,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError

from lookalike.errors import StartError

THREADS: Final = 8
"""Transactions at once, each with a connection: more wait for Python, not for the server."""

SHARED: Final = True
"""A server is there for all machines."""

_CONNECT: Final[Mapping[str, Any]] = {
    "connect_timeout": 5,  # seconds, for each host
    "tcp_user_timeout": 10_000,  # milliseconds; a server that is cut off is not waited for
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "application_name": "lookalike",
}
"""What libpq is told where the URL does not say otherwise."""

_SESSION: Final[Mapping[str, str]] = {
    "statement_timeout": "20s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "20s",
    "timezone": "UTC",
}
"""How each connection is set up; not by libpq's `options`, which connection poolers refuse."""

_POOL_SECONDS = 10.0

_GOING_SECONDS = 2.0
"""How long the server may take to notice that a process has gone."""

_FAULTY_CLASSES = frozenset({"08", "40", "53", "57", "58"})
"""Classes of SQLSTATE about the server, its disk or its load (PostgreSQL, appendix A)."""

_FAULTY = frozenset(
    {
        "25006",  # read only: a standby
        "25P03",  # it was idle within a transaction for too long
        "55P03",  # a lock was not to be had in time
    }
)
_DISK_FULL = "53100"

_CONFLICTS = frozenset(
    {
        "23503",  # what the row refers to was deleted meanwhile
        "23505",  # another one has made the row meanwhile
        "40001",
        "40P01",  # a deadlock
    }
)
"""SQLSTATEs after which the same transaction, begun anew, finds what another one has done."""

_UPGRADE = "lookalike: upgrade"

_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


class _NoReserve:
    """The server's disk is not ours to keep room on."""

    def take_in(self) -> None:
        """Nothing."""

    def throw_away(self) -> bool:
        """There is none."""
        return False


def create_engine(url: str) -> Engine:
    """An engine on `postgresql://...`, which libpq's parameters may follow; connects later.

    Raises:
        StartError: the driver is not installed, or the URL is none.
    """
    try:
        address = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
        engine = sqlalchemy.create_engine(
            address,
            pool_size=THREADS,
            max_overflow=0,
            pool_timeout=_POOL_SECONDS,
            pool_pre_ping=True,  # the server may have been restarted
            isolation_level="READ COMMITTED",
            hide_parameters=True,  # an error in the log must not repeat what users wrote
            connect_args=_connect_args(address),
        )
    except ModuleNotFoundError:
        message = "PostgreSQL needs its driver: pip install 'lookalike[postgres]'."
        raise StartError(message) from None
    except (SQLAlchemyError, ValueError):
        raise StartError("The URL of the PostgreSQL database cannot be read.") from None
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "handle_error", _hide_rows)
    return engine


def named(engine: Engine) -> str:
    """The URL without its password, and of what follows where the server is alone."""
    url = engine.url
    where = {name: value for name, value in url.query.items() if name in {"host", "port"}}
    return url.set(drivername="postgresql", query=where).render_as_string(hide_password=True)


def fault(error: SQLAlchemyError) -> OSError | None:
    """What is wrong with the server, the way to it, its disk or its load; see `Backend`."""
    if isinstance(error, PoolTimeoutError):
        return OSError(errno.EIO, "the database: it is too busy")
    state = _state(error)
    away = isinstance(error, DBAPIError) and error.connection_invalidated
    # libpq has no code for a connection that cannot be made, or that broke.
    away = away or (state is None and isinstance(error, OperationalError))
    if not (away or (state or "")[:2] in _FAULTY_CLASSES or state in _FAULTY):
        return None
    number = errno.ENOSPC if state == _DISK_FULL else errno.EIO
    told = error.orig if isinstance(error, DBAPIError) else error
    return OSError(number, f"the database: {_sentence(told)}")


def is_conflict(error: SQLAlchemyError) -> bool:
    """Whether another transaction was in the way, and the same one, begun anew, may succeed."""
    changed = isinstance(error, StaleDataError | ObjectDeletedError)
    return changed or _state(error) in _CONFLICTS


def reserve(engine: Engine) -> _NoReserve:
    """None."""
    del engine
    return _NoReserve()


@contextmanager
def upgrading(connection: Connection, version: str | None) -> Iterator[None]:
    """One transaction, while every other process that would upgrade waits for its end."""
    del version
    with connection.begin():
        for name in ("statement_timeout", "lock_timeout"):
            connection.execute(select(func.set_config(name, "10min", True)))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        connection.execute(select(func.pg_advisory_xact_lock(_number(_UPGRADE))))
        yield


@contextmanager
def reading(engine: Engine, *, alone: bool = False) -> Iterator[Connection]:
    """A transaction with one snapshot for all it reads; see `Backend`.

    Whoever would write while it is alone waits for a lock, and is told that the database is
    unavailable when that takes too long.
    """
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        quote = connection.dialect.identifier_preparer.quote
        tables = ", ".join(map(quote, inspect(connection).get_table_names()))
        connection.rollback()
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {name} = 0"))
        if alone and tables:  # before anything is read, since that takes the snapshot
            connection.execute(text(f"LOCK TABLE {tables} IN SHARE MODE"))
        yield connection


def refuse_others(connection: Connection) -> None:
    """Makes sure that no other process of ours is connected; see `Backend`.

    Raises:
        StartError: one is.
    """
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = :name AND pid <> pg_backend_pid()"
    )
    deadline = time.monotonic() + _GOING_SECONDS
    while connection.scalar(others, {"name": _CONNECT["application_name"]}):
        if time.monotonic() > deadline:
            name = named(connection.engine)
            raise StartError(f"Another process uses {name}; stop every dbservice.", passing=True)
        time.sleep(0.1)
        connection.execute(select(func.pg_stat_clear_snapshot()))


def last_number(connection: Connection, column: Column[Any]) -> int:
    """The last number of the column's sequence; see `Backend`."""
    statement = text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:table, :column))")
    return connection.scalar(statement, _names(column)) or 0


def go_on_from(connection: Connection, column: Column[Any], number: int) -> None:
    """Sets the column's sequence; see `Backend`."""
    statement = text("SELECT setval(pg_get_serial_sequence(:table, :column), :number)")
    if number:
        connection.execute(statement, {**_names(column), "number": number})


def _names(column: Column[Any]) -> Mapping[str, str]:
    return {"table": column.table.name, "column": column.name}


def truncate_log(engine: Engine) -> None:
    """Nothing: what the server still has of deleted rows is for its autovacuum."""
    del engine


def now(session: Session) -> datetime:
    """The server's clock, which is one for all that use it; those of their machines may differ."""
    clock = func.clock_timestamp(type_=DateTime(timezone=True))
    return session.scalars(select(clock)).one().astimezone(UTC)


def take_turn(session: Session, name: str) -> None:
    """Waits for all other transactions that have taken this turn, and has it to the end."""
    session.execute(select(func.pg_advisory_xact_lock(_number(name))))


def take_snapshot(session: Session) -> None:
    """Has all statements of a transaction see the same rows; it may wait for nobody, nor write."""
    session.execute(_SNAPSHOT)


def remove_old_copies(engine: Engine) -> None:
    """Nothing: the server's copies are whoever's that made them."""
    del engine


def notify(session: Session, channel: str, message: str) -> None:
    """Has the server tell all that listen, at the transaction's commit."""
    session.execute(select(func.pg_notify(channel, message)))


async def listen(engine: Engine, channel: str, hear: Callable[[str], None]) -> None:
    """Hears what is told, by a connection that is none of the engine's; see `Backend`."""
    from psycopg import AsyncConnection, Error

    given: Mapping[str, Any] = engine.dialect.create_connect_args(engine.url)[1]
    where = {**_connect_args(engine.url), **given}
    try:
        async with await AsyncConnection.connect(autocommit=True, **where) as connection:
            await connection.execute(f"LISTEN {channel}".encode())
            hear("")
            async with aclosing(connection.notifies()) as told:
                async for each in told:
                    hear(each.payload)
    except Error as error:
        raise OSError(errno.EIO, f"the database: {_sentence(error)}") from None


def _connect_args(address: URL) -> dict[str, Any]:
    return {name: value for name, value in _CONNECT.items() if name not in address.query}


def _sentence(error: BaseException | None) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _number(name: str) -> int:
    """What an advisory lock has in place of a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def _state(error: SQLAlchemyError) -> str | None:
    orig = error.orig if isinstance(error, DBAPIError) else None
    return getattr(orig, "sqlstate", None)


def _on_connect(connection: Any, _record: Any) -> None:
    settings = ", ".join(f"set_config('{name}', '{to}', false)" for name, to in _SESSION.items())
    connection.execute(f"SELECT {settings}")
    connection.commit()


def _hide_rows(context: ExceptionContext) -> None:
    """Takes out of an error what PostgreSQL tells of the row in question: it is a user's."""
    diagnosis = getattr(context.original_exception, "diag", None)
    told = getattr(diagnosis, "message_primary", None)
    if told is None:
        return
    context.original_exception.args = (told,)
    if (wrapped := context.sqlalchemy_exception) is not None:
        wrapped.args = (told,)
