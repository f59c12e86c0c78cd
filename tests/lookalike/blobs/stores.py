"""Stores to test, each with a look behind it."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from lookalike.blobs import Blobs, new_key

ID = "335c9900-89ac-5e67-9f3f-950b4c77a260"


class Behind(Protocol):
    """What is really stored."""

    def keys(self) -> list[str]: ...
    def put(self, name: str, data: str = "not ours") -> None: ...
    def age(self, name: str, seconds: float) -> None: ...


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def keys(self) -> list[str]:
        files = (path for path in self.path.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.path).as_posix() for path in files)

    def put(self, name: str, data: str = "not ours") -> None:
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(data)

    def age(self, name: str, seconds: float) -> None:
        then = time.time() - seconds
        os.utime(self.path / name, (then, then))


async def parts(*data: bytes) -> AsyncIterator[bytes]:
    for part in data:
        yield part


async def read(blobs: Blobs, key: str) -> bytes:
    return b"".join([part async for part in blobs.open(key)])


async def keys(blobs: Blobs, older_than: float = 0.0) -> list[str]:
    return sorted([key async for key in blobs.list(older_than)])


async def stored(blobs: Blobs, data: bytes = b"bytes", owner: str = ID) -> str:
    key = new_key(owner, 1)
    await blobs.put(key, parts(data))
    return key
