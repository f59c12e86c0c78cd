"""Small files that cost more than they seem to."""

import io
import struct
import zlib

import psutil
from PIL import Image


def decoders() -> list[psutil.Process]:
    """The decoders that run for this process."""
    return [child for child in psutil.Process().children() if _is_decoder(child)]


def _is_decoder(process: psutil.Process) -> bool:
    try:
        return "lookalike.imaging.child" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def small(kind: str) -> bytes:
    return encode(Image.new("RGB", (160, 120), (200, 80, 40)), kind)


def segment(marker: int, payload: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(payload) + 2) + payload


def in_jpeg(extra: bytes) -> bytes:
    """A JPEG with this after its first marker."""
    jpeg = small("JPEG")
    return jpeg[:2] + extra + jpeg[2:]


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def in_png(extra: bytes) -> bytes:
    """A PNG with this after its header."""
    png = small("PNG")
    return png[:33] + extra + png[33:]


def scans(count: int, width: int = 16_000, height: int = 2_500) -> bytes:
    """A progressive JPEG, of which each scan is a few bytes and walks over all blocks."""
    blocks = ((width + 7) // 8) * ((height + 7) // 8)
    head = b"\xff\xd8" + segment(0xDB, b"\x00" + b"\x01" * 64)
    head += segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")
    head += segment(0xC4, b"\x00" + bytes([1] + [0] * 15) + b"\x00")  # DC: one symbol
    head += segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + _entropy("0" * blocks)
    head += segment(0xC4, b"\x10" + bytes([0, 1] + [0] * 14) + b"\xe0")  # AC: a run of 2^14
    bits, left = "", blocks
    while left > 0:
        run = max(16_384, min(left, 32_767))
        bits += "00" + format(run - 16_384, "014b")
        left -= run
    scan = segment(0xDA, b"\x01\x01\x00\x01\x3f\x00") + _entropy(bits)
    return head + scan * count + b"\xff\xd9"


def _entropy(bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    data = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return data.replace(b"\xff", b"\xff\x00")
