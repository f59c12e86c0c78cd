"""The bytes of photos and pictures: one file each in one folder, named by the row's id."""

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from dbservice.errors import Reason, ServiceError
from lookalike.errors import StartError
from lookalike.files import sync_folder

CHUNK_SIZE = 256 * 1024
"""Bytes in a chunk that is read back."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Draft:
    """Bytes on their way in. They are nobody's until they are published.

    It is made and discarded on the event loop, for a cancelled call waits for no thread; every
    byte is written by one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        with _explained():
            self._file = path.open("xb")

    async def write(self, chunk: bytes) -> None:
        """Appends a chunk.

        Raises:
            ServiceError: the disk is full or away.
        """
        await asyncio.to_thread(self._write, chunk)

    async def seal(self) -> str:
        """Brings the bytes to the disk; after it nothing may be written.

        Returns:
            Their sha256 in lower-case hexadecimal.

        Raises:
            ServiceError: the disk is full or away.
        """
        await asyncio.to_thread(self._seal)
        return self._hash.hexdigest()

    def publish(self, key: str) -> None:
        """Gives the sealed bytes their name, in place of what had it; it survives a power cut.

        It blocks on the disk and belongs in a thread: the transaction's.

        Raises:
            ServiceError: the disk is full or away.
        """
        folder = self._path.parent.parent
        with _explained():
            self._path.replace(folder / key)
            sync_folder(folder)

    def discard(self) -> None:
        """Removes what is left of the draft; published bytes stay."""
        with suppress(OSError):  # it tries once more to write what the disk did not take
            self._file.close()
        with _explained():
            self._path.unlink(missing_ok=True)

    def _write(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        with _explained():
            self._file.write(chunk)

    def _seal(self) -> None:
        with _explained():
            self._file.flush()
            os.fsync(self._file.fileno())


class Blobs:
    """The store of bytes. Keys are ids: letters, digits and hyphens."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder into use; drafts that a crash left there are removed.

        Raises:
            StartError: the folder cannot be made or read.
        """
        self._folder = folder
        self._drafts = folder / "drafts"
        try:
            self._drafts.mkdir(parents=True, exist_ok=True)
            for draft in self._drafts.iterdir():
                draft.unlink()
            sync_folder(folder)
            sync_folder(folder.parent)
        except OSError as error:
            reason = error.strerror or error
            raise StartError(f"The folder of pictures {folder} cannot be used: {reason}.") from None

    @asynccontextmanager
    async def draft(self) -> AsyncIterator[Draft]:
        """A new draft, gone at the end unless it was published.

        Raises:
            ServiceError: the disk is full or away.
        """
        draft = Draft(self._drafts / uuid4().hex)
        try:
            yield draft
        finally:
            draft.discard()

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """The bytes of this key, in chunks.

        Raises:
            ServiceError: NOT_FOUND, or the disk is away.
        """
        offset = 0
        while chunk := await asyncio.to_thread(self._read, key, offset):
            yield chunk
            offset += len(chunk)

    async def remove(self, keys: Iterable[str]) -> None:
        """Removes the bytes of these keys where there are any; after return they stay gone.

        Raises:
            ServiceError: the disk is away.
        """
        await asyncio.to_thread(self._remove, keys)

    def _read(self, key: str, offset: int) -> bytes:
        with _explained():
            try:
                file = (self._folder / key).open("rb")
            except FileNotFoundError:
                raise ServiceError(Reason.NOT_FOUND, "There are no such bytes.") from None
            with file:
                file.seek(offset)
                return file.read(CHUNK_SIZE)

    def _remove(self, keys: Iterable[str]) -> None:
        with _explained():
            for key in keys:
                (self._folder / key).unlink(missing_ok=True)
            sync_folder(self._folder)


@contextmanager
def _explained() -> Iterator[None]:
    """Turns what the file system says into what the contract says."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise ServiceError(Reason.DISK_FULL, "The disk for pictures is full.") from error
        raise ServiceError(Reason.STORAGE_UNAVAILABLE, "The bytes cannot be reached.") from error
