"""Updates that nobody can decode, kept for whoever wants to see why."""

import asyncio
import logging
import re
from pathlib import Path
from typing import Final

MOST_FILES: Final = 100
MOST_BYTES: Final = 256 * 1024
"""Of one file; a longer update is cut off."""

_log = logging.getLogger(__name__)


class KeptUpdates:
    """A folder with the last few, a file each that only its owner may read."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when it is needed."""
        self._folder = folder

    async def keep(self, update_id: int | None, data: bytes, reason: str) -> None:
        """Keeps an update as it came, and says so in one line; a full disk does not matter.

        Of those without a number, the last is kept.
        """
        number = "without a number" if update_id is None else str(update_id)
        path = self._folder / f"{number.replace(' ', '-')}.json"
        try:
            await asyncio.to_thread(self._write, path, data[:MOST_BYTES])
        except OSError as error:
            fate = f"it cannot be kept either: {error.strerror or error}"
        else:
            fate = f"it is kept as {path}"
        _log.warning("Update %s is passed over, being none (%s); %s.", number, reason, fate)

    async def forget(self, user_id: int) -> None:
        """Deletes the updates in which a user's id is.

        Raises:
            OSError: the disk fails.
        """
        await asyncio.to_thread(self._forget, re.compile(rb"(?<!\d)%d(?!\d)" % user_id))

    def _forget(self, named: re.Pattern[bytes]) -> None:
        for path in self._folder.glob("*.json"):
            if named.search(path.read_bytes()):
                path.unlink()

    def _write(self, path: Path, data: bytes) -> None:
        # Not synced: it is worth nobody's wait.
        self._folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(data)
        oldest_first = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        for file in oldest_first[:-MOST_FILES]:
            file.unlink()
