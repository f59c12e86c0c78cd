"""Preparing what a picture starts from: an RGB PNG that holds what any picture needs."""

import io

import pytest
from PIL import Image

from lookalike.imaging.preparing import Form, prepare
from lookalike.imaging.refusals import ImageRefused
from tests.lookalike.imaging.test_preparing import encode, jpeg_header, near, png_header


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "JPEG"), ("CMYK", "JPEG"), ("P", "PNG"), ("LA", "PNG"), ("1", "PNG")],
)
def test_what_a_picture_starts_from_is_rgb_whatever_it_was(mode: str, kind: str) -> None:
    data = encode(Image.new("RGB", (30, 20), "white").convert("L").convert(mode), kind)
    prepared = prepare(data, Form.INIT)
    with Image.open(io.BytesIO(prepared.data)) as image:
        image.load()
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (30, 20))
        assert near(image.getpixel((15, 10)), (255, 255, 255))


@pytest.mark.parametrize(
    ("size", "kept"),
    [
        ((1, 1), (1, 1)),
        ((1024, 1500), (1024, 1500)),
        ((3000, 2000), (1536, 1024)),
        ((2000, 3000), (1024, 1536)),
        ((16_100, 2000), (4096, 509)),
        ((40_000, 1), (4096, 1)),
    ],
)
def test_what_a_picture_starts_from_holds_what_any_picture_needs_and_no_more(
    size: tuple[int, int], kept: tuple[int, int]
) -> None:
    for kind in ("PNG", "JPEG"):
        prepared = prepare(encode(Image.new("L", size), kind), Form.INIT)
        assert (prepared.width, prepared.height) == kept
        assert prepared.media_type == "image/png"


def test_what_a_picture_starts_from_has_no_more_pixels_than_a_photo_may_have() -> None:
    for header in (png_header(40_001, 1000), jpeg_header(8001, 5000)):
        with pytest.raises(ImageRefused, match="image-too-large"):
            prepare(header, Form.INIT)
