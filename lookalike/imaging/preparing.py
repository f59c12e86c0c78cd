"""Images as we keep them: upright, without metadata, and no larger than anybody needs.

A photo that is stored and sent on is a JPEG; a picture that a generation starts from is a PNG, so
that nobody decodes what another decoder might see otherwise.
"""

import io
import logging
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from PIL import Image, ImageCms, ImageFile
from PIL.ExifTags import Base as Exif
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from lookalike.imaging.metadata import strip_jpeg, strip_png, strip_webp
from lookalike.imaging.refusals import MAX_PIXELS, MAX_SIDE, MIN_SIDE, ImageRefused

KEPT_SIDE: Final = 2048
"""Pixels; what is larger is kept smaller. No captioner and no model looks at more."""

INIT_SHORT_SIDE: Final = 1024
"""Pixels; the longest side that a generated picture may have, so that nothing is enlarged that was
larger."""

INIT_LONG_SIDE: Final = 4096
"""Pixels; of a panorama only the middle is seen."""

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


def _photo_scale(width: int, height: int) -> float:
    """At most KEPT_SIDE pixels a side, unless a side fell under MIN_SIDE by that."""
    return max(KEPT_SIDE / max(width, height), MIN_SIDE / min(width, height))


def _init_scale(width: int, height: int) -> float:
    return min(INIT_SHORT_SIDE / min(width, height), INIT_LONG_SIDE / max(width, height))


@dataclass(frozen=True)
class _Rules:
    """What becomes of an image.

    Attributes:
        file: its format.
        media_type: likewise.
        modes: that it may have, the first if it has none of them.
        sides: the fewest and the most pixels of a side.
        draft: a JPEG is decoded at a part of its size as long as both sides have so many pixels.
        scale: by which it is made smaller, by its width and height; 1 or more: it is not.
        options: how it is written.
    """

    file: str
    media_type: str
    modes: tuple[str, ...]
    sides: tuple[int, int]
    draft: int
    scale: Callable[[int, int], float]
    options: Mapping[str, Any] = field(default_factory=dict)


class Form(Enum):
    """What an image is made for."""

    PHOTO = _Rules(
        "JPEG",
        "image/jpeg",
        ("RGB", "L"),
        (MIN_SIDE, MAX_SIDE),
        KEPT_SIDE,
        _photo_scale,
        {"quality": 92},
    )
    INIT = _Rules(
        "PNG",
        "image/png",
        ("RGB",),
        (1, MAX_PIXELS),
        INIT_SHORT_SIDE,
        _init_scale,
        # Runs only: looking for repetitions takes three times as long, for some per cent.
        {"compress_type": zlib.Z_RLE},
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image as its form wants it.

    Attributes:
        data: a photo's JPEG file, sRGB or grey, or an init image's PNG file, RGB; upright, with no
            metadata.
        media_type: image/jpeg or image/png.
        width: pixels, as it is looked at.
        height: pixels, as it is looked at.
    """

    data: bytes
    media_type: str
    width: int
    height: int


def prepare(data: bytes, form: Form = Form.PHOTO) -> Prepared:
    """Checks a JPEG, PNG or WebP file and makes it anew from its pixels alone.

    Of an animation the first frame is taken; what is transparent becomes white. It may take any
    time and memory, or crash: `lookalike.imaging.decoder` calls it in a process of its own.

    Raises:
        ImageRefused: it is no such file, is broken, or is too small or too large. The size is
            checked before a pixel is decoded.
    """
    try:
        image = _open(data)
        rules = form.value
        _check_size(*image.size, *rules.sides)
        image.draft(None, (rules.draft, rules.draft))
        image.load()
        profile = image.info.get("icc_profile")
        seen = _to_srgb(_flatten(_turn_upright(image)), profile)
        return _encode(_shrink(seen, rules.scale(*seen.size)), rules)
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


def _check_size(width: int, height: int, shortest: int, longest: int) -> None:
    if min(width, height) < shortest:
        raise ImageRefused("image-too-small")
    if width * height > MAX_PIXELS or max(width, height) > longest:
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


def _shrink(image: Image.Image, scale: float) -> Image.Image:
    if scale >= 1:
        return image
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _encode(image: Image.Image, rules: _Rules) -> Prepared:
    if image.mode not in rules.modes:
        image = image.convert(rules.modes[0])
    image.info.clear()  # save() would write the comment that stands there
    file = io.BytesIO()
    image.save(file, rules.file, **rules.options)
    return Prepared(file.getvalue(), rules.media_type, image.width, image.height)
