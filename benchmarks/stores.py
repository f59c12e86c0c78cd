"""What it takes to store and read a picture, in a folder and in S3.

    python -m benchmarks.stores [--times 200] [--bytes 100000]

S3 is moto's server in a process of its own on this machine, so there is no network to wait for; its
row is left out where the extra `s3` and moto are not installed.
"""

import argparse
import asyncio
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from benchmarks.results import Spread
from lookalike.blobs import Blobs, new_key
from lookalike.settings import StorageSettings
from lookalike.storage import open_blobs


async def _parts(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _measure(blobs: Blobs, size: int, times: int) -> tuple[Spread, Spread]:
    """Milliseconds to store bytes and to read them."""
    put, get = [], []
    for _ in range(times):
        key, data = new_key(str(uuid4()), 1), os.urandom(size)
        began = time.perf_counter()
        await blobs.put(key, _parts(data))
        stored = time.perf_counter()
        read = b"".join([piece async for piece in blobs.open(key)])
        get.append(1000 * (time.perf_counter() - stored))
        put.append(1000 * (stored - began))
        assert read == data
        await blobs.delete([key])
    return Spread.of(put), Spread.of(get)


@contextmanager
def _moto() -> Iterator[StorageSettings]:
    """How to reach an S3 with a bucket `bench`, while this lasts."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        _make_bucket(f"{endpoint}/bench")
        yield StorageSettings.model_validate(
            {
                "aws_endpoint_url": endpoint,
                "aws_access_key_id": "of-nobody",
                "aws_secret_access_key": "of-nobody",
            }
        )
    finally:
        server.terminate()
        server.wait()


def _make_bucket(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)


async def _row(name: str, url: str, settings: StorageSettings, size: int, times: int) -> None:
    blobs = await open_blobs(url, settings)
    await _measure(blobs, size, 5)
    put, get = await _measure(blobs, size, times)
    print(
        f"{name:8}"
        f" put {put.median:6.1f} ms ({put.least:.1f} to {put.most:.1f}),"
        f" get {get.median:6.1f} ms ({get.least:.1f} to {get.most:.1f})"
    )


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--bytes", type=int, default=100_000)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        url = Path(folder, "blobs").as_uri()
        asyncio.run(_row("folder", url, StorageSettings(), told.bytes, told.times))
    if all(map(importlib.util.find_spec, ("obstore", "moto", "flask_cors"))):
        with _moto() as settings:
            asyncio.run(_row("S3", "s3://bench/some", settings, told.bytes, told.times))


if __name__ == "__main__":
    _main()
