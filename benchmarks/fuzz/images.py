"""Photos: whatever the bytes are, they become a photo or a refusal within bounds."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

from PIL import Image

from benchmarks.fuzz.mutations import mutated
from benchmarks.fuzz.target import Broken, Throw
from lookalike.imaging.decoder import WALL_SECONDS, Decoder
from lookalike.imaging.preparing import KEPT_SIDE
from lookalike.imaging.refusals import ImageRefused

_GRACE: Final = 2.0
"""Seconds beyond the decoder's own bound, in which an answer must be there."""


@asynccontextmanager
async def opened(_folder: Path) -> AsyncIterator[Throw]:
    """The decoder of photos."""
    decoder = Decoder()
    files = seeds()

    async def throw(dice: Random) -> None:
        case = mutated(dice, files)
        try:
            async with asyncio.timeout(WALL_SECONDS + _GRACE):
                prepared = await decoder.prepare(case)
        except ImageRefused:
            return
        except TimeoutError:
            raise Broken("no answer in time", case) from None
        with Image.open(io.BytesIO(prepared.data)) as image:
            if image.format != "JPEG" or max(image.size) > KEPT_SIDE or image.info.get("exif"):
                raise Broken(f"kept as {image.format}, {image.size}", case)

    try:
        yield throw
    finally:
        await decoder.close()


def seeds() -> list[bytes]:
    """A file of each kind."""
    image = Image.linear_gradient("L").resize((120, 90)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    options: list[tuple[str, dict[str, object]]] = [
        ("JPEG", {"exif": exif}),
        ("JPEG", {"progressive": True}),
        ("PNG", {"exif": exif}),
        ("WEBP", {"exif": exif}),
        ("WEBP", {"lossless": True}),
    ]
    found = []
    for kind, option in options:
        file = io.BytesIO()
        image.save(file, kind, **option)
        found.append(file.getvalue())
    return found
