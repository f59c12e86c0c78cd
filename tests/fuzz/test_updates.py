"""Whatever Telegram sends, every good photo is recorded, and nothing is worth a traceback."""

import logging
from pathlib import Path

import pytest

from tests.fuzz.updates import fuzz

pytestmark = pytest.mark.slow

COUNT = 10_000


@pytest.mark.timeout(600)
async def test_every_good_update_between_mutated_ones_is_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    report = await fuzz(tmp_path, seed=15, count=COUNT)
    assert (report.mutated, report.good, report.lost) == (COUNT, COUNT // 10, [])
    faults = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [(fault.name, fault.message, fault.exc_text) for fault in faults] == []
