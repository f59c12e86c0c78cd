"""A file that is thrown away when the disk is full, so that a database can still write.

Others write to the disk as well: logs, other programs. A database that finds it full could neither
record that somebody cancels nor that somebody was told. So it keeps some room in a file's shape.
"""

import logging
import os
import shutil
import time
from pathlib import Path
from typing import Final

BYTES: Final = 8 * 1024 * 1024
"""What a database rewrites in place and in its journal is far less."""

_ROOM = 4
"""The ballast is taken in again once there is so many times its room."""

_PAUSE_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Ballast:
    """The file beside a database; only one thread at a time uses it."""

    def __init__(self, database: Path) -> None:
        """For the database in this file; nothing is done yet."""
        self._path = database.with_name(f"{database.name}.ballast")
        self._look_at = 0.0  # monotonic seconds
        self._told = False

    def take_in(self) -> None:
        """Makes the file if it is not there and there is plenty of room; looks now and then."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _PAUSE_SECONDS
        try:
            if self._path.exists() and self._path.stat().st_size == BYTES:
                return
            if shutil.disk_usage(self._path.parent).free >= _ROOM * BYTES:
                self._make()
        except OSError as error:
            if not self._told:
                _log.warning("There is no ballast beside the database: %s", error)
            self._told = True

    def throw_away(self) -> bool:
        """Gives its room to the database; False: there is none to give."""
        self._look_at = time.monotonic() + _PAUSE_SECONDS
        try:
            self._path.unlink()
        except OSError:
            return False
        _log.error("The disk is full: the database goes on with its last %d MiB.", BYTES >> 20)
        return True

    def _make(self) -> None:
        with self._path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, BYTES)
            else:
                file.write(bytes(BYTES))
