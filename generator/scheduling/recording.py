"""Records what came of each job of a batch."""

import asyncio
import math
import time
from collections.abc import Sequence
from functools import partial
from typing import Literal

from generator.jobs.errors import Fault
from generator.jobs.leases import Leases
from generator.jobs.results import Results, StoredImage
from generator.jobs.tables import Job
from generator.observers import AttemptEnded, Observer
from generator.scheduling.progress import Attempt, RunningBatch, RunningJob
from generator.scheduling.retrying import Retrying
from generator.scheduling.watchdog import Watchdog
from generator.tasks import Outcome, Picture, SafetyRejected, TaskError
from lookalike import tracing

_SAVING_SECONDS = 3.0
"""How long a stop waits for a batch's pictures to be recorded; the process has 10 s to end."""

_UNHARMED = frozenset({"finished", "released"})


class Recorder:
    """Records outcomes in the queue, and stores pictures."""

    def __init__(
        self,
        leases: Leases,
        results: Results,
        retrying: Retrying,
        watchdog: Watchdog,
        observers: Sequence[Observer],
    ) -> None:
        """Nothing is recorded yet.

        Args:
            leases: whose claims end.
            results: where pictures go.
            retrying: waits for the disk.
            watchdog: watches each try to store a picture.
            observers: are told how each attempt ended.
        """
        self._leases = leases
        self._results = results
        self._retrying = retrying
        self._watchdog = watchdog
        self._observers = observers

    async def record(
        self, batch: RunningBatch, outcomes: Sequence[Outcome | None], stop: asyncio.Event
    ) -> None:
        """Records how each job ended; what a stop leaves no time for is given back unharmed.

        Args:
            batch: that has ended.
            outcomes: of its jobs; None stands for an attempt that broke.
            stop: the service stops.
        """
        until = math.inf
        for job, outcome in zip(batch.jobs, outcomes, strict=True):
            if stop.is_set():
                until = min(until, time.monotonic() + _SAVING_SECONDS)
            recorded = None
            if time.monotonic() < until:
                with tracing.within(job.attempt.span.traceparent):
                    recorded = await self._record(job, outcome, stop)
            if recorded is None:
                await self.release(job.attempt, stop)

    async def release(self, attempt: Attempt, stop: asyncio.Event) -> None:
        """Gives a claim back unharmed."""
        with tracing.within(attempt.span.traceparent):
            release = partial(self._leases.release, attempt.claim)
            released = await self._retrying.write(release, stop)
            if released is not None:
                self._announce(attempt, "released" if released else "lost")

    async def fail(self, attempt: Attempt, fault: Fault, message: str, stop: asyncio.Event) -> None:
        """Ends a claim that cannot be computed."""
        with tracing.within(attempt.span.traceparent):
            recorded = await self._fail(attempt.claim, fault, message, stop)
            if recorded is not None:
                ended, code = ("failed", fault) if recorded else ("lost", "")
                self._announce(attempt, ended, code)

    async def _record(
        self, job: RunningJob, outcome: Outcome | None, stop: asyncio.Event
    ) -> bool | None:
        """Records an outcome.

        Returns:
            Whether the claim still stood; None: stopped before the disk took it.
        """
        claim, code, image_bytes = job.claim, "", 0
        match outcome:
            case Picture() as picture:
                ended, image_bytes = "finished", len(picture.png)
                recorded = await self._finish(job, picture, stop)
            case SafetyRejected():
                ended, code = "refused", Fault.REFUSED_BY_SAFETY
                recorded = await self._fail(
                    claim, code, "The safety filter refused the picture.", stop
                )
            case TaskError() as error:
                ended, code = "failed", Fault.CANNOT_COMPUTE
                recorded = await self._fail(claim, code, str(error), stop)
            case _:
                # Whoever cancelled it did so in the queue, and the fence protects that. Only a run
                # that hung is still ours, and broke.
                ended = "broken"
                recorded = await self._retrying.write(partial(self._leases.crash, claim), stop)
        if recorded:
            self._announce(job.attempt, ended, code, image_bytes)
        elif recorded is not None:
            self._announce(job.attempt, "lost")
        return recorded

    async def _fail(
        self, claim: Job, fault: Fault, message: str, stop: asyncio.Event
    ) -> bool | None:
        return await self._retrying.write(partial(self._leases.fail, claim, fault, message), stop)

    async def _finish(self, job: RunningJob, picture: Picture, stop: asyncio.Event) -> bool | None:
        """Stores the picture, then records it; if it cannot be recorded, the bytes go."""
        claim = job.claim

        async def store() -> StoredImage | Literal[False]:
            if job.token.cancelled:
                return False  # while the disk was full: nobody wants it any more
            with self._watchdog.watching("storing a picture", self._watchdog.patience.writing):
                return await self._results.put(str(claim.id), claim.fence, picture)

        image = await self._retrying.write(store, stop)
        if not image:
            return None if image is None else False
        recorded = await self._retrying.write(partial(self._commit, claim, image), stop)
        if recorded is False:
            await self._results.discard([image.key])
        return recorded

    async def _commit(self, claim: Job, image: StoredImage) -> bool:
        if await self._leases.finish(claim, image):
            return True
        return await self._leases.is_named(image)  # by an earlier try that only seemed to fail

    def _announce(
        self, attempt: Attempt, outcome: str, code: str = "", image_bytes: int = 0
    ) -> None:
        claim, span = attempt.claim, attempt.span
        seconds = time.monotonic() - attempt.began_at
        event = AttemptEnded(claim.id, claim.attempts, outcome, code, seconds, image_bytes)
        for observer in self._observers:
            observer.attempt_ended(event)
        span.set("lookalike.outcome", outcome)
        span.set("lookalike.image.bytes", image_bytes)
        span.end("" if outcome in _UNHARMED else code or outcome)
