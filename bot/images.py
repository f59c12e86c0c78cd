"""Photos as they come in, and as they are stored and sent on: one upright JPEG without metadata."""

import io
import logging
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image, ImageCms, ImageFile
from PIL.ExifTags import Base as Exif
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

RefusalCode = Literal[
    "unsupported-format",  # neither JPEG, PNG nor WebP
    "not-an-image",  # begins like one of these, but is broken or cut off
    "image-too-small",  # a side has fewer than MIN_SIDE pixels
    "image-too-large",  # more than MAX_PIXELS pixels, or a side longer than MAX_SIDE
]
"""Why an image is refused; docs/errors.md has them too."""

MIN_SIDE: Final = 50
"""Pixels; Azure AI Vision's lower bound."""

MAX_SIDE: Final = 16_000
"""Pixels; Azure AI Vision's upper bound."""

MAX_PIXELS: Final = 40_000_000

MAX_BYTES: Final = 20 * 1024 * 1024
"""Of what comes out; Azure AI Vision's bound."""

MEDIA_TYPE: Final = "image/jpeg"

_QUALITIES: Final = (92, 80, 60, 40)
"""Lower ones only for images that would be over MAX_BYTES, such as 40 million pixels of noise."""

# Decoders are chosen here and not by Image.open, which tries every format that it knows, and only
# warns of decompression bombs where we refuse.
_DECODERS: Final[tuple[tuple[int, bytes, type[ImageFile.ImageFile]], ...]] = (
    (0, b"\xff\xd8\xff", JpegImageFile),
    (0, b"\x89PNG\r\n\x1a\n", PngImageFile),
    (8, b"WEBPVP8", WebPImageFile),
)

_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns an image upright, by its EXIF orientation (EXIF 2.32, tag 0x0112)."""

_log = logging.getLogger(__name__)


class ImageRefused(Exception):
    """The image cannot be used.

    Attributes:
        code: why, one of `RefusalCode`.
    """

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(code)
        self.code: RefusalCode = code


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image fit to be stored and shown to a captioner.

    Attributes:
        data: the JPEG file: sRGB or grey, upright, with no metadata, at most MAX_BYTES long.
        media_type: image/jpeg.
        width: pixels, as it is looked at.
        height: pixels, as it is looked at.
    """

    data: bytes
    media_type: str
    width: int
    height: int


def prepare(data: bytes) -> Prepared:
    """Checks a JPEG, PNG or WebP file and makes it anew from its pixels alone.

    Of an animation the first frame is taken; what is transparent becomes white. This takes up to a
    few seconds and some hundred megabytes, so it belongs on a thread.

    Raises:
        ImageRefused: it is no such file, is broken, or is too small or too large. The size is
            checked before a pixel is decoded.
    """
    try:
        image = _open(data)
        _check_size(*image.size)
        image.load()
        upright = _turn_upright(image)
        return _encode(_to_srgb(_flatten(upright), image.info.get("icc_profile")))
    except (ImageRefused, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise ImageRefused("image-too-large") from None
    except Exception as error:  # noqa: BLE001, a broken file makes Pillow raise nearly anything
        _log.info("An image cannot be decoded: %s: %s", type(error).__name__, error)
        raise ImageRefused("not-an-image") from None


def _open(data: bytes) -> ImageFile.ImageFile:
    """Reads the header."""
    for offset, magic, decoder in _DECODERS:
        if data.startswith(magic, offset):
            return decoder(io.BytesIO(data))
    raise ImageRefused("unsupported-format")


def _check_size(width: int, height: int) -> None:
    if min(width, height) < MIN_SIDE:
        raise ImageRefused("image-too-small")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise ImageRefused("image-too-large")


def _turn_upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(Exif.Orientation)
    except Exception as error:  # noqa: BLE001, broken EXIF does not make the pixels unusable
        _log.info("EXIF that cannot be read is ignored: %s", error)
        return image
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _flatten(image: Image.Image) -> Image.Image:
    """The image as grey, RGB or CMYK, 8 bits a channel, with white where it was transparent."""
    if image.mode.startswith("I"):  # 16-bit grey, which convert() would clip
        return image.point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image)
        return white
    return image if image.mode in {"L", "RGB", "CMYK"} else image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours as sRGB; a profile that is broken or of another colour space is ignored."""
    if profile:
        try:
            transform = ImageCms.ImageCmsTransform(
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
                image.mode,
                "RGB",
            )
            return transform.apply(image)
        except (ImageCms.PyCMSError, OSError, ValueError) as error:
            _log.info("A colour profile that cannot be used is ignored: %s", error)
    return image.convert("RGB") if image.mode == "CMYK" else image


def _encode(image: Image.Image) -> Prepared:
    image.info.clear()  # save() would write the comment that stands there
    for quality in _QUALITIES:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        if file.tell() <= MAX_BYTES:
            return Prepared(file.getvalue(), MEDIA_TYPE, image.width, image.height)
    raise ImageRefused("image-too-large")
