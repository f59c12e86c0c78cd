"""Finds out, once, which batches pay on the machine at hand."""

import asyncio
import time
from collections.abc import Sequence

from generator.executors.base import Executor
from generator.observers import BatchesMeasured, Observer
from generator.scheduling import batches
from generator.scheduling.watchdog import Watchdog
from generator.tasks import BatchTimes, CancelToken, ComputerLost, NotTaken
from lookalike.waiting import any_of


class Calibration:
    """The measurement of batches, and what came of it.

    Attributes:
        done: there is nothing left to measure.
    """

    def __init__(
        self,
        executor: Executor,
        watchdog: Watchdog,
        observers: Sequence[Observer],
        *,
        wanted: bool,
    ) -> None:
        """Nothing is measured yet.

        Args:
            executor: is measured.
            watchdog: watches that.
            observers: are told what came of it.
            wanted: whether there may be batches at all.
        """
        self.done = not wanted
        self._executor = executor
        self._watchdog = watchdog
        self._observers = observers
        self._times = BatchTimes()

    async def fitting(self) -> BatchTimes:
        """What was measured, for the sizes that fit the memory that is free now."""
        if len(self._times.seconds) <= 1:
            return self._times
        return batches.fitting(self._times, await self._executor.free_memory())

    async def measure(self, stop: asyncio.Event, *interruptions: asyncio.Event) -> None:
        """Measures once; if it is interrupted, the next call begins again.

        Args:
            stop: the service stops, which does not wait for the end of a step.
            interruptions: something else is to be done first.
        """
        began = time.monotonic()
        token, over = CancelToken(), asyncio.Event()
        measuring = asyncio.ensure_future(self._executor.measure(batches.SIZES, token))
        measuring.add_done_callback(lambda _: over.set())
        with self._watchdog.watching("measuring batches", self._watchdog.patience.measuring):
            await any_of(over, stop, *interruptions)
            token.cancel()
            await any_of(over, stop)
        if not measuring.done():
            measuring.cancel()  # a step may take minutes; nothing is lost without its end
            return
        try:
            times = measuring.result()
        except (NotTaken, ComputerLost):
            return
        except Exception as error:  # noqa: BLE001, whatever it is, jobs can be computed one by one
            times = BatchTimes()
            for observer in self._observers:
                observer.measuring_failed(error)
        if times is None:
            return
        self.done = True
        self._times = times
        event = BatchesMeasured(times, time.monotonic() - began)
        for observer in self._observers:
            observer.batches_measured(event)
