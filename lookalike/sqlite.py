"""SQLite: one file with one writer, its PRAGMAs, its faults, and the copies that lie beside it.

It does what `lookalike.database.Backend` asks for. Why these PRAGMAs, and no more than one writer:
docs/decisions/0003-sqlite.md.
"""

import asyncio
import errno
import fcntl
import glob
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final, cast

import sqlalchemy
from sqlalchemy import Column, Connection, Engine, event, text
from sqlalchemy.exc import DatabaseError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from lookalike.ballast import Ballast
from lookalike.errors import StartError
from lookalike.files import lock_file, remove_durably, sync_folder

KEEP_COPIES: Final = timedelta(days=30)
"""How long the copy from before an upgrade is kept; whoever is forgotten meanwhile is in it."""

THREADS: Final = 1
"""One connection, which is the file's only writer."""

SHARED: Final = False
"""The file is one process's alone."""

ENGINE_OPTIONS: Final[dict[str, Any]] = {
    "pool_size": THREADS,
    "max_overflow": 0,
    "hide_parameters": True,  # an error in the log must not repeat what users wrote
    "connect_args": {"isolation_level": None},  # transactions are begun below, not by the driver
}
"""How an engine is created that is to be owned."""

_WAL_SAFE_FROM = (3, 51, 3)
"""SQLite before this may corrupt a database in WAL mode when two connections write or checkpoint
at the same moment (sqlite.org, release notes of 3.51.3)."""

_STORAGE_FAULTS = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)
"""Primary result codes about the file or its disk, not about what the program asked for."""

_BUSY = "the database: it is too busy"

_log = logging.getLogger(__name__)


def create_engine(url: str) -> Engine:
    """An engine on `sqlite:///path` that owns its database.

    Raises:
        StartError: the folder cannot be made, or another process uses the database.
    """
    # Not by way of SQLAlchemy's parser, for which a path ends at a question mark.
    address = sqlalchemy.URL.create("sqlite", database=str(path_of(url)))
    engine = sqlalchemy.create_engine(address, **ENGINE_OPTIONS)
    own(engine)
    return engine


def path_of(url: str) -> Path:
    """The file of `sqlite:///path`; every character after that is the path's."""
    return Path(url.removeprefix("sqlite:///"))


def named(engine: Engine) -> str:
    """The file."""
    return str(_file(engine))


def own(engine: Engine) -> None:
    """Makes the engine, which has a single connection, its database's only writer.

    Every transaction begins with BEGIN IMMEDIATE: what it reads stays true until it commits. The
    folder is made if it is missing. The database is this engine's alone until it is disposed of,
    which the death of the process does, too.

    Raises:
        StartError: the folder cannot be made, or another process uses the database.
    """
    held = lock(_file(engine))
    _prepare(engine)
    event.listen(engine, "engine_disposed", lambda _engine: held.close())


def create_draft_engine(path: Path) -> Engine:
    """An engine on a file, made if it is missing, that no other process knows; it takes no lock."""
    address = sqlalchemy.URL.create("sqlite", database=str(path))
    engine = sqlalchemy.create_engine(address, **ENGINE_OPTIONS)
    _prepare(engine)
    return engine


def lock(path: Path) -> IO[bytes]:
    """Takes the database for this process, even before it is there; closing the file ends that.

    The lock is on a file of its own: closing any descriptor of the database itself would drop the
    locks that SQLite holds on it (sqlite.org, "How To Corrupt An SQLite Database File", 2.2).

    Raises:
        StartError: the folder cannot be made, or another process uses the database.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise StartError(f"The database folder {path.parent} cannot be made: {reason}.") from None
    file = lock_file(path.with_name(f"{path.name}.lock"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise StartError(f"Another process uses {path}.") from None
    except OSError as error:
        file.close()
        reason = error.strerror or error
        raise StartError(f"The database {path} cannot be locked: {reason}.") from None
    return file


def fault(error: SQLAlchemyError) -> OSError | None:
    """What is wrong with the database's file, its disk or its load; see `Backend`."""
    if isinstance(error, PoolTimeoutError):
        return OSError(errno.EIO, _BUSY)
    code = _code(error)
    if code not in _STORAGE_FAULTS:
        return None
    number = errno.ENOSPC if code == sqlite3.SQLITE_FULL else errno.EIO
    return OSError(number, f"the database: {cast('DBAPIError', error).orig}")


def is_conflict(error: SQLAlchemyError) -> bool:
    """Never: there is one transaction at a time."""
    del error
    return False


def reserve(engine: Engine) -> Ballast:
    """A file beside the database that is given up when the disk is full."""
    return Ballast(_file(engine))


