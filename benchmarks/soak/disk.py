"""A small disk that can be filled, where this process may mount one."""

import contextlib
import ctypes
import os
import subprocess
from pathlib import Path
from typing import Final, Self

_MEGABYTES: Final = 1024
_NEW_MOUNTS: Final = 0x00020000  # CLONE_NEWNS, unshare(2)
_SLICE: Final = 4 << 20


class SmallDisk:
    """A disk in memory with a file on it that takes all the room there is.

    It is mounted for this process and its children alone, and is gone with the last of them,
    whatever ends them.
    """

    def __init__(self, folder: Path) -> None:
        self._filler = folder / "filler"

    @classmethod
    def mount(cls, folder: Path) -> Self | None:
        """Mounts one there, before this process starts another; None: that is not allowed here."""
        folder.mkdir(parents=True, exist_ok=True)
        library = ctypes.CDLL(None, use_errno=True)
        if not hasattr(library, "unshare") or library.unshare(_NEW_MOUNTS):
            return None
        for arguments in (
            ("--make-rprivate", "/"),
            ("-t", "tmpfs", "-o", f"size={_MEGABYTES}m,mode=700", "soak", str(folder)),
        ):
            done = subprocess.run(("mount", *arguments), capture_output=True, check=False)
            if done.returncode:
                return None
        return cls(folder)

    def fill(self) -> None:
        """Leaves no room; to be called again and again, for others delete as well."""
        with self._filler.open("ab") as file, contextlib.suppress(OSError):
            while True:
                os.write(file.fileno(), bytes(_SLICE))  # its last part fills the last page
        with self._filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                os.write(file.fileno(), bytes(1 << 10))

    def free(self) -> None:
        """Makes room again."""
        self._filler.unlink(missing_ok=True)
