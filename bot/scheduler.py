"""When the tick runs: every few seconds, and at once when there is news."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

from telegram.ext import JobQueue


class Scheduler:
    """One job of APScheduler, by way of python-telegram-bot's job queue."""

    def __init__(
        self, queue: "JobQueue[Any]", tick: Callable[[], Awaitable[None]], seconds: float
    ) -> None:
        """Runs `tick` every so many seconds from the queue's start on, never two at a time."""
        self._tick = tick
        self._news = False
        self._job = queue.run_repeating(
            self._run,
            interval=seconds,
            first=0.01,
            name="tick",
            job_kwargs={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def wake(self) -> None:
        """There is news: runs the tick now. One that is under way may have missed it: once more."""
        self._news = True
        self._job.job.modify(next_run_time=dt.datetime.now(dt.UTC))

    async def _run(self, _context: object) -> None:
        self._news = True
        while self._news:
            self._news = False
            await self._tick()
