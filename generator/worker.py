"""The worker: claim, run, commit; one job at a time."""

import asyncio
import hashlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from generator.estimates import Pace
from generator.executors.base import (
    Cancelled,
    Executor,
    ModelInfo,
    Picture,
    Refused,
    Task,
    TaskError,
)
from generator.leases import Committed, JobTable
from generator.problems import Fault
from generator.results import Results
from generator.tables import Job
from generator.waiting import any_of
from lookalike.errors import StartError

_KEEP_SECONDS = 7 * 24 * 3600.0
"""How long a job that nobody removed is kept after its end."""

_KEEP_CANCELLED_SECONDS = 3600.0
"""Likewise one that was cancelled: there is nothing to fetch of it."""

_RENEWALS = 4
"""How often a lease is renewed before it would run out."""

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


@dataclass
class _Run:
    """The computation of one claim."""

    claim: Job
    task: Task
    step: int = 0
    progressed_at: float = field(default_factory=time.monotonic)
    cancelled: threading.Event = field(default_factory=threading.Event)
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
        self._run: _Run | None = None

    @property
    def stuck(self) -> bool:
        """A run has made no progress for so long that only a new process helps."""
        run = self._run
        return run is not None and self._is_stale(run)

    def steps_done(self, job_id: UUID) -> int:
        """How far a running job is; 0 if it is not known here."""
        run = self._run
        return run.step if run is not None and run.claim.id == job_id else 0

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
        self.model = model
        while not stop.is_set():
            changed = self._table.changed
            claim = await self._insist(lambda: self._table.claim(self.holder, model.name), stop)
            if claim is None:
                await any_of(changed, stop)
            else:
                await self._compute(_Run(claim, _task(claim, model)), stop)

    async def keep_house(self, stop: asyncio.Event) -> None:
        """Renews the run's lease, breaks those that ran out, and removes old jobs, until `stop`."""
        while not stop.is_set():
            try:
                run = self._run
                healthy = run.claim if run is not None and not self._is_stale(run) else None
                if lapsed := await self._table.expire(healthy):
                    _log.warning("The lease of %d job(s) ran out.", lapsed)
                for name in await self._table.forget(_KEEP_SECONDS, _KEEP_CANCELLED_SECONDS):
                    await asyncio.to_thread(self._results.remove, name)
            except OSError as error:
                _log.error("Housekeeping failed: %s.", error)
            await any_of(stop, seconds=self._table.lease_seconds / _RENEWALS)

    async def _load(self, stop: asyncio.Event) -> ModelInfo | None:
        loading = asyncio.ensure_future(self._executor.load())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not loading.done():
            loading.cancel()
            return None
        return loading.result()

    async def _compute(self, run: _Run, stop: asyncio.Event) -> None:
        self._run = run
        computing = asyncio.ensure_future(
            self._executor.run(run.task, lambda step: self._on_step(run, step), run.cancelled)
        )
        watch = asyncio.create_task(self._watch(run, computing, stop))
        try:
            record = await self._outcome(run.claim, computing)
            await self._insist(record, stop)
        finally:
            run.over.set()
            await watch
            self._run = None

    async def _outcome(
        self, claim: Job, computing: asyncio.Future[Picture]
    ) -> Callable[[], Awaitable[bool]]:
        """Waits for the end of the computation, and says how it is to be recorded."""
        await asyncio.wait({computing})
        try:
            picture = computing.result()
        except (Cancelled, asyncio.CancelledError):
            # Whoever cancelled it has said so in the table, and the fence keeps that. Only a run
            # that was stale is still ours, and broke.
            return lambda: self._table.crash(claim)
        except Refused:
            words = "The safety filter refused the picture."
            return lambda: self._table.fail(claim, Fault.REFUSED_BY_SAFETY, words)
        except TaskError as error:
            words = str(error)
            return lambda: self._table.fail(claim, Fault.CANNOT_COMPUTE, words)
        except Exception:  # noqa: BLE001, whatever it is, the other jobs go on; attempts bound it
            _log.exception("Attempt %d of job %s broke off.", claim.attempts, claim.id)
            return lambda: self._table.crash(claim)
        return lambda: self._commit(claim, picture)

    async def _commit(self, claim: Job, picture: Picture) -> bool:
        """The picture's bytes first, then its record; without the record, the bytes go."""
        name = await asyncio.to_thread(self._results.save, claim.id, claim.fence, picture.png)
        digest = hashlib.sha256(picture.png).hexdigest()
        committed = Committed(name, picture.width, picture.height, digest)
        if await self._table.finish(claim, committed):
            return True
        await asyncio.to_thread(self._results.remove, name)
        return False

    async def _watch(
        self, run: _Run, computing: asyncio.Future[Picture], stop: asyncio.Event
    ) -> None:
        """Breaks the run off when it must not go on."""
        period = self._table.lease_seconds / _RENEWALS
        while True:
            changed = self._table.changed
            if stop.is_set():
                await self._insist(lambda: self._table.release(run.claim), stop)
                computing.cancel()  # a step may take minutes; nothing is lost without its end
                break
            if run.over.is_set():
                break
            if self._is_stale(run):
                _log.error("Job %s made no progress for too long.", run.claim.id)
                break
            try:
                if not await self._table.holds(run.claim):
                    break
            except OSError as error:
                _log.error("A claim could not be looked at: %s.", error)
            await any_of(changed, run.over, stop, seconds=period)
        run.cancelled.set()

    def _on_step(self, run: _Run, step: int) -> None:
        now = time.monotonic()
        if run.step:  # what comes before the first step is no step
            taken = (now - run.progressed_at) / (step - run.step)
            self.pace.measure((run.task.width, run.task.height), taken)
        run.step = step
        run.progressed_at = now

    def _is_stale(self, run: _Run) -> bool:
        return time.monotonic() - run.progressed_at > self._stale_seconds

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
            if self._run is not None:
                self._run.progressed_at = time.monotonic()  # it waits, it does not hang
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
    )
