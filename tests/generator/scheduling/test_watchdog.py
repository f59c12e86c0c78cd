"""What hangs is told from what is slow, and from time that did not pass."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.jobs.database import JobDatabase
from generator.observers import Observer
from generator.scheduling.estimates import StepTimes
from generator.scheduling.patience import Patience
from generator.scheduling.watchdog import Watchdog
from generator.tasks import JobShape
from tests.waiting import eventually

_SHAPE = JobShape(512, 512, "balanced", guided=True)


class _Listener(Observer):
    def __init__(self) -> None:
        self.heard: list[tuple[str, float]] = []

    def stalled(self, what: str, seconds: float) -> None:
        self.heard.append((what, seconds))


@pytest.mark.parametrize(
    ("measured", "allowed"), [(0.1, 30), (3, 30), (4, 40), (40, 400), (100, 600), (None, 600)]
)
def test_ten_times_what_was_measured_is_too_long(measured: float | None, allowed: float) -> None:
    times = StepTimes()
    if measured is not None:
        times.measure(_SHAPE, 1, measured)
        times.measure_ending(_SHAPE, measured)
    patience = Patience(times, 600)
    assert patience.step(_SHAPE, 1) == pytest.approx(allowed)
    assert patience.ending(_SHAPE, 1) == pytest.approx(allowed)
    assert patience.writing == 30


def test_the_process_that_follows_a_slow_one_waits_for_its_first_step() -> None:
    """3 s were measured, then the machine became busy: a step of 40 s ends one process, not two."""
    patience = Patience(times := StepTimes(), 600)
    assert patience.step(_SHAPE, 1) > 40
    times.guess(_SHAPE, 1, 40)  # after its second step
    assert patience.step(_SHAPE, 1) > 40


async def test_time_in_which_the_process_did_not_run_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = 0.0
    monotonic: Callable[[], float] = time.monotonic
    monkeypatch.setattr("generator.scheduling.watchdog.time.monotonic", lambda: monotonic() + ahead)
    listener, stop = _Listener(), asyncio.Event()
    database = JobDatabase(f"sqlite:///{tmp_path / 'jobs.db'}")
    watchdog = Watchdog(Patience(StepTimes(), 600), database, [listener])
    running = asyncio.create_task(watchdog.run(stop))

    async def later(than: float) -> bool | None:
        return True if watchdog.now > than else None

    with watchdog.watching("a step", 30), watchdog.watching("a write", 0.5):
        await asyncio.sleep(0)
        ahead = 3600.0  # suspended, or stopped and continued
        await eventually(lambda: later(1))
        assert watchdog.now <= 2
        await eventually(lambda: later(2))
        hanging = watchdog.hanging
        assert hanging is not None
        assert hanging.what == "a write"
    assert listener.heard == [("a write", 0.5)]
    stop.set()
    await running
    await database.close()
