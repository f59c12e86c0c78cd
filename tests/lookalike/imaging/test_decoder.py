"""A photo is prepared in a process of its own, which may die of it."""

import asyncio
import contextlib
import os
import resource
import signal
from collections.abc import AsyncIterator

import psutil
import pytest
from PIL import Image

from lookalike.imaging import child
from lookalike.imaging import decoder as module
from lookalike.imaging.decoder import Decoder
from lookalike.imaging.refusals import ImageRefused
from tests.lookalike.imaging.hostile import decoders, encode, in_jpeg, scans, segment, small

pytestmark = pytest.mark.slow

LIMIT = 20 * 1024 * 1024


@pytest.fixture
async def decoder() -> AsyncIterator[Decoder]:
    decoder = Decoder()
    await decoder.warm()
    yield decoder
    await decoder.close()
    assert decoders() == []


def spare(decoder: Decoder) -> int:
    """The process that waits."""
    assert decoder._spare is not None
    return decoder._spare.result().pid


async def refusal(decoder: Decoder, data: bytes) -> str:
    with pytest.raises(ImageRefused) as caught:
        await decoder.prepare(data)
    return caught.value.code


def large() -> bytes:
    return encode(Image.effect_noise((8000, 5000), 80), "JPEG", quality=50)


async def test_photos_are_prepared_each_in_a_process_of_its_own(decoder: Decoder) -> None:
    first = spare(decoder)
    prepared = await decoder.prepare(small("PNG"))
    assert (prepared.media_type, prepared.width, prepared.height) == ("image/jpeg", 160, 120)
    await decoder.warm()
    assert spare(decoder) != first
    assert not psutil.pid_exists(first)


async def test_of_many_at_once_nothing_is_left_behind(decoder: Decoder) -> None:
    prepared = await asyncio.gather(*(decoder.prepare(small("JPEG")) for _ in range(4)))
    assert {each.width for each in prepared} == {160}
    await decoder.warm()
    assert [child.pid for child in decoders()] == [spare(decoder)]


async def test_a_refusal_comes_through(decoder: Decoder) -> None:
    assert await refusal(decoder, b"hello") == "unsupported-format"
    assert await refusal(decoder, small("JPEG")[:300]) == "not-an-image"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(scans(20_000), id="20,000 scans"),
        pytest.param(in_jpeg(segment(0xED, b"") * (LIMIT // 4)), id="20 MB of segments"),
    ],
)
async def test_what_costs_too_much_is_refused_within_ten_seconds(
    decoder: Decoder, data: bytes
) -> None:
    async with asyncio.timeout(10):
        assert await refusal(decoder, data) == "image-too-costly"


async def test_20_mb_of_fill_bytes_are_an_ordinary_photo(decoder: Decoder) -> None:
    async with asyncio.timeout(10):
        assert (await decoder.prepare(in_jpeg(b"\xff" * (LIMIT - 2000)))).width == 160


async def test_a_process_is_bounded_before_it_is_given_a_byte(decoder: Decoder) -> None:
    def bounds() -> list[int]:
        kinds = (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_FSIZE)
        return [resource.prlimit(spare(decoder), kind)[0] for kind in kinds]

    async with asyncio.timeout(10):
        while bounds()[2] != 0:  # noqa: ASYNC110, the last that it sets
            await asyncio.sleep(0.01)
    seconds, memory, _ = bounds()
    assert child.CPU_SECONDS <= seconds <= child.CPU_SECONDS + 2
    assert memory == child.MEMORY_BYTES


async def test_a_photo_that_takes_too_much_memory_is_a_refusal(decoder: Decoder) -> None:
    data = encode(Image.new("RGB", (8000, 5000)), "PNG", compress_level=1)
    resource.prlimit(spare(decoder), resource.RLIMIT_AS, (150_000_000, 150_000_000))
    assert await refusal(decoder, data) == "image-too-costly"
    assert (await decoder.prepare(small("JPEG"))).width == 160


async def test_a_photo_that_takes_too_long_is_a_refusal(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WALL_SECONDS", 0.05)
    assert await refusal(decoder, large()) == "image-too-costly"
    monkeypatch.undo()
    assert (await decoder.prepare(small("JPEG"))).width == 160


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGSEGV, "not-an-image"),
        (signal.SIGKILL, "image-too-costly"),
        (signal.SIGXCPU, "image-too-costly"),
    ],
)
async def test_a_crash_is_a_refusal_and_nobody_elses(
    decoder: Decoder, number: signal.Signals, code: str
) -> None:
    pid = spare(decoder)
    os.kill(pid, signal.SIGSTOP)
    crashing = asyncio.create_task(refusal(decoder, large()))
    await asyncio.sleep(0)  # it takes the process that waits
    assert (await decoder.prepare(small("JPEG"))).width == 160
    os.kill(pid, number)
    with contextlib.suppress(ProcessLookupError):  # SIGKILL waits for nothing
        os.kill(pid, signal.SIGCONT)
    assert await crashing == code


async def test_a_spare_that_was_killed_is_replaced(decoder: Decoder) -> None:
    assert decoder._spare is not None
    process = await decoder._spare
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert (await decoder.prepare(small("JPEG"))).width == 160


async def test_whoever_stops_waiting_ends_the_process(decoder: Decoder) -> None:
    pid = spare(decoder)
    waiting = asyncio.create_task(decoder.prepare(large()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not psutil.pid_exists(pid)
