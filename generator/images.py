"""The pictures to start from as callers see them: taken, looked for, deleted."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import IO, Final

from generator.jobs.errors import (
    ChecksumMismatch,
    ImageTooLarge,
    InvalidImage,
    NoSuchImage,
)
from generator.jobs.uploads import Uploads
from generator.service import Service
from generator.tasks import Picture
from lookalike.imaging.decoder import Decoder
from lookalike.imaging.preparing import Form
from lookalike.imaging.refusals import MAX_PIXELS, ImageRefused, RefusalCode

_AT_ONCE: Final = 2
"""So many are in memory and decoded at a time; the others wait on the disk."""

_REASONS: Final[dict[RefusalCode, str]] = {
    "unsupported-format": "Send a JPEG, PNG or WebP file.",
    "image-too-costly": "To decode it takes more time or memory than any image needs.",
}


class Images:
    """The pictures that jobs may start from. Its methods raise OSError where the storage fails."""

    def __init__(
        self, uploads: Uploads, service: Service, killed: Callable[[], None] = lambda: None
    ) -> None:
        """Nobody has sent one yet.

        Args:
            uploads: where they are.
            service: says whether there is room on the disk.
            killed: see `Decoder`.
        """
        self._uploads = uploads
        self._service = service
        self._decoder = Decoder(Form.INIT, killed)
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def close(self) -> None:
        """Ends what it has started."""
        await self._decoder.close()

    async def put(self, sha256: str, file: IO[bytes]) -> bool:
        """Takes a JPEG, PNG or WebP file; the same again is used again.

        Args:
            sha256: of its bytes, in hex.
            file: at its beginning.

        Returns:
            Whether it is new; after return it survives a power cut.

        Raises:
            ChecksumMismatch: it has another checksum.
            InvalidImage: it is no image.
            ImageTooLarge: it has too many pixels.
            OSError: also while a picture waits for room on the disk.
        """
        self._service.check_disk()
        async with self._turns:
            data = await asyncio.to_thread(_read, file, sha256)
            if await self._uploads.renew(sha256):
                return False
            try:
                prepared = await self._decoder.prepare(data)
            except ImageRefused as error:
                if error.code == "image-too-large":
                    raise ImageTooLarge(MAX_PIXELS) from None
                reason = _REASONS.get(error.code, "It is broken or cut off.")
                raise InvalidImage(reason) from None
        picture = Picture(prepared.data, prepared.width, prepared.height)
        return await self._uploads.add(sha256, picture)

    async def check(self, sha256: str) -> None:
        """Raises NoSuchImage if it is not there."""
        if not await self._uploads.find(sha256):
            raise NoSuchImage

    async def delete(self, sha256: str) -> None:
        """Deletes it.

        Raises:
            NoSuchImage: it is not there.
            ImageInUse: an unfinished job is to start from it.
        """
        await self._uploads.delete(sha256)


def _read(file: IO[bytes], sha256: str) -> bytes:
    data = file.read()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ChecksumMismatch
    return data
