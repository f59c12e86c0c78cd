"""When the tick runs: every few seconds, and at once when there is news."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from telegram.ext import JobQueue

from lookalike import tracing

_NEVER = dt.timedelta(days=36_500)


class Scheduler:
    """One job of APScheduler, by way of python-telegram-bot's job queue.

    APScheduler goes by the machine's clock: set back by an hour, it would begin nothing for an
    hour. The event loop's clock only goes on, so that one says when the job is due.
    """

    def __init__(
        self, queue: "JobQueue[Any]", tick: Callable[[], Awaitable[None]], seconds: float
    ) -> None:
        """Runs `tick` every so many seconds from the queue's start on, never two at a time.

        An event loop runs.
        """
        self._loop = asyncio.get_running_loop()
        self._scheduler = queue.scheduler
        self._tick = tick
        self._seconds = seconds
        self._news = False
        self._last_progress = self._loop.time()
        self._job = queue.run_repeating(
            self._run,
            interval=_NEVER,
            name="tick",
            job_kwargs={
                "misfire_grace_time": None,
                "coalesce": True,
                "max_instances": 1,
                # Not `first`, which would be over when the queue starts, and so be left out.
                "next_run_time": dt.datetime.now(dt.UTC),
            },
        )
        self._scheduler.add_listener(self._ended, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        self._timer = self._loop.call_later(seconds, self._beat)

    def wake(self) -> None:
        """There is news: runs the tick now, or once more after the one that is under way."""
        self._news = True
        self._run_now()

    def stop(self) -> None:
        """Begins no more ticks. The queue's own stop would cancel one that begins meanwhile."""
        self._timer.cancel()
        self._scheduler.pause()

    @property
    def overdue(self) -> float:
        """Seconds since a tick should have begun or ended; below 0: none should."""
        return self._loop.time() - self._last_progress - self._seconds

    async def _run(self, _context: object) -> None:
        self._news = False
        self._last_progress = self._loop.time()
        try:
            # Whoever woke it, and whatever it belongs to: the timers of APScheduler inherit that.
            with tracing.within(None):
                await self._tick()
        finally:
            self._last_progress = self._loop.time()

    def _ended(self, _event: object) -> None:
        # Until now APScheduler would have skipped another run, the limit being one.
        if self._news:
            self._run_now()

    def _beat(self) -> None:
        self._timer = self._loop.call_later(self._seconds, self._beat)
        if not self._scheduler.running:
            self._last_progress = self._loop.time()  # nobody expects any before Telegram is met
        self._run_now()

    def _run_now(self) -> None:
        self._job.job.modify(next_run_time=dt.datetime.now(dt.UTC))
