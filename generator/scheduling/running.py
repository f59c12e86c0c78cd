"""Has a batch computed, and watches it meanwhile."""

import asyncio
import math
import time
from collections.abc import Sequence

from generator.executors.base import Executor
from generator.jobs.leases import Leases
from generator.jobs.tables import Job
from generator.observers import BatchEnded, BatchStarted, Observer, StepDone
from generator.scheduling.beginning import Beginning
from generator.scheduling.progress import Progress, RunningBatch
from generator.scheduling.recording import Recorder
from generator.scheduling.spans import BatchSpan
from generator.scheduling.watchdog import Watchdog
from generator.tasks import ModelInfo, NotTaken, Outcome, Picture, SafetyRejected, Step
from lookalike import tracing
from lookalike.waiting import any_of


class BatchRunner:
    """Runs batches on an executor, and has their ends recorded."""

    def __init__(
        self,
        executor: Executor,
        leases: Leases,
        beginning: Beginning,
        recorder: Recorder,
        progress: Progress,
        watchdog: Watchdog,
        observers: Sequence[Observer],
    ) -> None:
        """Nothing runs yet.

        Args:
            executor: computes.
            leases: tells whether claims still stand.
            beginning: makes tasks of claims.
            recorder: records what comes of a batch.
            progress: is told how far it is.
            watchdog: watches each step, and the decoding.
            observers: are told what happens.
        """
        self._executor = executor
        self._leases = leases
        self._beginning = beginning
        self._recorder = recorder
        self._progress = progress
        self._watchdog = watchdog
        self._observers = observers

    async def run(
        self, claims: Sequence[Job], model: ModelInfo, behind: int, stop: asyncio.Event
    ) -> None:
        """Has claims computed together and recorded.

        Args:
            claims: at least one.
            model: which computes them.
            behind: how many jobs wait for it to end.
            stop: the service stops: what is not finished is given back unharmed.
        """
        jobs = await self._beginning.begin(claims, model, stop)
        if not jobs:
            return
        batch = RunningBatch(jobs)
        self._announce_start(batch, behind)
        with self._progress.computing(batch):
            over = asyncio.Event()
            computing = asyncio.create_task(self._compute(batch))
            watching = asyncio.create_task(self._watch(batch, computing, over, stop))
            try:
                await asyncio.wait({computing})
                with tracing.within(jobs[0].attempt.span.traceparent):
                    outcomes = self._outcomes(batch, computing)
                self._announce_end(batch, outcomes or ())
                if outcomes is None:
                    for job in batch.jobs:
                        await self._recorder.release(job.attempt, stop)
                else:
                    await self._recorder.record(batch, outcomes, stop)
            finally:
                over.set()
                await watching

    async def _compute(self, batch: RunningBatch) -> Sequence[Outcome]:
        shape, steps = batch.jobs[0].task.shape, batch.jobs[0].task.computed_steps
        size, names = len(batch.jobs), ", ".join(map(str, batch.ids))
        patience = self._watchdog.patience
        first = f"the first step of job {names}", patience.step(shape, size)

        span = BatchSpan([job.attempt.span for job in batch.jobs], batch.jobs[0].task)

        def on_step(step: Step) -> None:
            if step.number == 0:
                watch.begin(*first)
                return
            seconds = batch.advance(step)
            span.step(step.number, steps)
            if step.number < steps:
                what = f"step {step.number + 1} of {steps} of job {names}"
                watch.begin(what, patience.step(shape, size))
            else:
                watch.begin(f"decoding job {names}", patience.ending(shape, size))
            job = batch.jobs[step.task]
            event = StepDone(
                job.claim.id,
                shape,
                step.number,
                steps,
                size,
                seconds,
            )
            for observer in self._observers:
                observer.step_done(event)

        tasks, tokens = [job.task for job in batch.jobs], [job.token for job in batch.jobs]
        watching = self._watchdog.watching(*first)
        if self._executor.elsewhere:
            watching = self._watchdog.limiting(f"the turn of job {names}", math.inf)
        with span, watching as watch:
            return await self._executor.run(tasks, on_step, tokens)

    async def _watch(
        self,
        batch: RunningBatch,
        computing: asyncio.Future[Sequence[Outcome]],
        over: asyncio.Event,
        stop: asyncio.Event,
    ) -> None:
        """Ends jobs that must not go on, until the batch is over or the service stops."""
        while not over.is_set():
            changed = self._leases.events.changed
            if stop.is_set():
                batch.hung = self._watchdog.hanging is not None
                computing.cancel()  # a step may take minutes; nothing is lost without its end
                return
            await self._cancel_lost(batch)
            await any_of(changed, over, stop, seconds=self._leases.renew_seconds)

    async def _cancel_lost(self, batch: RunningBatch) -> None:
        """Ends the jobs whose claims were lost."""
        try:
            held = await self._leases.held(batch.claims)
        except OSError as error:
            for observer in self._observers:
                observer.storage_failed("look at claims", error)
            return
        for job in batch.jobs:
            if job.claim.id not in held:
                job.token.cancel()

    def _outcomes(
        self, batch: RunningBatch, computing: asyncio.Future[Sequence[Outcome]]
    ) -> Sequence[Outcome | None] | None:
        """How the computation ended.

        Returns:
            Of each job, where None stands for an attempt that broke; or None: the claims are to be
            given back unharmed.
        """
        try:
            return computing.result()
        except asyncio.CancelledError:
            if not batch.hung:
                return None
        except NotTaken:
            return None
        except Exception as error:  # noqa: BLE001, whatever it is, the other jobs go on; attempts bound it
            for observer in self._observers:
                observer.batch_broken(batch.ids, error)
        return [None] * len(batch.jobs)

    def _announce_start(self, batch: RunningBatch, behind: int) -> None:
        task = batch.jobs[0].task
        attempts = [claim.attempts for claim in batch.claims]
        event = BatchStarted(batch.ids, attempts, task.shape, task.computed_steps, behind)
        for observer in self._observers:
            observer.batch_started(event)

    def _announce_end(self, batch: RunningBatch, outcomes: Sequence[Outcome | None]) -> None:
        now = time.monotonic()
        pictures = sum(isinstance(outcome, Picture | SafetyRejected) for outcome in outcomes)
        each = None
        if pictures and not batch.apart:  # they are decoded one after the other
            each = (now - batch.progressed_at) / pictures
        event = BatchEnded(batch.ids, batch.jobs[0].task.shape, now - batch.began_at, each)
        for observer in self._observers:
            observer.batch_ended(event)
