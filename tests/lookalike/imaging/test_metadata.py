"""Metadata neither decides over valid pixels nor costs anybody's time."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from lookalike.imaging import metadata
from lookalike.imaging.preparing import prepare
from lookalike.imaging.refusals import ImageRefused
from tests.lookalike.imaging.hostile import (
    chunk,
    encode,
    in_jpeg,
    in_png,
    scans,
    segment,
    small,
)

MANY = metadata.MAX_SEGMENTS


def wrong_checksum() -> bytes:
    broken = bytearray(chunk(b"tEXt", b"Comment\x00hello"))
    broken[-1] ^= 0xFF
    return bytes(broken)


@pytest.mark.filterwarnings("ignore::UserWarning")  # about metadata; nobody reads the child's
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(in_jpeg(b"\xff" * 1_000_000), id="fill bytes"),
        pytest.param(in_jpeg(segment(0xE5, b"x" * 60_000) * 100), id="six megabytes of segments"),
        pytest.param(in_jpeg(segment(0xE1, b"Exif\x00\x00II*\x00" + b"\xff" * 900)), id="bad EXIF"),
        pytest.param(
            in_png(chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(b"x" * 2_000_000))), id="zTXt"
        ),
        pytest.param(in_png(wrong_checksum()), id="a checksum of words"),
        pytest.param(
            in_png(chunk(b"iCCP", b"p\x00\x00" + zlib.compress(bytes(9_000_000)))), id="ICC"
        ),
        pytest.param(in_png(chunk(b"iCCP", b"nonsense")), id="no ICC"),
    ],
)
def test_it_does_not_cost_the_photo(data: bytes) -> None:
    prepared = prepare(data)
    assert (prepared.width, prepared.height) == (160, 120)
    with Image.open(io.BytesIO(prepared.data)) as image:
        assert image.convert("RGB").getpixel((80, 60)) == pytest.approx((200, 80, 40), abs=4)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(scans(metadata.MAX_SCANS), id="scans"),
        pytest.param(in_jpeg(segment(0xED, b"") * MANY), id="segments"),
        pytest.param(in_png(chunk(b"tEXt", b"a\x00b") * MANY), id="chunks"),
        pytest.param(
            small("WEBP") + (b"XYZW" + struct.pack("<I", 0)) * MANY, id="chunks of a WebP"
        ),
    ],
)
def test_what_no_encoder_writes_is_refused_before_it_is_decoded(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(ImageRefused) as caught:
        prepare(data)
    assert caught.value.code == "image-too-costly"


def test_a_large_profile_is_dropped_and_one_in_bounds_is_applied() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind, strip in (("JPEG", metadata.strip_jpeg), ("WEBP", metadata.strip_webp)):
        for profile, kept in ((srgb, True), (srgb + bytes(metadata.MAX_PROFILE), False)):
            image = Image.new("RGB", (64, 64), "red")
            stripped = strip(encode(image, kind, icc_profile=profile))
            assert bool(Image.open(io.BytesIO(stripped)).info.get("icc_profile")) is kept
            assert prepare(encode(image, kind, icc_profile=profile)).width == 64


def test_a_progressive_photo_keeps_its_scans() -> None:
    photo = encode(Image.effect_noise((400, 300), 80), "JPEG", progressive=True)
    assert metadata.strip_jpeg(photo) == photo


@pytest.mark.parametrize(
    ("kind", "strip"),
    [
        ("JPEG", metadata.strip_jpeg),
        ("PNG", metadata.strip_png),
        ("WEBP", metadata.strip_webp),
    ],
)
def test_pixels_are_left_alone(kind: str, strip: object) -> None:
    photo = encode(Image.effect_noise((200, 150), 80).convert("RGB"), kind)
    assert callable(strip)
    stripped = strip(photo)
    with Image.open(io.BytesIO(photo)) as before, Image.open(io.BytesIO(stripped)) as after:
        assert before.tobytes() == after.tobytes()
