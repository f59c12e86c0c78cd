"""The worker: claims jobs and has them computed, as many batches at once as the executor takes."""

import asyncio
from collections.abc import Sequence

from generator.executors.base import Executor
from generator.jobs.defaults import OfferedPresets
from generator.jobs.leases import Leases
from generator.jobs.order import QueuedJob
from generator.jobs.tables import Job
from generator.scheduling import batches
from generator.scheduling.calibration import Calibration
from generator.scheduling.progress import Progress
from generator.scheduling.retrying import Retrying
from generator.scheduling.running import BatchRunner
from generator.scheduling.watchdog import Watchdog
from generator.tasks import ModelInfo
from lookalike.waiting import any_of

_MANY = 8
"""With so many jobs waiting, it pays to have them wait until batches are measured."""


class Worker:
    """Claims jobs in their order."""

    def __init__(
        self,
        executor: Executor,
        leases: Leases,
        runner: BatchRunner,
        calibration: Calibration,
        retrying: Retrying,
        progress: Progress,
        watchdog: Watchdog,
    ) -> None:
        """A worker that has not begun.

        Args:
            executor: is loaded first.
            leases: what it claims by.
            runner: runs what it has claimed.
            calibration: says which batches pay.
            retrying: waits for the disk.
            progress: is told of the model, and how many batches are computed at once.
            watchdog: watches what it does itself.
        """
        self._executor = executor
        self._leases = leases
        self._runner = runner
        self._calibration = calibration
        self._retrying = retrying
        self._progress = progress
        self._watchdog = watchdog

    async def work(self, presets: OfferedPresets, stop: asyncio.Event) -> None:
        """Loads the model, then has jobs computed until `stop` is set.

        Args:
            presets: those that the model cannot be used with are not offered any more.
            stop: the service stops.

        Raises:
            StartError: the model is missing or unusable.
        """
        with self._watchdog.watching("loading the model", self._watchdog.patience.loading):
            model = await self._load(stop)
        if model is None:
            return
        presets.exclude(model.unavailable)
        self._progress.model = model
        running: set[asyncio.Task[None]] = set()
        try:
            await self._keep_busy(model, running, stop)
        finally:
            stop.set()
            if running:
                await asyncio.wait(running)
        for batch in running:
            batch.result()

    async def _keep_busy(
        self, model: ModelInfo, running: set[asyncio.Task[None]], stop: asyncio.Event
    ) -> None:
        """Starts batches while the executor takes any; those that run are in `running`."""
        over, behind = asyncio.Event(), 0
        while not stop.is_set():
            changed, more = self._leases.events.changed, self._executor.changed
            over.clear()
            for batch in [each for each in running if each.done()]:
                running.remove(batch)
                batch.result()
            self._progress.lanes = self._executor.lanes
            measurable = not running and not self._calibration.done
            if len(running) >= self._executor.capacity:
                await any_of(over, more, stop)
            elif measurable and behind >= _MANY:
                behind = 0
                await self._calibration.measure(stop)
            else:
                claims, behind = await self._claim(model, stop)
                if claims:
                    run = asyncio.create_task(self._runner.run(claims, model, behind, stop))
                    run.add_done_callback(lambda _: over.set())
                    running.add(run)
                elif measurable:
                    await self._calibration.measure(stop, changed)
                else:
                    await any_of(changed, over, more, stop)

    async def _load(self, stop: asyncio.Event) -> ModelInfo | None:
        """None: stopped before."""
        loading = asyncio.ensure_future(self._executor.load())
        over = asyncio.Event()
        loading.add_done_callback(lambda _: over.set())
        await any_of(over, stop)
        if not loading.done():
            loading.cancel()
            return None
        return loading.result()

    async def _claim(self, model: ModelInfo, stop: asyncio.Event) -> tuple[Sequence[Job], int]:
        """The claims, and how many jobs wait behind them."""
        with self._watchdog.watching("looking for free memory", self._watchdog.patience.writing):
            times = await self._calibration.fitting()
        behind = 0

        def size(first: Sequence[QueuedJob], waiting: int) -> int:
            nonlocal behind
            count = batches.choose(first, waiting, times, model)
            behind = waiting - count
            return count

        async def claim() -> Sequence[Job]:
            known = self._progress.claims
            return await self._leases.claim(model.name, size, batches.SIZES[-1], known)

        return await self._retrying.write(claim, stop) or (), behind
