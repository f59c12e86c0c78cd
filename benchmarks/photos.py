"""Measures what it costs a photo to be prepared in a process of its own."""

import asyncio
import io
import statistics
import time

from PIL import Image

from lookalike.imaging.decoder import Decoder
from lookalike.imaging.preparing import prepare

_ROUNDS = 15
_SIZE = (1280, 960)
"""Pixels: what Telegram makes of a photo."""


def measure() -> list[tuple[str, str, str]]:
    """Milliseconds later that an ordinary photo is ready for its captioner."""
    photo = _photo()
    here, apart = asyncio.run(_in_turns(photo))
    later = 1000 * (statistics.median(apart) - statistics.median(here))
    return [("a photo: later for being prepared in a process", f"{later:.0f} ms", "20 ms")]


async def _in_turns(photo: bytes) -> tuple[list[float], list[float]]:
    decoder = Decoder()
    here, apart = [], []
    try:
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            await asyncio.to_thread(prepare, photo)
            here.append(time.perf_counter() - began)
            await decoder.warm()
            await asyncio.sleep(0.5)  # photos are further apart than a process takes to start
            began = time.perf_counter()
            await decoder.prepare(photo)
            apart.append(time.perf_counter() - began)
    finally:
        await decoder.close()
    return here, apart


def _photo() -> bytes:
    small = Image.effect_noise((_SIZE[0] // 8, _SIZE[1] // 8), 60).convert("RGB")
    file = io.BytesIO()
    small.resize(_SIZE, Image.Resampling.BICUBIC).save(file, "JPEG", quality=87)
    return file.getvalue()
