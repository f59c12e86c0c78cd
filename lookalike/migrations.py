"""Brings a service's database to the version of the program, and never at the cost of its rows.

Why a copy, and what becomes of it: docs/decisions/0032-upgrades.md.
"""

import glob
import logging
import os
import sqlite3
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError

from lookalike.errors import StartError
from lookalike.files import remove_durably, sync_folder

KEEP_COPIES: Final = timedelta(days=30)
"""How long the copy from before an upgrade is kept; whoever is forgotten meanwhile is in it."""

_log = logging.getLogger(__name__)


def migrate(engine: Engine, migrations: Path) -> None:
    """Brings the database to the newest version of `migrations/versions`, or leaves it as it is.

    One that has rows already is copied first, to a file beside it.

    Raises:
        StartError: the file is no database, is damaged, or is newer than this program; a migration
            would leave rows that refer to nothing; there is no room for the copy or the upgrade,
            or the disk fails.
    """
    script = _versions(migrations)
    path = Path(engine.url.database or "")
    try:
        with engine.connect() as connection:
            version = MigrationContext.configure(connection).get_current_revision()
            connection.rollback()
            if version == script.get_current_head():
                return
            if version is not None:
                script.get_revision(version)
                _copy(_driver(connection), path, version)
            _upgrade(connection, script, path)
    except CommandError:  # it has a version that `migrations` does not know
        raise StartError(f"The database {path} was made by a newer Lookalike.") from None
    except (DatabaseError, OSError) as error:  # its exit code tells what passes from what lasts
        reason = error.orig if isinstance(error, DatabaseError) else error.strerror or error
        raise StartError(f"The database {path} cannot be used: {reason}.") from error


def remove_old_copies(path: Path) -> None:
    """Removes the copies of a database that were made `KEEP_COPIES` ago, or so far in the future.

    Ask for it only while the clock is certain; a copy so far off was made when it was not.

    Raises:
        OSError: the disk fails.
    """
    for copy in copies(path):
        if abs(time.time() - copy.stat().st_mtime) > KEEP_COPIES.total_seconds():
            remove_durably(copy)
            _log.info("The copy from before the last upgrade, %s, is old and was removed.", copy)


def copies(path: Path) -> list[Path]:
    """The copies of a database from before upgrades."""
    return [*path.parent.glob(f"{glob.escape(path.name)}.version-*")]


def knows(migrations: Path, version: str) -> bool:
    """Whether a database of this version can be brought to the newest one."""
    try:
        _versions(migrations).get_revision(version)
    except CommandError:
        return False
    return True


def _versions(migrations: Path) -> ScriptDirectory:
    return ScriptDirectory(str(migrations), version_locations=[str(migrations / "versions")])


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101, the only one there is
    return driver


def _copy(connection: sqlite3.Connection, path: Path, version: str) -> None:
    """Copies the database, for its owner alone, in place of the copies of earlier versions.

    SQLite does not sync what VACUUM INTO writes, so that is done here, before it has its name.

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


def _upgrade(connection: Connection, script: ScriptDirectory, path: Path) -> None:
    """Runs the migrations that are missing, in one transaction.

    SQLite cannot change all of a table in place. Where a migration makes it anew (Alembic's batch
    mode), the old one is dropped, and with foreign keys on its children would go with it
    (sqlite.org, ALTER TABLE, 7). A transaction does not let them be switched off, hence around it.
    """

    def upgrade(revision: Any, _context: MigrationContext) -> Any:
        return script._upgrade_revs("head", revision)  # noqa: SLF001, what alembic.command does

    environment = EnvironmentContext(Config(), script, fn=upgrade, destination_rev="head")
    driver = _driver(connection)
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin(), environment as context:
            context.configure(connection=connection, render_as_batch=True)
            context.run_migrations()
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                message = "has rows that would refer to nothing; it was left as it was"
                raise StartError(f"The database {path} cannot be upgraded: it {message}.")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
