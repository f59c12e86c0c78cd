"""Brings a service's database to the version of the program, and never at the cost of its rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine

from lookalike.database import backend_of, usable
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
    name = backend_of(engine).named(engine)
    try:
        with usable(engine), engine.connect() as connection:
            newest = is_newest(connection, migrations)
            connection.rollback()
            if not newest:
                with _upgraded(connection, migrations):
                    pass
    except OSError as error:
        raise StartError(
            f"The database {name} cannot be used: {error.strerror or error}."
        ) from error


@contextmanager
def upgraded(engine: Engine, migrations: Path) -> Iterator[Connection]:
    """A transaction that makes the newest tables, if they are not there, before anything else.

    All of what is done in it happens, or nothing, the tables included. While it lasts, no other
    process makes them.

    Raises:
        StartError: the database is newer than this program.
        OSError: the disk fails.
    """
    with engine.connect() as connection:
        is_newest(connection, migrations)
        connection.rollback()
        with _upgraded(connection, migrations):
            yield connection


def is_newest(connection: Connection, migrations: Path) -> bool:
    """Whether the tables are of the newest version.

    Raises:
        StartError: they are of a newer one, which `migrations` does not know.
    """
    script = _versions(migrations)
    version = _version(connection)
    try:
        if version is not None:
            script.get_revision(version)
    except CommandError:
        name = backend_of(connection.engine).named(connection.engine)
        raise StartError(f"The database {name} was made by a newer Lookalike.") from None
    return version == script.get_current_head()


def knows(migrations: Path, version: str) -> bool:
    """Whether a database of this version can be brought to the newest one."""
    try:
        _versions(migrations).get_revision(version)
    except CommandError:
        return False
    return True


def _versions(migrations: Path) -> ScriptDirectory:
    return ScriptDirectory(str(migrations), version_locations=[str(migrations / "versions")])


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def _upgraded(connection: Connection, migrations: Path) -> Iterator[None]:
    """Runs the migrations that are missing, in a transaction; Alembic looks which these are."""
    script = _versions(migrations)

    def upgrade(revision: Any, _context: MigrationContext) -> Any:
        return script._upgrade_revs("head", revision)  # noqa: SLF001, what alembic.command does

    environment = EnvironmentContext(Config(), script, fn=upgrade, destination_rev="head")
    version = _version(connection)
    connection.rollback()
    with backend_of(connection.engine).upgrading(connection, version):
        with environment as context:
            context.configure(connection=connection, render_as_batch=True)
            context.run_migrations()
        yield
