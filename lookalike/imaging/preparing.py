"""A photo as it is stored and sent on: one upright JPEG without metadata."""

import io
import logging
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageCms, ImageFile
from PIL.ExifTags import Base as Exif
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from lookalike.imaging.metadata import strip_jpeg, strip_png, strip_webp
from lookalike.imaging.refusals import MAX_PIXELS, MAX_SIDE, MIN_SIDE, ImageRefused

MEDIA_TYPE: Final = "image/jpeg"

KEPT_SIDE: Final = 2048
"""Pixels; what is larger is kept smaller. No captioner and no model looks at more."""

_QUALITY: Final = 92

# Decoders are chosen here and not by Image.open, which tries every format that it knows, and only
# warns of decompression bombs where we refuse.
_DECODERS: Final = (
    (0, b"\xff\xd8\xff", strip_jpeg, JpegImageFile),
    (0, b"\x89PNG\r\n\x1a\n", strip_png, PngImageFile),
    (8, b"WEBPVP8", strip_webp, WebPImageFile),
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


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image fit to be stored and shown to a captioner.

    Attributes:
        data: the JPEG file: sRGB or grey, upright, with no metadata.
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

    Of an animation the first frame is taken; what is transparent becomes white. It may take any
    time and memory, or crash: `lookalike.imaging.decoder` calls it in a process of its own.

    Raises:
        ImageRefused: it is no such file, is broken, or is too small or too large. The size is
            checked before a pixel is decoded.
    """
    try:
        image = _open(data)
        _check_size(*image.size)
        image.draft(None, (KEPT_SIDE, KEPT_SIDE))  # a large JPEG is decoded at a part of its size
        image.load()
        profile = image.info.get("icc_profile")
        return _encode(_shrink(_to_srgb(_flatten(_turn_upright(image)), profile)))
    except (ImageRefused, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise ImageRefused("image-too-large") from None
    except Exception as error:  # noqa: BLE001, a broken file makes Pillow raise nearly anything
        _log.info("An image cannot be decoded: %s: %s", type(error).__name__, error)
        raise ImageRefused("not-an-image") from None


def _open(data: bytes) -> ImageFile.ImageFile:
    """Reads the header of what is left without metadata."""
    for offset, magic, strip, decoder in _DECODERS:
        if data.startswith(magic, offset):
            return decoder(io.BytesIO(strip(data)))
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


def _shrink(image: Image.Image) -> Image.Image:
    """The image with at most KEPT_SIDE pixels a side, unless a side fell under MIN_SIDE by that."""
    scale = max(KEPT_SIDE / max(image.size), MIN_SIDE / min(image.size))
    if scale >= 1:
        return image
    width, height = (round(side * scale) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _encode(image: Image.Image) -> Prepared:
    image.info.clear()  # save() would write the comment that stands there
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return Prepared(file.getvalue(), MEDIA_TYPE, image.width, image.height)
