"""Where the rows are, as far as dbservice has to know: in a file of its own, or on a server.

A file has copies beside it, a log and a disk; with a server there may be other dbservices.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from dbservice.burying import bury, bury_in_copies, remove_draft
from dbservice.settings import DbserviceSettings
from dbservice.store import Store
from dbservice.tombstones import Tombstones
from dbservice.transactions import burial, deletions
from lookalike.errors import StartError
from lookalike.sqlite import path_of


class Rows(Protocol):
    """What a place of the rows has of its own."""

    @property
    def folders(self) -> Sequence[Path]:
        """Folders whose disk they fill."""

    async def bury(self) -> None:
        """Forgets whom an older database has that was put in place by hand.

        Raises:
            StartError: it cannot be read or written, or its tombstones are of another key.
        """

    async def forget_elsewhere(self) -> None:
        """Has what was deleted nowhere else.

        Raises:
            OSError: the disk fails.
        """

    async def maintain(self, *, certain: bool) -> None:
        """What is to be done now and then; `certain`: the clock is to be believed.

        Raises:
            OSError: the disk or the database fails.
        """


class FileRows:
    """A SQLite file of this process alone, with copies from before upgrades beside it."""

    def __init__(self, path: Path, store: Store, tombstones: Tombstones) -> None:
        self._path = path
        self._store = store
        self._tombstones = tombstones
        self.folders = (path.parent,)

    async def bury(self) -> None:
        """Likewise."""
        try:
            remove_draft(self._path)
            keys = await asyncio.to_thread(bury, self._path, self._tombstones)
            await self._store.transact(deletions.note, keys)
        except (OSError, sqlite3.Error) as error:
            raise StartError(f"The database {self._path} cannot be used: {error}.") from error

    async def forget_elsewhere(self) -> None:
        """Neither in SQLite's log nor in a copy."""
        await self._store.truncate_log()
        await asyncio.to_thread(bury_in_copies, self._path, self._tombstones)

    async def maintain(self, *, certain: bool) -> None:
        """Removes old copies."""
        if certain:
            await self._store.remove_old_copies()


class ServerRows:
    """A PostgreSQL database, which other dbservices may serve as well."""

    folders: Sequence[Path] = ()

    def __init__(self, store: Store, tombstones: Tombstones, file_at_home: Path) -> None:
        self._file_at_home = file_at_home
        self._store = store
        self._tombstones = tombstones

    async def bury(self) -> None:
        """Likewise; and removes what a restore that was cut short has left at home."""
        try:
            remove_draft(self._file_at_home)
            known_key = await self._store.transact(burial.agree, self._tombstones.fingerprint)
            if not known_key:
                raise StartError(
                    "The database was begun with another home's forgotten-key: copy that file to "
                    "this LOOKALIKE_HOME before the first start."
                )
            await self._bury()
        except OSError as error:
            raise StartError(f"{error.strerror or error}.") from error

    async def forget_elsewhere(self) -> None:
        """There is nothing else: copies are whoever's that made them."""

    async def maintain(self, *, certain: bool) -> None:
        """Learns whom the others have forgotten, so that no older database brings them back."""
        del certain
        await self._bury()

    async def _bury(self) -> None:
        there = await self._store.transact(burial.bury, self._tombstones)
        await asyncio.to_thread(self._tombstones.add, there)


def rows_at(settings: DbserviceSettings, store: Store, tombstones: Tombstones) -> Rows:
    """The place that the settings name."""
    if settings.database.startswith("sqlite:"):
        return FileRows(path_of(settings.database), store, tombstones)
    return ServerRows(store, tombstones, settings.file_at_home)
