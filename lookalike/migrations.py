"""Brings a service's database to the version of the program, and never at the cost of its rows."""

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError

from lookalike.database import backend_of
from lookalike.errors import StartError


def migrate(engine: Engine, migrations: Path) -> None:
    """Brings the database to the newest version of `migrations/versions`, or leaves it as it is.

    A SQLite file that has rows already is copied first, to a file beside it. Of several processes
    that would upgrade a PostgreSQL database at once, one does, and the others wait.

    Raises:
        StartError: it is no database, is damaged or away, or is newer than this program; a
            migration would leave rows that refer to nothing; there is no room for the copy or the
            upgrade, or the disk fails.
    """
    script = _versions(migrations)
    backend = backend_of(engine)
    name = backend.named(engine)
    try:
        with engine.connect() as connection:
            version = MigrationContext.configure(connection).get_current_revision()
            connection.rollback()
            if version == script.get_current_head():
                return
            if version is not None:
                script.get_revision(version)
            with backend.upgrading(connection, version):
                _upgrade(connection, script)
    except CommandError:  # it has a version that `migrations` does not know
        raise StartError(f"The database {name} was made by a newer Lookalike.") from None
    except DatabaseError as error:  # its exit code tells what passes from what lasts
        reason = " ".join(str(error.orig).split()).rstrip(".")
        told = StartError(f"The database {name} cannot be used: {reason}.")
        if (fault := backend.fault(error)) is None:
            raise told from error
        fault.__cause__ = error
        raise told from fault
    except OSError as error:
        raise StartError(
            f"The database {name} cannot be used: {error.strerror or error}."
        ) from error


def knows(migrations: Path, version: str) -> bool:
    """Whether a database of this version can be brought to the newest one."""
    try:
        _versions(migrations).get_revision(version)
    except CommandError:
        return False
    return True


def _versions(migrations: Path) -> ScriptDirectory:
    return ScriptDirectory(str(migrations), version_locations=[str(migrations / "versions")])


def _upgrade(connection: Connection, script: ScriptDirectory) -> None:
    """Runs the migrations that are missing; Alembic looks which these are."""

    def upgrade(revision: Any, _context: MigrationContext) -> Any:
        return script._upgrade_revs("head", revision)  # noqa: SLF001, what alembic.command does

    environment = EnvironmentContext(Config(), script, fn=upgrade, destination_rev="head")
    with environment as context:
        context.configure(connection=connection, render_as_batch=True)
        context.run_migrations()
