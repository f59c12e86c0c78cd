"""The worker: claim, run, commit; one batch at a time."""

import asyncio
import hashlib
import logging
import math
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from uuid import UUID

from generator import batches
from generator.estimates import Kind, Pace
from generator.executors.base import (
    Executor,
    ModelInfo,
    Outcome,
    Picture,
    Refused,
    Speeds,
    Task,
    TaskError,
)
from generator.leases import JobTable
from generator.line import Place
from generator.problems import Fault
from generator.results import Committed, Results
from generator.tables import Job
from lookalike.errors import StartError
from lookalike.waiting import any_of

_KEEP_SECONDS = 7 * 24 * 3600.0
"""How long a job that nobody removed is kept after its end."""

_KEEP_CANCELLED_SECONDS = 3600.0
"""Likewise one that was cancelled: there is nothing to fetch of it."""

_MANY = 8
"""From so many waiting jobs on, finding out which batches pay is worth that they wait for it."""

_RENEWALS = 4
"""How often a lease is renewed before it would run out."""

_SAVING_SECONDS = 3.0
"""For how long a stop lets the pictures of a batch be committed: the process has 10 s to end."""

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


@dataclass
class _Run:
    """The computation of one claim."""

    claim: Job
    task: Task
    step: int = 0
    preview: bytes | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass
