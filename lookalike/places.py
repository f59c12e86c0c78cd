"""A process's name in leases, and how its successor on the same machine learns that it is dead.

A process takes the first free place in the home folder, by a lock that ends with it, however it
ends. The place says who had it before: whose lock is gone is dead, and what it held can be freed at
once, long before its leases run out. Nothing is known of other machines' processes that way.
"""

import fcntl
import os
import secrets
import socket
from pathlib import Path
from typing import IO

from lookalike.errors import StartError
from lookalike.files import lock_file, write_durably


class Place:
    """A place that is taken until it is closed.

    Attributes:
        holder: the name of who has it, which no other process has or had.
        before: the name of who had it before, and is dead; None: nobody had.
    """

    def __init__(self, lock: IO[bytes], path: Path) -> None:
        self.holder = new_holder()
        self.before = _read(path)
        self._lock = lock
        self._path = path

    def sign(self) -> None:
        """Leaves the holder's name to whoever comes next; what was held before is free by now.

        Raises:
            OSError: the disk fails.
        """
        write_durably(self._path, self.holder.encode())

    def close(self) -> None:
        """Gives the place up."""
        self._lock.close()


def new_holder() -> str:
    """A name for this process that no other one has or had."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(8)}"


def take(folder: Path, service: str) -> Place:
    """Takes a service's first free place.

    Args:
        folder: the home, which is this machine's alone; it is made if it is missing.
        service: which one the process is of.

    Raises:
        StartError: it cannot be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = 0
        while (lock := _lock(folder / f"{service}-{number}.lock")) is None:
            number += 1
        return Place(lock, folder / f"{service}-{number}")
    except OSError as error:
        reason = error.strerror or error
        raise StartError(f"The folder {folder} cannot be used: {reason}.") from error


def _lock(path: Path) -> IO[bytes] | None:
    """The locked file; None: another process has it."""
    file = lock_file(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        if isinstance(error, BlockingIOError):
            return None
        raise
    return file


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace") or None
    except FileNotFoundError:
        return None
