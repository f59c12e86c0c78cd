"""The database of a service, one SQLite file with one writer: its engine and its faults.

Why these PRAGMAs: docs/decisions/0003-sqlite.md.
"""

import errno
import fcntl
import logging
import sqlite3
from pathlib import Path
from typing import IO, Any, cast

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from lookalike.errors import StartError
from lookalike.files import lock_file

_log = logging.getLogger(__name__)

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


ENGINE_OPTIONS: dict[str, Any] = {
    "pool_size": 1,
    "max_overflow": 0,
    "hide_parameters": True,  # an error in the log must not repeat what users wrote
    "connect_args": {"isolation_level": None},  # transactions are begun below, not by the driver
}
"""How an engine is created that is to be owned."""


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


def own(engine: Engine) -> None:
    """Makes the engine, which has a single connection, its database's only writer.

    Every transaction begins with BEGIN IMMEDIATE: what it reads stays true until it commits. The
    folder is made if it is missing. The database is this engine's alone until it is disposed of,
    which the death of the process does, too.

    Raises:
        StartError: the folder cannot be made, or another process uses the database.
    """
    held = lock(Path(engine.url.database or ""))
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "engine_disposed", lambda _engine: held.close())


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


def storage_fault(error: SQLAlchemyError) -> OSError | None:
    """What is wrong with the database's file, its disk or its load.

    Returns:
        An error whose `errno` is ENOSPC if the disk is full, else EIO; None if the fault is the
        program's own.
    """
    if isinstance(error, PoolTimeoutError):
        return OSError(errno.EIO, "the database: it is too busy")
    code = _code(error)
    if code not in _STORAGE_FAULTS:
        return None
    number = errno.ENOSPC if code == sqlite3.SQLITE_FULL else errno.EIO
    return OSError(number, f"the database: {cast('DBAPIError', error).orig}")


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
