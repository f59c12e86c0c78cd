"""The database that is backed up, as it is while it may be in use: a file, or on a server."""

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO, Protocol

from sqlalchemy import Engine, select

from dbservice.backups.places import copied
from dbservice.backups.snapshot import TABLES, connect
from dbservice.burying import OF_A_DATABASE
from dbservice.models import Generation, Photo
from dbservice.store import MIGRATIONS
from lookalike.database import backend_of, create_engine, usable
from lookalike.errors import StartError
from lookalike.migrations import is_newest, upgraded
from lookalike.sqlite import create_draft_engine, path_of

_BLOCK = 1 << 20
_BATCH = 1000  # rows of the live database that are read at a time


class Live(Protocol):
    """What is asked of such a database."""

    name: str

    async def take(self, copy: Path) -> None:
        """Makes a SQLite file of all rows as they are at one moment, or has an older one be so.

        Raises:
            StartError: there are none, or they are of another version.
            OSError: the disk is full or fails.
            sqlite3.Error: likewise, or the database is none.
        """

    async def has_lost(self, copy: Path) -> bool:
        """Whether it has lost a row since it was copied, or bytes that a row named."""


class LiveFile:
    """A SQLite file that another process may write to."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    async def take(self, copy: Path) -> None:
        """Copies the file.

        With a rollback journal nobody commits while somebody reads. So most is copied without a
        lock, whatever comes of it, and what has changed meanwhile is copied while the file stands
        still, which takes half a second for a gigabyte. With a WAL nobody waits for a reader.
        """
        if not self._path.exists():
            raise StartError(f"There is no database {self._path}, hence nothing to back up.")
        await asyncio.to_thread(self._take, copy)

    async def has_lost(self, copy: Path) -> bool:
        """See `Live.has_lost`."""
        return await asyncio.to_thread(self._has_lost, copy)

    def _take(self, copy: Path) -> None:
        with (
            # Unbuffered, to be read twice; closed last, as that drops SQLite's locks on the file.
            self._path.open("rb", buffering=0) as original,
            os.fdopen(os.open(copy, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as target,
            closing(connect(self._path)) as connection,
        ):
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            if mode == "wal":
                with closing(sqlite3.connect(copy)) as into:
                    connection.backup(into)
                return
            _copy_changed(original, target)
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes the lock
            _copy_changed(original, target)

    def _has_lost(self, copy: Path) -> bool:
        with closing(connect(self._path)) as now, closing(connect(copy)) as then:
            for table in TABLES:
                rows = then.execute(f"SELECT id, image_key FROM {table}")  # noqa: S608, our own names
                while batch := rows.fetchmany(_BATCH):
                    wanted = json.dumps([row[0] for row in batch])
                    left = dict(
                        now.execute(
                            f"SELECT id, image_key FROM {table}"  # noqa: S608, likewise
                            " WHERE id IN (SELECT value FROM json_each(?))",
                            (wanted,),
                        )
                    )
                    if _are_lost(batch, left):
                        return True
        return False


class LiveServer:
    """A PostgreSQL database that dbservices may be working with; it must have the newest tables."""

    def __init__(self, url: str) -> None:
        self._url = url
        engine = create_engine(url)  # connects when it is asked to
        self.name = backend_of(engine).named(engine)

    async def take(self, copy: Path) -> None:
        """Copies all rows, which holds nobody up, to a file that is made anew."""
        for suffix in OF_A_DATABASE:
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        file = create_draft_engine(copy)
        try:
            with self._connected() as engine, backend_of(engine).reading(engine) as rows:
                if not is_newest(rows, MIGRATIONS):
                    raise StartError(
                        f"The tables of {self.name} are not of this version: start dbservice once."
                    )
                with usable(file), upgraded(file, MIGRATIONS) as target:
                    await copied(rows, target)
        finally:
            file.dispose()

    async def has_lost(self, copy: Path) -> bool:
        """See `Live.has_lost`."""
        with (
            self._connected() as engine,
            engine.connect() as now,
            closing(connect(copy)) as then,
        ):
            for table in (Photo, Generation):
                rows = then.execute(f"SELECT id, image_key FROM {table.__tablename__}")  # noqa: S608, our own names
                while batch := rows.fetchmany(_BATCH):
                    wanted = table.id.in_([row[0] for row in batch])
                    left = now.execute(select(table.id, table.image_key).where(wanted))
                    if _are_lost(batch, {row.id: row.image_key for row in left}):
                        return True
                    now.rollback()  # the next ones may be newer
                    await asyncio.sleep(0)  # so that it can be stopped
        return False

    @contextmanager
    def _connected(self) -> Iterator[Engine]:
        engine = create_engine(self._url)
        try:
            with usable(engine):
                yield engine
        finally:
            engine.dispose()


def live_database(url: str) -> Live:
    """The database that an address names."""
    if url.startswith("sqlite:"):
        return LiveFile(path_of(url))
    return LiveServer(url)


def _copy_changed(original: RawIOBase, target: BinaryIO) -> None:
    original.seek(0)
    target.seek(0)
    while block := original.read(_BLOCK):
        position = target.tell()
        if target.read(len(block)) != block:
            target.seek(position)
            target.write(block)
            target.flush()
    target.truncate(original.tell())


def _are_lost(rows: Sequence[tuple[str, str | None]], left: Mapping[str, str | None]) -> bool:
    return any(row not in left or key not in {None, left[row]} for row, key in rows)
