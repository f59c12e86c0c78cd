"""Where rows come to, an empty database; and where they are moved from, one that nobody serves."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import Connection, Table, exists, select

from dbservice.burying import OF_A_DATABASE, draft_of, remove_draft
from dbservice.models import Base, Epoch, ForgottenKey, KeptOfAll, WallClock
from dbservice.settings import DbserviceSettings
from dbservice.store import MIGRATIONS
from lookalike import tables
from lookalike.database import backend_of, create_engine, usable
from lookalike.errors import StartError
from lookalike.files import sync_folder
from lookalike.migrations import is_newest, migrate, upgraded
from lookalike.sqlite import create_draft_engine, lock, path_of

_BY_A_START: Final = {each.__tablename__ for each in (Epoch, ForgottenKey, KeptOfAll, WallClock)}
"""The tables that have rows once a service has begun on them, though nobody has sent anything."""


class Place(Protocol):
    """An empty database that is this process's alone, until rows are there: all, or none.

    Attributes:
        name: which one it is, in a sentence.
        draft: a SQLite file for rows on their way; it is removed with what belongs to it.
    """

    name: str
    draft: Path

    async def fill(self, rows: Connection) -> int:
        """Puts all rows of another database there, and says how many these are."""

    async def take_draft(self) -> None:
        """Puts the rows of the draft there."""


class _File:
    """A SQLite file that is not there yet."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.draft = draft_of(path)
        self._path = path

    async def fill(self, rows: Connection) -> int:
        """By way of the draft."""
        os.close(os.open(self.draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        engine = create_draft_engine(self.draft)
        try:
            with usable(engine), upgraded(engine, MIGRATIONS) as target:
                count = await copied(rows, target)
        finally:
            engine.dispose()
        await self.take_draft()
        return count

    async def take_draft(self) -> None:
        """Renames it."""
        with self.draft.open("rb") as file:
            os.fsync(file.fileno())
        self.draft.rename(self._path)
        sync_folder(self._path.parent)


class _Server:
    """A PostgreSQL database without rows; those that come are there when the transaction ends."""

    def __init__(self, target: Connection, draft: Path) -> None:
        self.name = backend_of(target.engine).named(target.engine)
        self.draft = draft
        self._target = target

    async def fill(self, rows: Connection) -> int:
        """Row by row."""
        return await copied(rows, self._target)

    async def take_draft(self) -> None:
        """Likewise, once it has the newest tables."""
        engine = create_draft_engine(self.draft)
        try:
            migrate(engine, MIGRATIONS)
            with usable(engine), backend_of(engine).reading(engine) as rows:
                await self.fill(rows)
        finally:
            engine.dispose()


@contextmanager
def empty_place(url: str, settings: DbserviceSettings) -> Iterator[Place]:
    """Takes an empty database while the context lasts: no service begins on it.

    Raises:
        StartError: it is not empty, another process uses it, or it cannot be used.
    """
    if url.startswith("sqlite:"):
        path = path_of(url)
        with lock(path), _without_draft(path):
            _refuse_if_there(path)
            yield _File(path)
        return
    draft = draft_of(settings.file_at_home)
    with lock(draft), _without_draft(settings.file_at_home):
        engine = create_engine(url)
        try:
            with usable(engine), upgraded(engine, MIGRATIONS) as target:
                backend_of(engine).refuse_others(target)
                _refuse_if_filled(target)
                yield _Server(target, draft)
        finally:
            engine.dispose()


@contextmanager
def held(url: str) -> Iterator[Connection]:
    """All rows of a database, which nobody else writes to while the context lasts.

    Raises:
        StartError: there is none of this version, another process uses it, or it cannot be used.
    """
    if url.startswith("sqlite:") and not path_of(url).exists():
        raise StartError(f"There is no database {path_of(url)}, hence nothing to move.")
    engine = create_engine(url)
    backend = backend_of(engine)
    try:
        with usable(engine), backend.reading(engine, alone=True) as rows:
            backend.refuse_others(rows)
            if not is_newest(rows, MIGRATIONS):
                name = backend.named(engine)
                raise StartError(
                    f"The tables of {name} are not of this version: start dbservice once, and stop"
                    " it again."
                )
            yield rows
    finally:
        engine.dispose()


async def copied(rows: Connection, target: Connection) -> int:
    """Copies all rows, and says how many these are.

    Raises:
        StartError: what was written is not what is read back.
    """
    try:
        return await tables.copy(rows, target, Base.metadata.sorted_tables)
    except tables.DifferentError as error:
        raise StartError(
            f"The rows of {error} are not read back as they were; nothing was put in place."
        ) from None


@contextmanager
def _without_draft(path: Path) -> Iterator[None]:
    remove_draft(path)
    try:
        yield
    finally:
        remove_draft(path)


def _refuse_if_there(path: Path) -> None:
    for suffix in OF_A_DATABASE:
        there = path.with_name(path.name + suffix)
        if there.exists() and (not suffix or there.stat().st_size):
            message = "is there already: move it away, or name another place"
            raise StartError(f"{there} {message}.")


def _refuse_if_filled(target: Connection) -> None:
    for table in Base.metadata.sorted_tables:
        if table.name not in _BY_A_START and _has_rows(target, table):
            name = backend_of(target.engine).named(target.engine)
            raise StartError(f"{name} has rows already: name an empty database.")


def _has_rows(target: Connection, table: Table) -> bool:
    return bool(target.scalar(select(exists(select(1).select_from(table)))))
