"""The database of a backup, a SQLite file: what it names, and whether it is whole."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from dbservice.burying import COUNT_ANEW
from dbservice.store import MIGRATIONS
from lookalike.migrations import knows

_BUSY_SECONDS = 60.0
"""How long a read waits for commits of the service."""

TABLES: Final = ("photos", "generations")
"""What names bytes."""

_NAMED: Final = " UNION ALL ".join(
    f"SELECT image_key, image_size, image_sha256 FROM {table}"  # noqa: S608, our own names
    " WHERE image_key IS NOT NULL"
    for table in TABLES
)


class UnusableError(Exception):
    """A database that nobody should go on with; the message says why."""


class UnknownVersionError(Exception):
    """A database of a version that this program does not know."""


@dataclass(frozen=True)
class Contents:
    """What a database holds.

    Attributes:
        revision: the version of its tables.
        rows: in all tables.
    """

    revision: str
    rows: int


def named(database: Path) -> Iterator[tuple[str, int, str]]:
    """The key, size and checksum of all bytes that its rows name.

    Raises:
        sqlite3.Error: it has other tables, or the disk fails.
    """
    with closing(connect(database)) as connection:
        yield from connection.execute(_NAMED)


def compact(copy: Path, target: Path) -> None:
    """Writes a copy without what SQLite has kept of deleted rows."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))


def forget_bytes(database: Path, keys: list[str]) -> None:
    """Lets no row name these bytes."""
    columns = ("key", "media_type", "width", "height", "size", "sha256")
    cleared = ", ".join(f"image_{column} = NULL" for column in columns)
    with closing(sqlite3.connect(database)) as connection, connection:
        for table in TABLES:
            connection.executemany(
                f"UPDATE {table} SET {cleared} WHERE image_key = ?",  # noqa: S608, our own names
                ((key,) for key in keys),
            )
        if keys and connection.execute("PRAGMA table_info(kept_of_users)").fetchone():
            for statement in COUNT_ANEW:
                connection.execute(statement)


def is_known(revision: str) -> bool:
    """Whether this program can go on with tables of this version."""
    return knows(MIGRATIONS, revision)


def check(database: Path) -> Contents:
    """Looks whether a database is whole and one of ours; whoever made it.

    Raises:
        UnusableError: it is not.
        UnknownVersionError: a newer version may know it.
        OSError: the disk fails.
        sqlite3.OperationalError: likewise.
    """
    try:
        with closing(connect(database)) as connection:
            return _check(connection)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise UnusableError(str(error)) from None


def _check(connection: sqlite3.Connection) -> Contents:
    connection.execute("PRAGMA trusted_schema=OFF")
    (problem,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if problem != "ok":
        raise UnusableError(str(problem).partition("\n")[0].rstrip("."))
    schema = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    for kind, _, sql in schema:  # a stranger's might do something of its own with our statements
        if kind not in {"table", "index"} or (sql or "").upper().startswith("CREATE VIRTUAL"):
            raise UnusableError("it has a view, a trigger or a virtual table")
    tables = [name for kind, name, _ in schema if kind == "table" and name[:7] != "sqlite_"]
    if not {"alembic_version", *TABLES} <= set(tables):
        raise UnusableError("tables are missing")
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise UnusableError("it has rows that refer to nothing")
    (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    if not is_known(str(revision)):
        raise UnknownVersionError
    rows = sum(
        connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608, quoted
        for name in tables
        if name != "alembic_version"
    )
    return Contents(str(revision), rows)


def connect(path: Path) -> sqlite3.Connection:
    """Opens a database to read. Not `mode=ro`: what a crash left is to be rolled back first."""
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=rw",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
    )
    connection.execute("PRAGMA query_only=ON")
    return connection
