"""Bytes by key: photos and pictures, apart from the rows that speak of them.

Bytes are stored first, under a new key, and then the row that names the key is committed. So a row
never speaks of bytes that are not there, a writer that lost its lease overwrites nobody's bytes,
and no transaction waits for a disk or a network. What a lost race or a crash leaves behind is in no
row: `list` finds it, and the owner of the rows deletes it.
"""

import asyncio
import errno
import itertools
import os
import re
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import IO, Final, Protocol
from uuid import uuid4

from lookalike import disk
from lookalike.errors import StartError
from lookalike.files import sync_folder

CHUNK_BYTES: Final = 256 * 1024
"""How much is read at a time."""

_DRAFTS = "drafts"

_KEY: Final = re.compile(
    r"([0-9a-f])/\1[0-9a-f-]*-\d+-[0-9a-f]{8}"
    # The first version had no folders in the folder, and named files by a row's id.
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-\d+\.png)?"
)
"""What keys look like. Other files are a stranger's: `list`, and so a sweep, leaves them alone."""

VARIANTS: Final = ("avif", "webp", "jpeg")
"""What may be kept of an image besides its own bytes, by names; see `variant`."""

_VARIANT: Final = re.compile(rf"(.+)\.(?:{'|'.join(VARIANTS)})")


def is_key(name: str) -> bool:
    """Whether this can be a key, and so no path to anywhere else."""
    return _KEY.fullmatch(name) is not None


def new_key(owner: str, fence: int) -> str:
    """A key that nobody has used.

    Args:
        owner: the id of the row that will name it, a UUID or a checksum in hex.
        fence: the writer's; it tells a person whose attempt left the bytes.
    """
    return f"{owner[:1]}/{owner}-{fence}-{secrets.token_hex(4)}"


def variant(key: str, name: str) -> str:
    """The key of what was made of a key's bytes, one of `VARIANTS`.

    No row names it: it is found by the key, deleted with the key, and can be made again.
    """
    return f"{key}.{name}"


class Blobs(Protocol):
    """A store of bytes. Every method raises OSError where the disk or the network fails."""

    async def put(self, key: str, parts: AsyncIterable[bytes]) -> None:
        """Stores bytes; after return they survive a power cut.

        What `parts` raises is passed on, and nothing is stored then.

        Args:
            key: a new one, by `new_key`, or the variant of one.
            parts: the bytes in pieces.
        """

    def open(self, key: str) -> AsyncGenerator[bytes]:
        """The bytes of a key, in pieces.

        Whoever may be cancelled closes it (`contextlib.aclosing`).

        Raises:
            FileNotFoundError: there are none.
        """

    async def missing(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that have no bytes."""

    async def delete(self, keys: Iterable[str]) -> None:
        """Deletes the bytes of these keys where there are any; after return they stay gone.

        So do their variants.
        """

    def list(self, older_than: float = 0.0) -> AsyncIterator[str]:
        """All keys whose bytes were stored at least so many seconds ago, in no order.

        Also those of which a variant alone is left.
        """


class LocalBlobs:
    """A folder. The first digit of an owner's id names a folder in it, to keep each small.

    Bytes are written as a draft, synced, and then renamed to their key. A disk is full before its
    last byte is used (lookalike/disk.py).
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        """Takes the folder for this process; drafts that a crash left there are deleted.

        Args:
            folder: of the bytes.
            read_only: leaves it to another process, which may store and delete meanwhile.

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
            for draft in self._drafts.iterdir():
                draft.unlink()
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
                key = path.relative_to(self._folder).as_posix()
                if of_variant := _VARIANT.fullmatch(key):
                    key = of_variant[1]
                    if (self._folder / key).exists():
                        continue
                if is_key(key):
                    yield key

    def _publish(self, file: IO[bytes], draft: Path, target: Path) -> None:
        file.flush()
        os.fsync(file.fileno())
        draft.rename(target)
        sync_folder(target.parent)

    def _delete(self, keys: Sequence[str]) -> None:
        paths = [self._folder / key for key in keys]
        # The bytes go first: whoever makes a variant meanwhile looks for them once more.
        for path in (*paths, *itertools.chain.from_iterable(map(_variants, paths))):
            path.unlink(missing_ok=True)
        for folder in {path.parent for path in paths}:
            if folder.exists():
                sync_folder(folder)


def _discard(file: IO[bytes], draft: Path) -> None:
    try:
        file.close()
    except OSError:
        pass  # it tries once more to write what the disk did not take
    finally:
        draft.unlink(missing_ok=True)


def _variants(path: Path) -> Sequence[Path]:
    return [path.with_name(variant(path.name, name)) for name in VARIANTS]


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
