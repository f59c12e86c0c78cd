"""The recipe in a PNG: a text chunk that the generator writes, and that says more when it is sent.

The chunk is an iTXt without compression (PNG, third edition, 11.3.3.4), the text a JSON object.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEAD: Final = b"lookalike\0\0\0\0\0"
"""The keyword, no compression, and neither a language nor a translated keyword."""

_MOST_BYTES = 64 * 1024  # of a recipe, which has at most two prompts of 1,000 characters
_MOST_CHUNKS = 1000  # that are looked at: a recipe comes before the pixels


def read(data: bytes) -> dict[str, Any]:
    """The recipe in a PNG, whoever made it; empty where it has none."""
    for name, start, end in _chunks(data):
        if name == b"iTXt" and data.startswith(_HEAD, start, end) and end - start < _MOST_BYTES:
            try:
                recipe = json.loads(data[start + len(_HEAD) : end])
            except (ValueError, RecursionError):  # no JSON, or nested too deeply
                return {}
            return recipe if isinstance(recipe, dict) else {}
    return {}


def write(data: bytes, recipe: Mapping[str, Any]) -> bytes:
    """A PNG with this recipe, in place of the one that it has."""
    body = _HEAD + json.dumps(recipe, ensure_ascii=False, separators=(",", ":")).encode()
    name = b"iTXt"
    chunk = b"".join(
        (struct.pack(">I", len(body)), name, body, struct.pack(">I", zlib.crc32(name + body)))
    )
    kept = bytearray(_SIGNATURE)
    done = len(_SIGNATURE)
    for found, start, end in _chunks(data):
        if found == b"IDAT":
            break
        if not data.startswith(_HEAD, start, end):
            kept += data[start - 8 : end + 4]
        done = end + 4
    return bytes(kept) + chunk + data[done:]


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The name of each chunk, and where its body begins and ends, up to the first of the pixels."""
    at = len(_SIGNATURE)
    if not data.startswith(_SIGNATURE):
        return
    for _ in range(_MOST_CHUNKS):
        start = at + 8
        end = start + int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : start]
        if end + 4 > len(data):
            return
        yield name, start, end
        if name == b"IDAT":
            return
        at = end + 4
