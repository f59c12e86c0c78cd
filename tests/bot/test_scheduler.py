"""The tick runs every few seconds, and at once when there is news."""

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import pytest
from telegram.ext import ApplicationBuilder, JobQueue

from bot.scheduler import Scheduler
from tests.bot.desk import BOT_TOKEN
from tests.waiting import eventually


class Ticks:
    """Counts its runs, and lets none end while `free` is cleared."""

    def __init__(self) -> None:
        self.begun = asyncio.Semaphore(0)
        self.free = asyncio.Event()
        self.free.set()
        self.under_way = 0

    async def run(self) -> None:
        self.under_way += 1
        assert self.under_way == 1
        self.begun.release()
        await self.free.wait()
        self.under_way -= 1


@asynccontextmanager
async def scheduled(ticks: Ticks, seconds: float) -> AsyncIterator[Scheduler]:
    queue: JobQueue[Any] = JobQueue()
    scheduler = Scheduler(queue, ticks.run, seconds)
    application = ApplicationBuilder().token(BOT_TOKEN).job_queue(queue).build()
    assert application.job_queue is queue
    await queue.start()
    try:
        async with asyncio.timeout(5):
            await ticks.begun.acquire()  # the first one comes at once
            yield scheduler
    finally:
        ticks.free.set()
        scheduler.stop()
        await queue.stop()


async def test_it_runs_by_its_period() -> None:
    ticks = Ticks()
    async with scheduled(ticks, 0.05):
        for _ in range(3):
            await ticks.begun.acquire()


@pytest.mark.parametrize("jump", [dt.timedelta(hours=-1), dt.timedelta(days=9)], ids=str)
async def test_it_runs_by_its_period_whatever_the_clock_is_set_to(
    jump: dt.timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = Ticks()
    async with scheduled(ticks, 0.05):
        await ticks.begun.acquire()

        class Jumped(dt.datetime):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> Self:
                return super().now(tz) + jump

        for module in ("apscheduler.schedulers.base", "apscheduler.triggers.interval"):
            monkeypatch.setattr(f"{module}.datetime", Jumped)
        monkeypatch.setattr("bot.scheduler.dt.datetime", Jumped)
        async with asyncio.timeout(10):
            for _ in range(5):
                await ticks.begun.acquire()
        monkeypatch.undo()  # and set back
        async with asyncio.timeout(10):
            for _ in range(5):
                await ticks.begun.acquire()


async def test_news_do_not_wait_for_the_period() -> None:
    ticks = Ticks()
    async with scheduled(ticks, 600) as scheduler:
        for _ in range(3):
            scheduler.wake()
            await ticks.begun.acquire()


async def test_news_that_a_tick_may_have_missed_are_one_tick_more() -> None:
    ticks = Ticks()
    ticks.free.clear()
    async with scheduled(ticks, 600) as scheduler:
        for _ in range(3):
            scheduler.wake()
        await asyncio.sleep(0.05)  # the scheduler finds the job under way
        ticks.free.set()
        await ticks.begun.acquire()
    assert ticks.begun.locked(), "one more, not three"


async def test_a_tick_under_way_comes_to_its_end_and_no_other_begins(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)
    ticks = Ticks()
    ticks.free.clear()
    async with scheduled(ticks, 600) as scheduler:
        scheduler.wake()
    assert ticks.under_way == 0
    assert ticks.begun.locked()
    assert caplog.messages == [], "nothing was cancelled"


async def is_overdue(scheduler: Scheduler, seconds: float) -> None:
    """Waits until a tick should have begun or ended so long ago."""

    async def look() -> bool | None:
        return scheduler.overdue > seconds or None

    await eventually(look, 10)


async def test_a_tick_that_does_not_end_is_overdue_until_it_does() -> None:
    ticks = Ticks()
    async with scheduled(ticks, 0.2) as scheduler:
        ticks.free.clear()
        await is_overdue(scheduler, 0.2)
        ticks.free.set()

        async def look() -> bool | None:
            return scheduler.overdue < 0 or None

        await eventually(look, 10)


async def test_a_tick_that_does_not_begin_is_overdue() -> None:
    async with scheduled(Ticks(), 0.05) as scheduler:
        scheduler._scheduler.pause()
        await is_overdue(scheduler, 0.2)


async def test_nobody_expects_a_tick_before_the_queue_starts() -> None:
    scheduler = Scheduler(JobQueue(), Ticks().run, 0.05)
    for _ in range(10):
        await asyncio.sleep(0.05)
        assert scheduler.overdue < 0.2
    scheduler._timer.cancel()
