"""Notices what takes so long that it hangs.

If it does so here, only a new process helps; if elsewhere, it is given up.
"""

import asyncio
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from generator.jobs.database import JobDatabase
from generator.observers import Observer
from generator.scheduling.patience import Patience
from generator.tasks import ComputerLost
from lookalike.waiting import any_of

_TICK_SECONDS = 1.0


class Watch:
    """Something that must not take too long.

    Attributes:
        what: it is, for a log.
        seconds: it may take.
        since: when it began, on the watchdog's clock.
    """

    def __init__(self, watchdog: "Watchdog", what: str, seconds: float) -> None:
        self._watchdog = watchdog
        self.begin(what, seconds)

    def begin(self, what: str, seconds: float) -> None:
        """It has got on: the next thing begins."""
        self.what = what
        self.seconds = seconds
        self.since = self._watchdog.now

    @property
    def late(self) -> bool:
        """Whether it has taken longer than it may."""
        return self._watchdog.now - self.since > self.seconds


class Watchdog:
    """Watches what is under way.

    Its clock goes on only while this process does: stopped and continued, suspended with the whole
    machine, or without a processor for a while, it has not kept anybody waiting.

    Attributes:
        patience: how long things may take.
        now: the time of its clock, in seconds.
    """

    def __init__(
        self, patience: Patience, database: JobDatabase, observers: Sequence[Observer]
    ) -> None:
        """Nothing is under way.

        Args:
            patience: how long things may take.
            database: is watched as well: transactions may wait for one another for long, but none
                takes long itself.
            observers: are told of what hangs, once each.
        """
        self.patience = patience
        self.now = 0.0
        self._database = database
        self._began: float | None = None  # as the database has it
        self._observers = observers
        self._transaction = Watch(self, "a transaction", patience.writing)
        self._watches = [self._transaction]
        self._limits: dict[Watch, asyncio.Task[Any]] = {}

    @contextmanager
    def watching(self, what: str, seconds: float) -> Generator[Watch, None, None]:
        """While this lasts, something is under way that may take so many seconds."""
        watch = Watch(self, what, seconds)
        self._watches.append(watch)
        try:
            yield watch
        finally:
            self._watches.remove(watch)

    @contextmanager
    def limiting(self, what: str, seconds: float) -> Generator[Watch, None, None]:
        """While this lasts, something is under way elsewhere; it is given up after so many seconds.

        Raises:
            ComputerLost: that has happened.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101, for the type checker
        cancelling = task.cancelling()
        watch = Watch(self, what, seconds)
        self._limits[watch] = task
        try:
            yield watch
        except asyncio.CancelledError:
            # As in asyncio.timeout: whoever else cancels the task wants it cancelled.
            if watch in self._limits or task.uncancel() > cancelling:
                raise
            message = f"{watch.what} took more than {watch.seconds:.0f} s"
            raise ComputerLost(message) from None
        finally:
            self._limits.pop(watch, None)

    @property
    def hanging(self) -> Watch | None:
        """What hangs here, if anything does; the one that began first."""
        return next((each for each in self._watches if each.late), None)

    async def run(self, stop: asyncio.Event) -> None:
        """Keeps the clock going, and tells of what hangs, until `stop` is set."""
        told: Watch | None = None
        last = time.monotonic()
        while not stop.is_set():
            await any_of(stop, seconds=_TICK_SECONDS)
            now = time.monotonic()
            self.now += min(now - last, 2 * _TICK_SECONDS)
            last = now
            began = self._database.began
            if began is None or began != self._began:
                self._began = began
                self._transaction.since = self.now
            hanging = self.hanging
            if hanging is not None and hanging is not told:
                for observer in self._observers:
                    observer.stalled(hanging.what, hanging.seconds)
            told = hanging
            for watch in [each for each in self._limits if each.late]:
                self._limits.pop(watch).cancel()
