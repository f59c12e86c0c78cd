"""Preparing a photo: what is taken, what is refused, and that nothing but pixels comes out."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import get_args

import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, ImageDraw, PngImagePlugin

from lookalike.imaging import preparing as images
from lookalike.imaging import refusals
from lookalike.imaging.preparing import prepare
from lookalike.imaging.refusals import ImageRefused

MARKER = b"PLANTED-MARKER"
MARKER_TEXT = MARKER.decode()


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(prepared: images.Prepared) -> Image.Image:
    image = Image.open(io.BytesIO(prepared.data))
    image.load()
    assert image.format == "JPEG"
    assert prepared.media_type == "image/jpeg"
    assert image.size == (prepared.width, prepared.height)
    return image


def refusal(data: bytes) -> str:
    with pytest.raises(ImageRefused) as caught:
        prepare(data)
    assert caught.value.code in get_args(refusals.RefusalCode)
    return caught.value.code


def near(color: object, expected: tuple[int, int, int], tolerance: int = 6) -> bool:
    assert isinstance(color, tuple)
    return all(abs(a - b) <= tolerance for a, b in zip(color, expected, strict=True))


def png_header(width: int, height: int) -> bytes:
    """A PNG of this size that holds no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + pixels + chunk(b"IEND", b"")


def jpeg_header(width: int, height: int) -> bytes:
    """A JPEG that claims this size."""
    data = encode(Image.new("RGB", (64, 64)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def webp_header(width: int, height: int) -> bytes:
    """A WebP with this canvas, of which its two frames cover a corner."""
    frames = [Image.new("RGB", (64, 64), color) for color in ("red", "lime")]
    data = encode(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    at = data.index(b"VP8X") + 12
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return data[:at] + size + data[at + 6 :]


def exif(orientation: int | None = None) -> Image.Exif:
    """EXIF with a camera, words, a place on earth, and a thumbnail's worth of markers."""
    tags = Image.Exif()
    tags[ExifTags.Base.Make] = MARKER_TEXT
    tags[ExifTags.Base.ImageDescription] = MARKER_TEXT
    if orientation is not None:
        tags[ExifTags.Base.Orientation] = orientation
    place = tags.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef] = "N"
    place[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    place[ExifTags.GPS.GPSProcessingMethod] = MARKER
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = MARKER
    return tags


def gradient(mode: str = "RGB", size: tuple[int, int] = (80, 60)) -> Image.Image:
    return Image.radial_gradient("L").resize(size).convert(mode)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_three_formats_become_jpeg(kind: str) -> None:
    image = opened(prepare(encode(Image.new("RGB", (120, 90), (200, 40, 30)), kind)))
    assert image.size == (120, 90)
    assert near(image.getpixel((60, 45)), (200, 40, 30))


def test_a_real_photo_keeps_its_looks() -> None:
    photo = Image.fromarray(skimage.data.chelsea())
    image = opened(prepare(encode(photo, "PNG")))
    for at in ((10, 10), (225, 150), (400, 280)):
        expected = photo.getpixel(at)
        assert isinstance(expected, tuple)
        assert near(image.getpixel(at), (expected[0], expected[1], expected[2]), tolerance=30)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO", "JPEG2000"])
def test_another_format_is_unsupported(kind: str) -> None:
    assert refusal(encode(Image.new("RGB", (64, 64)), kind)) == "unsupported-format"


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7", b"RIFF\x00\x00\x00\x00WAVEfmt "])
def test_what_is_no_image_is_unsupported(data: bytes) -> None:
    assert refusal(data) == "unsupported-format"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_cut_file_is_no_image(kind: str, part: float) -> None:
    whole = encode(gradient(), kind)
    assert refusal(whole[: int(len(whole) * part)]) == "not-an-image"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(49, 400), (400, 49), (1, 1)])
def test_too_small(kind: str, size: tuple[int, int]) -> None:
    assert refusal(encode(Image.new("RGB", size), kind)) == "image-too-small"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_fifty_pixels_a_side_will_do(kind: str) -> None:
    assert prepare(encode(Image.new("RGB", (50, 50)), kind)).width == 50


@pytest.mark.parametrize("header", [png_header, jpeg_header, webp_header])
@pytest.mark.parametrize(
    "size",
    [
        (8000, 5001),
        (9000, 9999),  # over the size where Pillow warns of a bomb
        (15999, 15999),  # over the size where it raises
        (16001, 70),
        (70, 16001),
    ],
)
def test_too_large_is_said_from_the_header_alone(
    header: Callable[[int, int], bytes], size: tuple[int, int]
) -> None:
    assert refusal(header(*size)) == "image-too-large"


def test_the_largest_png_there_can_be() -> None:
    assert refusal(png_header(2**31 - 1, 2**31 - 1)) == "image-too-large"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "kept"),
    [((4096, 2000), (2048, 1000)), ((2048, 2048), (2048, 2048)), ((6000, 60), (5000, 50))],
)
def test_what_is_large_is_kept_smaller(
    kind: str, size: tuple[int, int], kept: tuple[int, int]
) -> None:
    photo = Image.new("RGB", size, (200, 40, 30))
    image = opened(prepare(encode(photo, kind)))
    assert image.size == kept
    assert near(image.getpixel((25, 25)), (200, 40, 30))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    """The upright image is red at its upper left; it is stored as the tag says."""
    upright = Image.new("RGB", (120, 80), "white")
    ImageDraw.Draw(upright).rectangle((0, 0, 39, 39), fill="red")
    stored = {
        1: lambda i: i,
        2: lambda i: i.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda i: i.transpose(Image.Transpose.ROTATE_180),
        4: lambda i: i.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda i: i.transpose(Image.Transpose.TRANSPOSE),
        6: lambda i: i.transpose(Image.Transpose.ROTATE_90),
        7: lambda i: i.transpose(Image.Transpose.TRANSVERSE),
        8: lambda i: i.transpose(Image.Transpose.ROTATE_270),
    }[orientation](upright)
    image = opened(prepare(encode(stored, kind, exif=exif(orientation))))
    assert image.size == (120, 80)
    assert near(image.getpixel((20, 20)), (254, 0, 0))
    assert near(image.getpixel((100, 60)), (255, 255, 255))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(orientation: int) -> None:
    data = encode(Image.new("RGB", (120, 80)), "JPEG", exif=exif(orientation))
    assert prepare(data).width == 120


