"""Image files without what says nothing about their pixels.

Metadata is thrown away anyway, so it must not decide whether valid pixels are taken: not by its
size, not by a wrong checksum, not by what it costs to read. What the pixels mean stays: the
orientation, transparency, the colour space with an ICC profile of up to MAX_PROFILE bytes, and
Adobe's word on how a JPEG's channels were transformed.

Files that are broken are passed on as they are: the decoder says so better.

Sources: ITU-T T.81 (JPEG), annex B; W3C, PNG (Third Edition), 5 and 11; RFC 9649 (WebP), 2.
"""

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

from lookalike.imaging.refusals import ImageRefused

MAX_PROFILE: Final = 1024 * 1024
"""Bytes of an ICC profile, inflated; a larger one is dropped."""

MAX_SCANS: Final = 100
"""Passes over a progressive JPEG's pixels. Encoders write about ten; each costs as much as one."""

MAX_SEGMENTS: Final = 10_000
"""Markers of a JPEG, or chunks of a PNG or WebP. An editor's thumbnails and XMP take a hundred."""

_SOI: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
_EOI, _SOS, _APP0, _APP1, _APP2, _APP14 = 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_APPLICATION: Final = frozenset({*range(0xE0, 0xF0), 0xFE})  # APP0 to APP15, COM
_MARKER: Final = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_AFTER_SCAN: Final = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]", re.DOTALL)
_EXIF: Final = b"Exif\x00\x00"
_ICC: Final = b"ICC_PROFILE\x00"

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_MEANING: Final = frozenset(
    {b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"sBIT", b"iCCP", b"eXIf"}
)
_ANCILLARY: Final = 0x20  # bit 5 of a chunk name's first letter

_WEBP_PIXELS: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"})
_ICC_FLAG, _EXIF_FLAG, _XMP_FLAG = 0x20, 0x08, 0x04


class _CutOffError(Exception):
    """The file has no end."""


def strip_jpeg(data: bytes) -> bytes:
    """A JPEG without comments, thumbnails, fill bytes and what follows its end.

    Raises:
        ImageRefused: image-too-costly, for more scans or segments than any encoder writes.
    """
    kept: list[bytes] = []
    profile: list[bytes] = []
    try:
        for marker, whole, body in _jpeg_segments(data):
            if marker == _APP2 and body.startswith(_ICC):
                profile.append(whole)
            elif marker not in _APPLICATION or marker in {_APP0, _APP14} or body.startswith(_EXIF):
                kept.append(whole)
    except _CutOffError:
        return data
    return b"".join([_SOI, *_bounded(profile), *kept, _END])


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Marker, whole segment with the scan that follows it, and body, up to the end of the image."""
    scans = segments = 0
    at = len(_SOI)
    while match := _MARKER.match(data, at):
        marker, start = match[1][0], match.end()
        if marker == _EOI:
            return
        at = start
        if marker in _STANDALONE:
            continue
        at += int.from_bytes(data[start : start + 2], "big")
        body = data[start + 2 : at]
        if at < start + 2 or at > len(data):
            break
        if marker == _SOS:
            scans += 1
            following = _AFTER_SCAN.search(data, at)
            at = following.start() if following else len(data)
        segments += 1
        if scans > MAX_SCANS or segments > MAX_SEGMENTS:
            raise ImageRefused("image-too-costly")
        yield marker, b"\xff" + data[start - 1 : at], body
    raise _CutOffError


def _bounded(profile: Sequence[bytes]) -> Sequence[bytes]:
    """The segments of a profile; none where it is too large."""
    return profile if sum(map(len, profile)) <= MAX_PROFILE else ()


def strip_png(data: bytes) -> bytes:
    """A PNG with the chunks that its pixels need, of which an ancillary one must have its checksum.

    Raises:
        ImageRefused: image-too-costly, for more chunks than any encoder writes.
    """
    kept = [_PNG]
    for name, chunk, body in _png_chunks(data):
        if name[0] & _ANCILLARY:
            whole = zlib.crc32(name + body) == int.from_bytes(chunk[-4:], "big")
            if name not in _PNG_MEANING or not whole:
                continue
            if len(body) > MAX_PROFILE or (name == b"iCCP" and not _is_small_profile(body)):
                continue
        kept.append(chunk)
    return b"".join(kept)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Name, whole chunk and body; the rest of a broken file is one chunk."""
    at, count = len(_PNG), 0
    while at < len(data):
        count += 1
        if count > MAX_SEGMENTS and data[at + 4 : at + 8] != b"IDAT":
            raise ImageRefused("image-too-costly")
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if len(name) < 4 or end > len(data):  # noqa: PLR2004, a chunk's name has four letters
            yield b"IDAT", data[at:], b""  # cut off: not ancillary, so that it is kept
            return
        yield name, data[at:end], data[at + 8 : end - 4]
        if name == b"IEND":
            return
        at = end


def _is_small_profile(body: bytes) -> bool:
    """Whether an iCCP chunk's profile is in bounds; it is inflated no further than that."""
    compressed = body[body.find(b"\0") + 2 :]
    inflater = zlib.decompressobj()
    try:
        inflater.decompress(compressed, MAX_PROFILE)
    except zlib.error:
        return False
    return inflater.eof


def strip_webp(data: bytes) -> bytes:
    """A WebP with its pixels, its profile if that is in bounds, and its EXIF, where it turns.

    Raises:
        ImageRefused: image-too-costly, for more chunks than any encoder writes.
    """
    kept: list[bytes] = []
    flags = 0
    at, count = 12, 0
    while at + 8 <= len(data):
        count += 1
        if count > MAX_SEGMENTS:
            raise ImageRefused("image-too-costly")
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + size + size % 2
        if at + 8 + size > len(data):
            return data
        if name in _WEBP_PIXELS:
            kept.append(data[at:end])
        elif name == b"ICCP" and size <= MAX_PROFILE:
            flags |= _ICC_FLAG
            kept.append(data[at:end])
        elif name == b"EXIF" and size <= MAX_PROFILE and not flags & _EXIF_FLAG:
            flags |= _EXIF_FLAG
            kept.append(data[at:end])
        at = end
    if kept and kept[0].startswith(b"VP8X") and len(kept[0]) > 8:  # noqa: PLR2004, it has flags
        header = bytearray(kept[0])
        header[8] = header[8] & ~(_ICC_FLAG | _EXIF_FLAG | _XMP_FLAG) | flags
        kept[0] = bytes(header)
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body