class _Batch:
    """The runs that are computed together."""

    runs: list[_Run]
    progressed_at: float = field(default_factory=time.monotonic)
    stepped_at: float | None = None  # for the first time
    hung: bool = False  # broken off, since it made no progress for too long
    apart: bool = False  # it did not fit memory: begun anew, one by one
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Worker:
    """Computes the table's jobs with one executor.

    Attributes:
        holder: its name in leases, the same after a restart.
        model: what the executor has loaded; None until then.
        pace: what steps take.
    """

    def __init__(
        self,
        table: JobTable,
        results: Results,
        executor: Executor,
        holder: str,
        *,
        stale_seconds: float = 600.0,
        pause_seconds: float = 5.0,
    ) -> None:
        """A worker that has not begun.

        Args:
            table: the jobs.
            results: where pictures go.
            executor: what computes.
            holder: its name in leases.
            stale_seconds: a run without progress for longer than this loses its lease.
            pause_seconds: between two tries to write where the disk does not take it.
        """
        self.holder = holder
        self.model: ModelInfo | None = None
        self.pace = Pace()
        self._table = table
        self._results = results
        self._executor = executor
        self._stale_seconds = stale_seconds
        self._pause_seconds = pause_seconds
        self._batch: _Batch | None = None
        self._measuring_since: float | None = None
        self._behind = 0  # how many jobs wait for the end of the batch
        # Where a job has a single attempt, one that breaks would take its neighbours down for good.
        self._measured = table.max_attempts == 1

    @property
    def stuck(self) -> bool:
        """A run has made no progress for so long that only a new process helps."""
        batch, since = self._batch, self._measuring_since
        if since is not None:
            return time.monotonic() - since > self._stale_seconds
        return batch is not None and self._is_stale(batch)

    def steps_done(self, job_id: UUID) -> int:
        """How far a running job is; 0 if it is not known here."""
        run = self._find(job_id)
        return 0 if run is None else run.step

    def preview(self, job_id: UUID) -> bytes | None:
        """The newest preview of a running job, a JPEG; None: there is none."""
        run = self._find(job_id)
        return None if run is None else run.preview

    def _find(self, job_id: UUID) -> _Run | None:
        runs = self._batch.runs if self._batch is not None else []
        return next((run for run in runs if run.claim.id == job_id), None)

    async def recover(self) -> None:
        """To be called once, before anything else: puts right what a crash left behind.

        Raises:
            StartError: the job table or the results folder cannot be used.
        """
        try:
            await self._table.recover(self.holder)
            known = await self._table.pictures()
        except OSError as error:
            raise StartError(f"The job table cannot be used: {error}.") from None
        await asyncio.to_thread(self._results.prepare, known)

    async def work(self, stop: asyncio.Event) -> None:
        """Loads the model, then computes jobs until `stop` is set.

        Raises:
            StartError: the model is missing or unusable.
        """
        model = await self._load(stop)
        if model is None:
            return
        self._table.presets.unavailable.update(model.unavailable)
        if (words := model.unavailable.get(self._table.presets.default)) is not None:
            raise StartError(f"GENERATOR_PRESET cannot be used. {words}")
        self.model = model
        while not stop.is_set():
            changed = self._table.changed
            claims = await self._insist(lambda: self._claim(model), stop)
            if claims:
                await self._compute(_Batch([_Run(job, _task(job, model)) for job in claims]), stop)
                if not self._measured and self._behind >= _MANY:
                    await self._measure(asyncio.Event(), stop)
            elif self._measured:
                await any_of(changed, stop)
            else:
                await self._measure(changed, stop)

    async def keep_house(self, stop: asyncio.Event) -> None:
        """Renews leases, breaks those that ran out, and removes old jobs, until `stop`."""
        while not stop.is_set():
            try:
                batch = self._batch
                healthy = batch.runs if batch is not None and not self._is_stale(batch) else []
                if lapsed := await self._table.expire([run.claim for run in healthy]):
                    _log.warning("The lease of %d job(s) ran out.", lapsed)
                for name in await self._table.forget(_KEEP_SECONDS, _KEEP_CANCELLED_SECONDS):
                    await asyncio.to_thread(self._results.remove, name)
            except OSError as error:
                _log.error("Housekeeping failed: %s.", error)
            await any_of(stop, seconds=self._table.lease_seconds / _RENEWALS)

    async def _claim(self, model: ModelInfo) -> list[Job]:
        own = (model.width, model.height)
        speeds = batches.fitting(self.pace.speeds)

        def size(head: Sequence[Place], waiting: int) -> int:
            count = batches.choose(head, waiting, speeds, own)
            self._behind = waiting - count
            return count

        return await self._table.claim(self.holder, model.name, size, batches.SIZES[-1])

    async def _measure(self, changed: asyncio.Event, stop: asyncio.Event) -> None:
        """Finds out once which batches pay; what changes ends that, and it begins anew later."""
        cancelled = threading.Event()
        measuring = asyncio.ensure_future(self._executor.measure(batches.SIZES, cancelled))
        over = asyncio.Event()
        measuring.add_done_callback(lambda _: over.set())
        self._measuring_since = time.monotonic()
        await any_of(over, changed, stop)
        cancelled.set()
        await any_of(over, stop)
        self._measuring_since = None
        if not measuring.done():
            measuring.cancel()  # a step may take minutes; nothing is lost without its end
            return
        try:
            speeds = measuring.result()
        except Exception:  # noqa: BLE001, whatever it is, jobs can be computed one by one
            _log.exception("Batches could not be measured; jobs are computed one by one.")
            speeds = Speeds()
        if speeds is None:
            return
        self._measured = True
        self.pace.speeds = speeds
        if len(speeds.seconds) > 1:
            sizes = (f"{size}: {taken:.3g} s" for size, taken in speeds.seconds.items())
            _log.info("A step of a batch of %s. Long queues go faster so.", ", of ".join(sizes))
        elif speeds.seconds:
            _log.info("A step takes %.3g s; batches gain nothing.", speeds.seconds[1])

    async def _load(self, stop: asyncio.Event) -> ModelInfo | None:
        loading = asyncio.ensure_future(self._executor.load())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not loading.done():
            loading.cancel()
            return None
        return loading.result()

    async def _compute(self, batch: _Batch, stop: asyncio.Event) -> None:
        self._batch = batch
        runs = batch.runs

        def on_step(index: int, step: int, preview: bytes | None) -> None:
            self._on_step(batch, runs[index], step, preview)

        tasks, cancelled = [run.task for run in runs], [run.cancelled for run in runs]
        computing = asyncio.ensure_future(self._executor.run(tasks, on_step, cancelled))
        watch = asyncio.create_task(self._watch(batch, computing, stop))
        try:
            await asyncio.wait({computing})
            await self._settle(batch, computing, stop)
        finally:
            batch.over.set()
            await watch
            self._batch = None

    async def _settle(
        self, batch: _Batch, computing: asyncio.Future[Sequence[Outcome]], stop: asyncio.Event
    ) -> None:
        """Records how each run ended; what a stop leaves no time for is given back unharmed."""
        outcomes = self._outcomes(batch, computing)
        self._measure_ending(batch, outcomes)
        stopped = computing.cancelled() and not batch.hung
        until = -math.inf if stopped else math.inf
        for run, outcome in zip(batch.runs, outcomes, strict=True):
            if stop.is_set():
                until = min(until, time.monotonic() + _SAVING_SECONDS)
            recorded = None
            if time.monotonic() < until:
                recorded = await self._insist(self._record(run.claim, outcome), stop)
            if recorded is None:
                await self._insist(partial(self._table.release, run.claim), stop)

    def _outcomes(
        self, batch: _Batch, computing: asyncio.Future[Sequence[Outcome]]
    ) -> Sequence[Outcome | None]:
        """How the computation ended; None stands for an attempt that broke."""
        try:
            return computing.result()
        except asyncio.CancelledError:
            pass
        except Exception:  # noqa: BLE001, whatever it is, the other jobs go on; attempts bound it
            names = ", ".join(f"{run.claim.attempts} of job {run.claim.id}" for run in batch.runs)
            _log.exception("Attempt %s broke off.", names)
        return [None] * len(batch.runs)

    def _record(self, claim: Job, outcome: Outcome | None) -> Callable[[], Awaitable[bool]]:
        """How an outcome is to be recorded."""
        match outcome:
            case Picture() as picture:
                return lambda: self._commit(claim, picture)
            case Refused():
                words = "The safety filter refused the picture."
                return lambda: self._table.fail(claim, Fault.REFUSED_BY_SAFETY, words)
            case TaskError() as error:
                return lambda: self._table.fail(claim, Fault.CANNOT_COMPUTE, str(error))
            case _:
                # Whoever cancelled it has said so in the table, and the fence keeps that. Only a
                # run that hung is still ours, and broke.
                return lambda: self._table.crash(claim)

    async def _commit(self, claim: Job, picture: Picture) -> bool:
        """The picture's bytes first, then its record; without the record, the bytes go."""
        name = await asyncio.to_thread(self._results.save, claim.id, claim.fence, picture.png)
        digest = hashlib.sha256(picture.png).hexdigest()
        committed = Committed(name, picture.width, picture.height, digest)
        if await self._table.finish(claim, committed):
            return True
        known = await self._table.get(claim.id)
        if known is not None and known.picture == name:
            return True  # by an earlier try, whose success the disk did not tell
        await asyncio.to_thread(self._results.remove, name)
        return False

    async def _watch(
        self, batch: _Batch, computing: asyncio.Future[Sequence[Outcome]], stop: asyncio.Event
    ) -> None:
        """Breaks the runs off that must not go on, until the batch is over or a stop comes."""
        while not batch.over.is_set():
            changed = self._table.changed
            if stop.is_set():
                computing.cancel()  # a step may take minutes; nothing is lost without its end
                return
            if self._is_stale(batch) and not batch.hung:
                names = ", ".join(str(run.claim.id) for run in batch.runs)
                _log.error("Job %s made no progress for too long.", names)
                batch.hung = True
                for run in batch.runs:
                    run.cancelled.set()
            await self._drop_lost(batch)
            await any_of(changed, batch.over, stop, seconds=self._table.lease_seconds / _RENEWALS)

    async def _drop_lost(self, batch: _Batch) -> None:
        """Breaks the runs off whose claims do not stand any more."""
        try:
            standing = await self._table.standing(run.claim for run in batch.runs)
        except OSError as error:
            _log.error("Claims could not be looked at: %s.", error)
            return
        for run in batch.runs:
            if run.claim.id not in standing:
                run.cancelled.set()

    def _on_step(self, batch: _Batch, run: _Run, step: int, preview: bytes | None) -> None:
        if step <= run.step:
            batch.apart = True
            for other in batch.runs:
                other.step = 0
        first = all(other.step < step for other in batch.runs)
        run.step = step
        run.preview = preview or run.preview
        now = batch.progressed_at = time.monotonic()
        if not first or batch.apart or self.model is None:  # one of a batch stands for all
            return
        if batch.stepped_at is None:  # what comes before the first step is no step
            batch.stepped_at = now
        elif all(other.step >= step - 1 for other in batch.runs):  # nobody has left
            kind, size = Kind.of(run.task, self.model), len(batch.runs)
            tell = self.pace.measure if step == run.task.steps else self.pace.guess
            tell(kind, size, (now - batch.stepped_at) / (step - 1))

    def _measure_ending(self, batch: _Batch, outcomes: Sequence[Outcome | None]) -> None:
        """Takes in what the pictures of a batch took after the last step, one after another."""
        pictures = sum(isinstance(outcome, Picture | Refused) for outcome in outcomes)
        if pictures and not batch.apart and self.model is not None:
            taken = time.monotonic() - batch.progressed_at
            self.pace.measure_ending(Kind.of(batch.runs[0].task, self.model), taken / pictures)

    def _is_stale(self, batch: _Batch) -> bool:
        return time.monotonic() - batch.progressed_at > self._stale_seconds

    async def _insist(self, write: Callable[[], Awaitable[_T]], stop: asyncio.Event) -> _T | None:
        """Writes again and again until the disk takes it; None: stopped before it did."""
        told = False
        while True:
            try:
                return await write()
            except OSError as error:
                if not told:
                    _log.error("Cannot write, trying on: %s.", error)
                    told = True
            if stop.is_set():
                return None
            if self._batch is not None:
                self._batch.progressed_at = time.monotonic()  # it waits, it does not hang
            await any_of(stop, seconds=self._pause_seconds)


def _task(claim: Job, model: ModelInfo) -> Task:
    return Task(
        prompt=claim.prompt,
        negative_prompt=claim.negative_prompt,
        width=claim.width or model.width,
        height=claim.height or model.height,
        steps=claim.steps,
        guidance_scale=claim.guidance_scale,
        seed=claim.seed,
        preset=claim.preset,
    )
