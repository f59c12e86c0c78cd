"""How many lines of its log `lookalike up` has lost is noted for the bot, which tells it."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from lookalike.cli.up import losses
from lookalike.logs import lost_lines_file
from lookalike.processes import sink as sinks
from lookalike.processes.sink import LogSink
from tests.waiting import until


async def test_they_are_noted_as_they_are_lost_and_go_with_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(sinks, "_MOST_BYTES", 10)
    reader, writer = os.pipe()
    sink, file = LogSink(writer), lost_lines_file(tmp_path)
    noting = asyncio.create_task(losses.note(sink, tmp_path))
    await until(file.exists)
    assert file.read_text() == "0\n"
    for _ in range(3):
        sink.write("longer than what may wait\n")
    await until(lambda: file.read_text() == "3\n")
    noting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await noting
    assert not file.exists()
    sink.close(10)
    os.close(reader)
