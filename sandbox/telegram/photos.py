"""Photos as Telegram makes them: upright JPEGs in several sizes, without metadata."""

import asyncio
import io
import logging
from dataclasses import dataclass

from PIL import Image, ImageOps

from lookalike.imaging.decoder import Decoder
from lookalike.imaging.refusals import ImageRefused
from sandbox.telegram.refusals import bad_request

MAX_PHOTO_BYTES = 10 * 1024 * 1024

_BOXES = (90, 320, 800, 1280)  # the longest side of the sizes s, m, x, y
_MAX_SIDES = 10_000  # width and height together
_MAX_RATIO = 20
_QUALITY = 87
_THUMBNAIL_SIDE = 320
_MAX_THUMBNAIL_BYTES = 200 * 1024  # core.telegram.org/bots/api#senddocument

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PhotoSize:
    """One size of a photo.

    Attributes:
        width: in pixels.
        height: in pixels.
        data: the JPEG.
    """

    width: int
    height: int
    data: bytes


def make_sizes(data: bytes) -> list[PhotoSize]:
    """A photo's sizes, smallest first; the last is the whole photo, 1,280 pixels at most.

    Raises:
        Refusal: it is too big, of impossible shape, or no image.
    """
    if not data:
        raise bad_request("file must be non-empty")
    if len(data) > MAX_PHOTO_BYTES:
        raise bad_request(
            f"file of size {len(data)} bytes is too big for a photo;"
            f" the maximum size is {MAX_PHOTO_BYTES} bytes"
        )
    upright = _decode(data)
    longest = max(upright.size)
    boxes = [box for box in _BOXES if box < longest][: len(_BOXES) - 1]
    return [_fit(upright, box) for box in (*boxes, min(longest, _BOXES[-1]))]


async def make_thumbnail(decoder: Decoder, data: bytes) -> PhotoSize | None:
    """The thumbnail that Telegram makes of a document that is an image.

    Returns:
        None, if it is no image of a kind that `decoder` knows, or costs too much.
    """
    try:
        prepared = await decoder.prepare(data)
    except (ImageRefused, OSError):
        return None
    return await asyncio.to_thread(lambda: _fit(_decode(prepared.data), _THUMBNAIL_SIDE))


def take_thumbnail(data: bytes) -> PhotoSize | None:
    """The thumbnail that a document came with, its bytes as they are.

    It has to be a JPEG of less than 200 kB and at most 320 pixels a side. One that is not is
    ignored, as Telegram ignores it: None.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            size, kind = image.size, image.format
    except Exception:  # noqa: BLE001, as above
        return None
    fits = max(size) <= _THUMBNAIL_SIDE and len(data) < _MAX_THUMBNAIL_BYTES
    return PhotoSize(*size, data) if fits and kind == "JPEG" else None


def _decode(data: bytes) -> Image.Image:
    """An upright image without transparency.

    Raises:
        Refusal: it is of impossible shape, or no image.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            size = image.size
            possible = sum(size) <= _MAX_SIDES and max(size) <= _MAX_RATIO * min(size)
            upright = _flatten(ImageOps.exif_transpose(image)) if possible else None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise bad_request("PHOTO_INVALID_DIMENSIONS") from None
    except Exception as error:  # noqa: BLE001, Pillow's decoders raise all kinds of errors
        _log.info("A photo could not be decoded: %r.", error)
        raise bad_request("IMAGE_PROCESS_FAILED") from None
    if upright is None:
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    return upright


def _flatten(image: Image.Image) -> Image.Image:
    """On white, since a JPEG has no transparency."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    colours = image.convert("RGBA")
    background = Image.new("RGBA", colours.size, "white")
    return Image.alpha_composite(background, colours).convert("RGB")


def _fit(image: Image.Image, box: int) -> PhotoSize:
    fitted = ImageOps.contain(image, (box, box)) if box < max(image.size) else image
    buffer = io.BytesIO()
    fitted.info = {}  # else Pillow writes a comment and more into the file
    fitted.save(buffer, "JPEG", quality=_QUALITY)
    return PhotoSize(fitted.width, fitted.height, buffer.getvalue())
