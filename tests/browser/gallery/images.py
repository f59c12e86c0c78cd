"""Photos, and pictures that look like what might be painted from them; made once each."""

import io
from functools import cache

from PIL import Image, ImageOps

from tests.docs.documents import ROOT

_SAMPLES = sorted((ROOT / "sandbox" / "page" / "assets" / "samples").glob("*.jpg"))

KINDS = 24
"""So many pictures differ."""

SIZES = ((512, 512), (448, 576), (576, 448))


def size(kind: int) -> tuple[int, int]:
    """Width and height of a picture in pixels."""
    return SIZES[kind % len(SIZES)]


@cache
def photo(kind: int) -> bytes:
    """The photo, JPEG, in the proportions of its picture."""
    return _encoded(_photo(kind), "JPEG")


@cache
def picture(kind: int) -> bytes:
    """The picture, PNG."""
    return _encoded(_picture(kind), "PNG")


@cache
def thumbnail(kind: int) -> bytes:
    """The picture at 320 pixels on its longer side, WebP."""
    image = _picture(kind)
    image.thumbnail((320, 320))
    return _encoded(image, "WEBP")


def _photo(kind: int) -> Image.Image:
    width, height = size(kind)
    with Image.open(_SAMPLES[kind % len(_SAMPLES)]) as image:
        return ImageOps.fit(image.convert("RGB"), (2 * width, 2 * height))


def _picture(kind: int) -> Image.Image:
    """In a few flat colours, other ones for each kind."""
    image = ImageOps.fit(_photo(kind), size(kind))
    hue, saturation, value = ImageOps.posterize(image, 3).convert("HSV").split()
    turned = hue.point(lambda at: (at + kind * 256 // KINDS) % 256)
    richer = saturation.point(lambda at: min(255, at + 70))
    return Image.merge("HSV", (turned, richer, value)).convert("RGB")


def _encoded(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()
