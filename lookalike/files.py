"""Files that survive a power cut: written whole, synced, then renamed into place."""

import os
import tempfile
from pathlib import Path
from typing import IO

from lookalike.errors import StartError


def make_home(home: Path) -> None:
    """Makes LOOKALIKE_HOME, for its owner alone, if it is not there.

    Raises:
        StartError: it cannot be made.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        reason = error.strerror or error
        raise StartError(f"LOOKALIKE_HOME {home} cannot be used: {reason}.") from None


def lock_file(path: Path) -> IO[bytes]:
    """Opens a file for `fcntl.flock`; it stays empty and is never removed.

    Raises:
        StartError: it cannot be opened.
    """
    try:
        return path.open("ab")
    except OSError as error:
        reason = error.strerror or error
        raise StartError(f"{path} cannot be opened: {reason}.") from None


def write_durably(path: Path, data: bytes) -> None:
    """Writes `data` to `path` in place of what is there; after return it is on the disk.

    Readers see the old bytes or the new ones, never a part of them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove_durably(path: Path) -> None:
    """Removes the file if it is there; after return it stays gone."""
    path.unlink(missing_ok=True)
    if path.parent.exists():
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Syncs a folder's entries: what was made, renamed or removed in it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
