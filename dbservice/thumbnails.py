"""Thumbnails: made when somebody first asks for one, and kept beside the image that they show."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Final

from lookalike.blobs import Blobs, variant
from lookalike.imaging import thumbnails
from protos.lookalike.db.v1 import db_pb2 as db

_NAMES: Final[Mapping[db.ThumbnailFormat, str]] = {
    db.THUMBNAIL_FORMAT_AVIF: "avif",
    db.THUMBNAIL_FORMAT_WEBP: "webp",
    db.THUMBNAIL_FORMAT_JPEG: "jpeg",
}

_log = logging.getLogger(__name__)


class Thumbnails:
    """Makes and keeps them; an image that is deleted takes them along."""

    def __init__(self, blobs: Blobs) -> None:
        """They are kept in `blobs`, each as a variant of its image."""
        self._blobs = blobs
        self._making = asyncio.Semaphore(1)  # the other processor is for everything else

    async def get(
        self, key: str, image: db.ImageInfo, how: db.ThumbnailFormat
    ) -> tuple[db.ImageInfo, bytes]:
        """The thumbnail of an image, and its bytes.

        Args:
            key: of the image's bytes.
            image: the image.
            how: its format.

        Raises:
            FileNotFoundError: the image has no bytes any more, or broken ones.
            OSError: the disk fails.
        """
        name = _NAMES[how]
        kept = variant(key, name)
        try:
            data = await self._read(kept)
        except FileNotFoundError:
            async with self._making:
                data = await self._make(key, kept, name)
        width, height = thumbnails.size_of(image.width, image.height)
        info = db.ImageInfo(
            media_type=f"image/{name}",
            width=width,
            height=height,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        return info, data

    async def _make(self, key: str, kept: str, name: str) -> bytes:
        image = await self._read(key)
        try:
            data = await asyncio.to_thread(thumbnails.make, image, name)
        except ValueError as error:
            raise FileNotFoundError(str(error)) from error
        try:
            await self._blobs.put(kept, _parts(data))
        except OSError as error:
            _log.info("A thumbnail is not kept: %s.", error.strerror or error)
        if await self._blobs.missing([key]):  # it was deleted meanwhile
            await self._blobs.delete([key])
            raise FileNotFoundError(key)
        return data

    async def _read(self, key: str) -> bytes:
        async with aclosing(self._blobs.open(key)) as parts:
            return b"".join([part async for part in parts])


async def _parts(data: bytes) -> AsyncIterator[bytes]:
    yield data
