"""Pictures: stored before a row names them, never changed, checked when read."""

import errno
import hashlib
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from generator.observers import Observer
from generator.tasks import Picture
from lookalike.blobs import Blobs, new_key

_KEY = re.compile(r"./.+-(\d+)-[0-9a-f]+")


@dataclass(frozen=True)
class StoredImage:
    """What a row says of its picture.

    Attributes:
        key: where its bytes are.
        width: pixels.
        height: pixels.
        sha256: of its bytes, in hex.
    """

    key: str
    width: int
    height: int
    sha256: str


class Results:
    """The bytes of pictures."""

    def __init__(self, blobs: Blobs, observers: Sequence[Observer]) -> None:
        """Pictures in a storage.

        Args:
            blobs: the storage.
            observers: are told of what cannot be deleted.
        """
        self._blobs = blobs
        self._observers = observers

    async def put(self, owner: str, fence: int, picture: Picture) -> StoredImage:
        """Stores a picture under a new key; after return it survives a power cut.

        Args:
            owner: the id of the row that will name it, a UUID or a checksum.
            fence: the writer's: its claim's, or its own as a Holder.
            picture: what to store.

        Raises:
            OSError: the storage does not take it.
        """
        key = new_key(owner, fence)
        await self._blobs.put(key, _parts(picture.png))
        digest = hashlib.sha256(picture.png).hexdigest()
        return StoredImage(key, picture.width, picture.height, digest)

    async def read(self, key: str, sha256: str) -> bytes:
        """The bytes of a picture.

        Args:
            key: where they are.
            sha256: of what was stored, in hex.

        Raises:
            FileNotFoundError: they are gone, or damaged.
            OSError: the storage fails.
        """
        png, digest = bytearray(), hashlib.sha256()
        async with aclosing(self._blobs.open(key)) as parts:
            async for part in parts:
                png += part
                digest.update(part)
        if digest.hexdigest() != sha256:
            raise FileNotFoundError(errno.ENOENT, "the picture is damaged", key)
        return bytes(png)

    async def find(self, key: str) -> bool:
        """Whether there are bytes of a picture, whole or not."""
        async with aclosing(self._blobs.open(key)) as parts:
            try:
                await anext(parts, None)
            except FileNotFoundError:
                return False
        return True

    async def discard(self, keys: Iterable[str]) -> None:
        """Deletes pictures that no row names; if that fails now, the sweep will do it."""
        try:
            await self._blobs.delete(keys)
        except OSError as error:
            for observer in self._observers:
                observer.storage_failed("delete a picture", error)

    async def stored(self, older_than: float) -> list[str]:
        """The keys of all pictures that were stored at least so many seconds ago.

        What is left of others that broke off is deleted.

        Raises:
            OSError: the storage fails.
        """
        await self._blobs.tidy()
        return [key async for key in self._blobs.list(older_than)]


def fence_of(key: str) -> int | None:
    """The fence of a picture's writer, by its key; None: the first version's keys have none."""
    match = _KEY.fullmatch(key)
    return None if match is None else int(match[1])


async def _parts(png: bytes) -> AsyncIterator[bytes]:
    yield png
