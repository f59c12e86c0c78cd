"""Computed pictures, as files: one folder, one file a picture, never changed."""

import errno
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from lookalike.errors import StartError
from lookalike.files import remove_durably, sync_folder, write_durably

_OURS = re.compile(r"[0-9a-f-]{36}-\d+\.png|\.draft-.*")


@dataclass(frozen=True)
class Committed:
    """What is recorded of a picture.

    Attributes:
        name: its file's.
        width: pixels.
        height: pixels.
        sha256: of its bytes, in hex.
    """

    name: str
    width: int
    height: int
    sha256: str


class Results:
    """The folder; every method blocks on the disk and belongs in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self, known: Collection[str]) -> None:
        """Makes the folder, and removes the pictures that no job knows: their commit was lost.

        Raises:
            StartError: the folder cannot be used.
        """
        try:
            if not self._folder.is_dir():
                self._folder.mkdir(parents=True)
                sync_folder(self._folder.parent)
            for path in self._folder.iterdir():
                if path.name not in known and _OURS.fullmatch(path.name):
                    path.unlink()
        except OSError as error:
            reason = error.strerror or error
            raise StartError(f"The results folder {self._folder}: {reason}.") from None

    def save(self, job_id: UUID, fence: int, png: bytes) -> str:
        """Writes a picture; after return it is on the disk. Gives back its file name."""
        name = f"{job_id}-{fence}.png"
        write_durably(self._folder / name, png)
        return name

    def read(self, name: str, sha256: str) -> bytes:
        """The picture's bytes.

        Args:
            name: as `save` gave it.
            sha256: of the picture that was saved, in hex.

        Raises:
            FileNotFoundError: it was removed, or is damaged.
        """
        png = (self._folder / name).read_bytes()
        if hashlib.sha256(png).hexdigest() != sha256:
            raise FileNotFoundError(errno.ENOENT, "the picture is damaged", name)
        return png

    def remove(self, name: str) -> None:
        """Removes a picture if it is there."""
        remove_durably(self._folder / name)