@pytest.mark.filterwarnings("ignore::UserWarning")  # about metadata; log lines in production
@pytest.mark.parametrize(
    "broken", [exif().tobytes()[:40] + b"\xff" * 20, b"Exif\x00\x00nonsense", b"Exif\x00\x00II*"]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_does_not_cost_the_photo(kind: str, broken: bytes) -> None:
    prepared = prepare(encode(Image.new("RGB", (120, 80)), kind, exif=broken))
    assert (prepared.width, prepared.height) == (120, 80)


def jpeg_with_everything() -> bytes:
    thumbnail = encode(Image.new("RGB", (50, 50)), "JPEG", comment=MARKER)
    data = encode(
        gradient(),
        "JPEG",
        exif=exif(),
        xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + MARKER + b"</x:xmpmeta>",
        comment=MARKER,
        icc_profile=profile(),
        extra=b"".join(  # Photoshop's IPTC, an APP segment of nobody's, another comment
            b"\xff" + kind + struct.pack(">H", len(body) + 2) + body
            for kind, body in (
                (b"\xed", b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + MARKER),
                (b"\xe9", MARKER),
                (b"\xfe", MARKER),
            )
        ),
    )
    return data + thumbnail + MARKER  # as phones append a second picture or a video


def jpeg_with_a_comment() -> bytes:
    return encode(gradient(), "JPEG", comment=MARKER)


def png_with_everything() -> bytes:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Comment", MARKER_TEXT)
    chunks.add_text("Squeezed", MARKER_TEXT, zip=True)
    chunks.add_itxt("XML:com.adobe.xmp", MARKER_TEXT)
    chunks.add(b"prVt", MARKER)
    chunks.add(b"prVu", MARKER, after_idat=True)
    return encode(gradient(), "PNG", pnginfo=chunks, exif=exif(), icc_profile=profile()) + MARKER


def webp_with_everything() -> bytes:
    return (
        encode(gradient(), "WEBP", exif=exif().tobytes(), xmp=MARKER, icc_profile=profile())
        + MARKER
    )


def profile() -> bytes:
    """A colour profile with a marker behind it."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + MARKER


@pytest.mark.parametrize(
    "make", [jpeg_with_everything, jpeg_with_a_comment, png_with_everything, webp_with_everything]
)
def test_no_metadata_comes_through(make: Callable[[], bytes]) -> None:
    given_data = make()
    assert MARKER in given_data
    prepared = prepare(given_data)
    assert MARKER not in prepared.data
    image = opened(prepared)
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert segments(prepared.data) <= {0xD8, 0xE0, 0xDB, 0xC0, 0xC4, 0xDA, 0xD9}
    assert prepared.data.endswith(b"\xff\xd9")


def segments(jpeg: bytes) -> set[int]:
    """The markers of a JPEG up to its pixels."""
    found = {0xD8}
    at = 2
    while jpeg[at + 1] != 0xDA:
        found.add(jpeg[at + 1])
        at += 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
    return found


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("1", "PNG"),
        ("L", "PNG"),
        ("L", "JPEG"),
        ("P", "PNG"),
        ("CMYK", "JPEG"),
        ("LA", "PNG"),
        ("RGBA", "PNG"),
        ("RGBA", "WEBP"),
    ],
)
def test_every_mode_keeps_its_looks(mode: str, kind: str) -> None:
    image = opened(prepare(encode(gradient().convert(mode), kind))).convert("RGB")
    for at in ((2, 2), (40, 30), (60, 10)):
        expected = gradient().convert(mode).convert("RGB").getpixel(at)
        assert isinstance(expected, tuple)
        assert near(image.getpixel(at), (expected[0], expected[1], expected[2]), tolerance=40)


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    half = Image.new("I;16", (64, 64), 0x8000)
    assert near(opened(prepare(encode(half, "PNG"))).convert("RGB").getpixel((9, 9)), (128,) * 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_is_transparent_becomes_white(kind: str) -> None:
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((32, 0, 63, 63), fill=(0, 0, 255, 255))
    result = opened(prepare(encode(image, kind)))
    assert near(result.getpixel((8, 32)), (255, 255, 255))
    assert near(result.getpixel((56, 32)), (0, 0, 254))


def test_a_transparent_colour_of_a_palette_becomes_white() -> None:
    image = Image.new("P", (64, 64), 1)
    image.putpalette([255, 0, 0, 0, 255, 0])
    assert near(
        opened(prepare(encode(image, "PNG", transparency=1))).getpixel((9, 9)), (255, 255, 255)
    )


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (64, 64), color) for color in ("red", "lime", "blue")]
    for kind in ("WEBP", "PNG"):
        data = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
        assert near(opened(prepare(data)).getpixel((9, 9)), (254, 0, 0))


def swapped_profile() -> bytes:
    """sRGB with red and blue exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for number in range(struct.unpack(">I", data[128:132])[0]):
        at = 132 + 12 * number
        name = bytes(data[at : at + 4])
        data[at : at + 4] = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}.get(name, name)
    return bytes(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_colour_profile_is_applied(kind: str) -> None:
    data = encode(Image.new("RGB", (64, 64), "red"), kind, icc_profile=swapped_profile())
    assert near(opened(prepare(data)).getpixel((9, 9)), (0, 0, 254), tolerance=20)


@pytest.mark.parametrize("broken", [b"nonsense", swapped_profile()[:200], b"\x00" * 128])
def test_a_broken_colour_profile_is_ignored(broken: bytes) -> None:
    data = encode(Image.new("RGB", (64, 64), "red"), "JPEG", icc_profile=broken)
    assert near(opened(prepare(data)).getpixel((9, 9)), (254, 0, 0))


def test_a_profile_of_another_colour_space_is_ignored() -> None:
    data = encode(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG", icc_profile=profile())
    assert near(opened(prepare(data)).getpixel((9, 9)), (254, 0, 0))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused_in_one_way_only(data: bytes) -> None:
    with pytest.raises(ImageRefused):
        prepare(data)


SEEDS = [
    jpeg_with_everything(),
    png_with_everything(),
    webp_with_everything(),
    encode(gradient("P"), "PNG"),
    encode(gradient("CMYK"), "JPEG", progressive=True),
]


@pytest.mark.filterwarnings("ignore::UserWarning")  # about metadata; log lines in production
@settings(deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=8),
    st.floats(0, 1),
)
def test_damaged_files_are_refused_or_come_out_clean(
    seed: bytes, edits: list[tuple[float, bytes]], keep: float
) -> None:
    data = bytearray(seed)
    for place, replacement in edits:
        at = int(place * (len(data) - len(replacement)))
        data[at : at + len(replacement)] = replacement
    try:
        prepared = prepare(bytes(data[: max(16, int(keep * len(data)))]))
    except ImageRefused as error:
        assert error.code in get_args(refusals.RefusalCode)  # noqa: PT017, either outcome is right
    else:
        assert MARKER not in prepared.data
        opened(prepared)
