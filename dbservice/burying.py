"""Forgets, in a database that nobody serves, whoever has a tombstone that it does not know.

Such a database is older than the forgetting: a backup that is restored, or a copy from before an
upgrade that was put in place by hand. It may have the tables of any earlier version.
"""

import errno
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dbservice.tombstones import Tombstones
from lookalike.files import remove_durably
from lookalike.sqlite import copies

COUNT_ANEW: Final = (
    "DELETE FROM kept_of_users",
    (
        "INSERT INTO kept_of_users (bot_id, user_id, bytes)"
        " SELECT bot_id, user_id, sum(image_size) FROM"
        " (SELECT bot_id, user_id, image_size FROM photos WHERE image_key IS NOT NULL UNION ALL"
        " SELECT bot_id, user_id, image_size FROM generations WHERE image_key IS NOT NULL)"
        " GROUP BY bot_id, user_id"
    ),
    "UPDATE kept_of_all SET bytes = (SELECT coalesce(sum(bytes), 0) FROM kept_of_users)",
)
"""How much is kept (`dbservice.transactions.limits`); databases of earlier versions do not say."""

OF_A_DATABASE: Final = ("", "-journal", "-wal")
"""The file itself, and those that SQLite would apply to whatever has its name."""

OF_USERS: Final = {
    "photos": "received_at <= ?3",
    "members": "joined_at <= ?3",
    "user_settings": "?3 IS NOT NULL",  # nobody knows since when
    "broadcasts": "begun_at <= ?3",
    "broadcasts_in_flight": "?3 IS NOT NULL",
    "exports": "asked_at <= ?3",
    "cancellations": "cancelled_at <= ?3",
}
"""What of a user is forgotten that is as old as the tombstone, by its table."""

_AT: Final = "%Y-%m-%d %H:%M:%S.%f"
"""How a time is written in a row."""


def draft_of(database: Path) -> Path:
    """Where a restore writes a database, before it buries in it and puts it in place."""
    return database.with_name(f"{database.name}.restore-draft")


def remove_draft(database: Path) -> None:
    """Removes what a restore that was cut short has left: it may have who was forgotten.

    With its journal, which SQLite would apply to the next one, and the copy from before an upgrade.
    """
    draft = draft_of(database)
    for copy in copies(draft):
        copy.unlink()
    for suffix in OF_A_DATABASE:
        draft.with_name(draft.name + suffix).unlink(missing_ok=True)


def bury(database: Path, tombstones: Tombstones) -> Sequence[str]:
    """Forgets in a database what is older than the tombstones that it lacks.

    Those that it has come to the home in turn.

    Returns:
        The keys of the bytes that were forgotten.

    Raises:
        OSError: the disk fails.
        sqlite3.Error: likewise, or it is no database of ours.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=ON")  # a message goes with its generation
        connection.execute("PRAGMA secure_delete=ON")
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        has_table = "tombstones" in tables
        there = {}
        if has_table:
            rows = connection.execute("SELECT who, asked_at FROM tombstones")
            there = {who: datetime.strptime(at, _AT).replace(tzinfo=UTC) for who, at in rows}
        missing = {
            who: at for who, at in tombstones.known.items() if who not in there or there[who] < at
        }
        tombstones.add(there)
        if not missing:
            return ()
        connection.execute("BEGIN IMMEDIATE")
        before = connection.total_changes
        keys = [*_forget(connection, tables, missing, tombstones)]
        has_changed = connection.total_changes > before
        if "kept_of_users" in tables:
            for statement in COUNT_ANEW:
                connection.execute(statement)
        if has_table:
            connection.executemany(
                "INSERT INTO tombstones (who, asked_at) VALUES (?, ?) ON CONFLICT (who)"
                " DO UPDATE SET asked_at = excluded.asked_at, question = NULL",
                ((who, at.strftime(_AT)) for who, at in missing.items()),
            )
        connection.execute("COMMIT")
        if has_changed:
            connection.execute("VACUUM")  # what was moved within the file may be in it twice
        return keys


def bury_in_copies(database: Path, tombstones: Tombstones) -> None:
    """Does so in the copies of a database from before upgrades.

    Raises:
        OSError: the disk fails.
    """
    for copy in copies(database):
        try:
            bury(copy, tombstones)
        except sqlite3.OperationalError as error:
            raise OSError(errno.EIO, f"{copy}: {error}") from error
        except sqlite3.DatabaseError:
            remove_durably(copy)  # it is damaged: nobody can go back to it


def _forget(
    connection: sqlite3.Connection,
    tables: set[str],
    missing: dict[str, datetime],
    names: Tombstones,
) -> Iterator[str]:
    for table in tables.intersection(OF_USERS):
        users = connection.execute(f"SELECT DISTINCT bot_id, user_id FROM {table}")  # noqa: S608
        for bot_id, user_id in users.fetchall():
            at = missing.get(names.who(bot_id, user_id))
            if at is None:
                continue
            theirs = f"bot_id = ?1 AND user_id = ?2 AND {OF_USERS[table]}"
            whose = (bot_id, user_id, at.strftime(_AT))
            if table == "photos":
                yield from _forget_photos(connection, theirs, whose)
            else:
                connection.execute(f"DELETE FROM {table} WHERE {theirs}", whose)  # noqa: S608


def _forget_photos(
    connection: sqlite3.Connection, theirs: str, whose: tuple[int, int, str]
) -> Iterator[str]:
    columns = {row[1] for row in connection.execute("PRAGMA table_info(photos)")}
    key = "image_key" if "image_key" in columns else "id"  # as the first version had it
    photos = f"SELECT id FROM photos WHERE {theirs}"  # noqa: S608
    for table, column in (("generations", "photo_id"), ("photos", "id")):
        gone = connection.execute(
            f"DELETE FROM {table} WHERE {column} IN ({photos}) RETURNING {key}",  # noqa: S608
            whose,
        )
        yield from (key for (key,) in gone.fetchall() if key is not None)
