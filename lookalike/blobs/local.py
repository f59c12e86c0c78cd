"""Bytes in a folder of this machine."""

import asyncio
import errno
import itertools
import os
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import IO
from uuid import uuid4

from lookalike import disk
from lookalike.blobs import CHUNK_BYTES, is_key, key_of, variants
from lookalike.errors import StartError
from lookalike.files import sync_folder

_DRAFTS = "drafts"

_DRAFT_SECONDS = 3600.0
"""Others may be writing to the same folder; a draft that nobody wrote to for so long is dead."""


class LocalBlobs:
    """A folder. The first digit of an owner's id names a folder in it, to keep each small.

    Bytes are written as a draft, synced, and then renamed to their key. A disk is full before its
    last byte is used (lookalike/disk.py).
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        """Makes the folder, if it is missing, and deletes old drafts, which a crash has left.

        Args:
            folder: of the bytes; other processes may store and delete there as well.
            read_only: changes nothing there.

        Raises:
            StartError: it cannot be made or read.
        """
        self._folder = folder
        self._drafts = folder / _DRAFTS
        if read_only:
            return
        try:
            self._drafts.mkdir(parents=True, exist_ok=True)
            for digit in "0123456789abcdef":  # now, as one made later is a sync more for an upload
                (folder / digit).mkdir(exist_ok=True)
            self._tidy()
            sync_folder(folder)
            sync_folder(folder.parent)
        except OSError as error:
            reason = error.strerror or error
            raise StartError(f"The folder {folder} cannot be used: {reason}.") from None

    async def put(self, key: str, parts: AsyncIterable[bytes]) -> None:
        """Stores bytes; see `Blobs.put`."""
        if disk.is_full(self._folder):
            raise OSError(errno.ENOSPC, "what is left is the databases'", str(self._folder))
        draft = self._drafts / uuid4().hex
        # Opened and removed on the event loop, as a cancelled call waits for no thread.
        file = draft.open("xb")
        try:
            async for part in parts:
                await asyncio.to_thread(file.write, part)
            await asyncio.to_thread(self._publish, file, draft, self._folder / key)
        finally:
            _discard(file, draft)

    async def open(self, key: str) -> AsyncGenerator[bytes]:
        """The bytes of a key; see `Blobs.open`."""
        # Opened on the event loop, as a cancelled call would leave open what a thread then opens.
        with (self._folder / key).open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk

    async def missing(self, keys: Iterable[str]) -> set[str]:
        """Those without bytes; see `Blobs.missing`."""
        asked = tuple(keys)
        return await asyncio.to_thread(
            lambda: {key for key in asked if not (self._folder / key).is_file()}
        )

    async def delete(self, keys: Iterable[str]) -> None:
        """Deletes bytes; see `Blobs.delete`."""
        await asyncio.to_thread(self._delete, tuple(keys))

    async def list(self, older_than: float = 0.0) -> AsyncIterator[str]:
        """All keys; see `Blobs.list`. The folders are read one after the other, off the loop."""
        before = time.time() - older_than
        folders = await asyncio.to_thread(lambda: [self._folder, *_folders(self._folder)])
        for folder in folders:
            for path in await asyncio.to_thread(_files, folder, before):
                name = path.relative_to(self._folder).as_posix()
                key = key_of(name)
                if key != name and (self._folder / key).exists():
                    continue
                if is_key(key):
                    yield key

    async def tidy(self) -> None:
        """Deletes old drafts."""
        await asyncio.to_thread(self._tidy)

    def _tidy(self) -> None:
        for draft in _files(self._drafts, time.time() - _DRAFT_SECONDS):
            draft.unlink(missing_ok=True)

    def _publish(self, file: IO[bytes], draft: Path, target: Path) -> None:
        file.flush()
        os.fsync(file.fileno())
        draft.rename(target)
        sync_folder(target.parent)

    def _delete(self, keys: Sequence[str]) -> None:
        # The bytes go first: whoever makes a variant meanwhile looks for them once more.
        for name in (*keys, *itertools.chain.from_iterable(map(variants, keys))):
            (self._folder / name).unlink(missing_ok=True)
        for folder in {(self._folder / key).parent for key in keys}:
            if folder.exists():
                sync_folder(folder)


def _discard(file: IO[bytes], draft: Path) -> None:
    try:
        file.close()
    except OSError:
        pass  # it tries once more to write what the disk did not take
    finally:
        draft.unlink(missing_ok=True)


def _folders(folder: Path) -> Sequence[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and path.name != _DRAFTS]


def _files(folder: Path, before: float) -> Sequence[Path]:
    with os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if _is_older(entry, before)]


def _is_older(entry: os.DirEntry[str], before: float) -> bool:
    try:
        return entry.is_file() and entry.stat().st_mtime <= before
    except FileNotFoundError:
        return False  # deleted meanwhile
