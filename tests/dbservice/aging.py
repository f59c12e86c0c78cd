"""What tests of old rows need: a clock that is believed, word of what went, earlier versions."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import dbservice
from dbservice.observers import Observer, RetentionDone
from dbservice.settings import DbserviceSettings
from lookalike.database import create_engine
from lookalike.migrations import migrate

MIGRATIONS = Path(dbservice.__file__).parent / "migrations"


class Retentions(Observer):
    """Keeps what was announced."""

    def __init__(self) -> None:
        self.done: asyncio.Queue[RetentionDone] = asyncio.Queue()

    def retention_done(self, retention: RetentionDone) -> None:
        self.done.put_nowait(retention)


def believe(settings: DbserviceSettings, now: datetime) -> None:
    """As if the clock had gone on evenly until now."""
    with sqlite3.connect(settings.database.removeprefix("sqlite:///")) as connection:
        seen = now.strftime("%Y-%m-%d %H:%M:%S.%f")
        connection.execute("UPDATE wall_clock SET seen_at = ?, doubt_seconds = 0", (seen,))
    connection.close()


def create_at(path: Path, revision: str) -> None:
    """An empty database as the version with this migration, `0001`, made it."""
    folder = path.with_name(f"migrations-{revision}")
    (folder / "versions").mkdir(parents=True)
    for file in (MIGRATIONS / "versions").glob("0*.py"):
        if file.name[: len(revision)] <= revision:
            shutil.copy(file, folder / "versions")
    engine = create_engine(f"sqlite:///{path}")
    migrate(engine, folder)
    engine.dispose()


def take_back(path: Path, revision: str) -> None:
    """Makes a database what the version with this migration would have made of its rows."""
    young = path.rename(path.with_name("young.db"))
    create_at(path, revision)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ATTACH ? AS young", (str(young),))
        tables = "SELECT name FROM main.sqlite_master WHERE type = 'table'"
        for (table,) in connection.execute(tables).fetchall():
            if table != "alembic_version":
                columns = f"SELECT name FROM pragma_table_info('{table}', 'main')"
                names = ", ".join(f'"{name}"' for (name,) in connection.execute(columns))
                connection.execute(
                    f"INSERT OR REPLACE INTO main.{table} ({names})"
                    f" SELECT {names} FROM young.{table}"
                )
