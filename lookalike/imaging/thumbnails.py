"""Thumbnails of images that are ours: checked when they came, or painted here."""

import io
from collections.abc import Mapping
from typing import Any, Final

from PIL import Image

from lookalike.imaging.refusals import MAX_PIXELS

SIDE: Final = 320
"""Pixels, at most: a third of a phone's width at three pixels a point."""

_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "avif": {"quality": 55, "speed": 8},
    "webp": {"quality": 75, "method": 4},
    "jpeg": {"quality": 80, "optimize": True, "progressive": True},
}
"""How each is encoded: about as good to look at, AVIF the smallest, JPEG for every browser."""


def size_of(width: int, height: int) -> tuple[int, int]:
    """The pixels of a thumbnail of an image with so many, which is never enlarged."""
    scale = min(1.0, SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def make(data: bytes, name: str) -> bytes:
    """A thumbnail of an image.

    Args:
        data: the image, a PNG or a JPEG of ours.
        name: `avif`, `webp` or `jpeg`.

    Raises:
        ValueError: the data are no image, or a broken one.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            size = size_of(image.width, image.height)
            if image.width * image.height > MAX_PIXELS:
                raise ValueError("the image is too large")
            image.draft("RGB", (2 * SIDE, 2 * SIDE))  # a JPEG is decoded smaller at once
            small = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    except (OSError, SyntaxError) as error:  # the library's words for what it cannot read
        raise ValueError("the image cannot be read") from error
    file = io.BytesIO()
    small.save(file, name, **_OPTIONS[name])
    return file.getvalue()