@contextmanager
def upgrading(connection: Connection, version: str | None) -> Iterator[None]:
    """Copies a database that has rows already, then upgrades it in one transaction.

    SQLite cannot change all of a table in place. Where a migration makes it anew (Alembic's batch
    mode), the old one is dropped, and with foreign keys on its children would go with it
    (sqlite.org, ALTER TABLE, 7). A transaction does not let them be switched off, hence around it.
    """
    path = _file(connection.engine)
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101, the engine's own
    if version is not None:
        _copy(driver, path, version)
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():
            yield
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                message = "has rows that would refer to nothing; it was left as it was"
                raise StartError(f"The database {path} cannot be upgraded: it {message}.")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


@contextmanager
def reading(engine: Engine, *, alone: bool = False) -> Iterator[Connection]:
    """A transaction; the file is this engine's alone anyway."""
    del alone
    with engine.connect() as connection:
        yield connection


def refuse_others(connection: Connection) -> None:
    """There are none: the engine has the file's lock."""
    del connection


def last_number(connection: Connection, column: Column[Any]) -> int:
    """What SQLite has noted of the column's table (sqlite.org, Autoincrement); see `Backend`."""
    statement = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
    return connection.scalar(statement, {"table": column.table.name}) or 0


def go_on_from(connection: Connection, column: Column[Any], number: int) -> None:
    """Notes it there; see `Backend`."""
    values = {"table": column.table.name, "number": number}
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), values)
    connection.execute(text("INSERT INTO sqlite_sequence VALUES (:table, :number)"), values)


def truncate_log(engine: Engine) -> None:
    """Empties the write-ahead log, if there is one: it has what was deleted since.

    Raises:
        OSError: the disk fails, or the engine's connection was not free in time.
    """
    try:
        with closing(engine.raw_connection()) as connection:  # outside of a transaction
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except PoolTimeoutError as error:
        raise OSError(errno.EIO, _BUSY) from error
    except sqlite3.Error as error:
        raise OSError(errno.EIO, f"the database: {error}") from error


def now(session: Session) -> datetime:
    """The machine's clock, which is that of all who use the file."""
    del session
    return datetime.now(UTC)


def take_turn(session: Session, name: str) -> None:
    """Nothing: the transaction has all turns, for it is the only one."""
    del session, name


def take_snapshot(session: Session) -> None:
    """Nothing: nobody else writes while a transaction reads."""
    del session


def notify(session: Session, channel: str, message: str) -> None:
    """Nothing: there is no other process to be told."""
    del session, channel, message


async def listen(engine: Engine, channel: str, hear: Callable[[str], None]) -> None:
    """Waits: there is no other process to be heard."""
    del engine, channel, hear
    await asyncio.Event().wait()


def remove_old_copies(engine: Engine) -> None:
    """Removes the copies of a database that were made `KEEP_COPIES` ago, or so far in the future.

    Ask for it only while the clock is certain; a copy so far off was made when it was not.

    Raises:
        OSError: the disk fails.
    """
    for copy in copies(_file(engine)):
        if abs(time.time() - copy.stat().st_mtime) > KEEP_COPIES.total_seconds():
            remove_durably(copy)
            _log.info("The copy from before the last upgrade, %s, is old and was removed.", copy)


def copies(path: Path) -> list[Path]:
    """The copies of a database from before upgrades."""
    return [*path.parent.glob(f"{glob.escape(path.name)}.version-*")]


def _copy(connection: sqlite3.Connection, path: Path, version: str) -> None:
    """Copies the database, for its owner alone, in place of the copies of earlier versions.

    SQLite does not sync what VACUUM INTO writes, so that is done here, before it has its name.
    Why a copy, and what becomes of it: docs/decisions/0032-upgrades.md.

    Raises:
        OSError: there is no room for it, or the disk fails.
    """
    copy = path.with_name(f"{path.name}.version-{version}")
    draft = path.with_name(f"{path.name}.copy-draft")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        connection.execute("VACUUM INTO ?", (str(draft),))
        os.fsync(descriptor)
        draft.replace(copy)
    except sqlite3.DatabaseError as error:
        raise DatabaseError("VACUUM INTO", None, error) from error
    finally:
        os.close(descriptor)
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)
    for older in copies(path):
        if older != copy:
            older.unlink()
    _log.info("Before it is upgraded, the database was copied to %s.", copy)


def _prepare(engine: Engine) -> None:
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)


def _file(engine: Engine) -> Path:
    return Path(engine.url.database or "")


def _code(error: SQLAlchemyError) -> int:
    """SQLite's primary result code, which is the low byte; 0 if there is none."""
    orig = error.orig if isinstance(error, DBAPIError) else None
    return getattr(orig, "sqlite_errorcode", 0) & 0xFF


def _on_connect(connection: Any, _record: Any) -> None:
    mode = "WAL" if sqlite3.sqlite_version_info >= _WAL_SAFE_FROM else "TRUNCATE"
    cursor = connection.cursor()
    for pragma in (
        "busy_timeout=5000",
        f"journal_mode={mode}",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # else what was deleted stays until its room is needed
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    _log.debug("SQLite %s, journal mode %s.", sqlite3.sqlite_version, mode)


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
