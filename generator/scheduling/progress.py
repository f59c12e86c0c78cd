"""How far the computation is: written by the worker, read by whoever answers requests."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from generator.jobs.order import QueuedJob
from generator.jobs.tables import Job
from generator.scheduling.spans import job_span
from generator.tasks import CancelToken, ModelInfo, Step, Task
from lookalike.tracing import Span


@dataclass
class Attempt:
    """A job from its claim until what came of that is recorded.

    Attributes:
        claim: the job's record when it was claimed.
        span: of the attempt.
        began_at: when it was claimed, by `time.monotonic`.
    """

    claim: Job
    span: Span = field(init=False)
    began_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Begins its span."""
        self.span = job_span(self.claim)


@dataclass
class RunningJob:
    """An attempt that is being computed.

    Attributes:
        attempt: at which job.
        task: what is computed.
        token: cancel it to have it end.
        step: how many are done.
        noted: how many its record says are done.
        preview: the newest one, a JPEG.
    """

    attempt: Attempt
    task: Task
    token: CancelToken = field(default_factory=CancelToken)
    step: int = 0
    noted: int = 0
    preview: bytes | None = None

    @property
    def claim(self) -> Job:
        """The job's record when it was claimed."""
        return self.attempt.claim


@dataclass
class RunningBatch:
    """The jobs that are computed together. Times are those of `time.monotonic`.

    Attributes:
        jobs: in the order of their turns.
        began_at: when they were claimed.
        progressed_at: when a step was last done.
        step_seconds: what a step of the whole batch took in the mean when that was last known.
        hung: it hung when the service was told to stop.
        apart: it did not fit memory and was begun again, one job after another.
    """

    jobs: Sequence[RunningJob]
    began_at: float = field(default_factory=time.monotonic)
    progressed_at: float = field(default_factory=time.monotonic)
    step_seconds: float | None = None
    hung: bool = False
    apart: bool = False
    _stepped_at: float | None = None  # for the first time

    @property
    def claims(self) -> list[Job]:
        """The records of its jobs when they were claimed."""
        return [job.claim for job in self.jobs]

    @property
    def ids(self) -> list[UUID]:
        """Of its jobs."""
        return [job.claim.id for job in self.jobs]

    def advance(self, step: Step) -> float | None:
        """Notes that a step is done.

        Returns:
            What a step of the whole batch has taken so far in the mean, in seconds; None: this
            step does not tell.
        """
        job = self.jobs[step.task]
        if step.number <= job.step:
            self.apart = True
            for other in self.jobs:
                other.step = 0
        first = all(other.step < step.number for other in self.jobs)
        job.step = step.number
        job.preview = step.preview or job.preview
        now = self.progressed_at = time.monotonic()
        if not first or self.apart:  # the first of a batch stands for all
            return None
        if self._stepped_at is None:  # the time before the first step is not a step's
            self._stepped_at = now
        elif all(other.step >= step.number - 1 for other in self.jobs):  # nobody has left
            self.step_seconds = (now - self._stepped_at) / (step.number - 1)
            return self.step_seconds
        return None

    def cancel(self) -> None:
        """Asks all of its jobs to end."""
        for job in self.jobs:
            job.token.cancel()


class Progress:
    """How far the computation is.

    Attributes:
        model: what the executor has loaded; None until then.
        lanes: how many batches the executor computes at once; 0 until it has loaded the model.
        batches: that are being computed.
        disk_full: the worker has something to write, for which there is no room.
    """

    def __init__(self) -> None:
        """Nothing is computed yet."""
        self.model: ModelInfo | None = None
        self.lanes = 0
        self.batches: list[RunningBatch] = []
        self.disk_full = False
        self._begun: list[Sequence[Job]] = []

    @property
    def claims(self) -> Sequence[Job]:
        """The claims at work."""
        begun = [claim for claims in self._begun for claim in claims]
        return [*begun, *(job.claim for job in self.jobs)]

    @property
    def jobs(self) -> Sequence[RunningJob]:
        """The jobs that are being computed."""
        return [job for batch in self.batches for job in batch.jobs]

    def steps_done(self, job: Job) -> int:
        """How far a running job is: as far as is known here, or else as its record says."""
        own = self._find(job.id)
        return job.step if own is None else own.step

    def refresh(self, job: QueuedJob) -> QueuedJob:
        """A job as it is now, if it is computed here, or else as its record says."""
        own = self._find(job.id) if job.running else None
        return job if own is None else replace(job, step=own.step, step_seconds=None)

    def preview(self, job_id: UUID) -> bytes | None:
        """The newest preview of a running job, a JPEG; None: there is none here."""
        job = self._find(job_id)
        return None if job is None else job.preview

    @contextmanager
    def beginning(self, claims: Sequence[Job]) -> Generator[None, None, None]:
        """While this lasts, what the claims need is fetched."""
        self._begun.append(claims)
        try:
            yield
        finally:
            self._begun.remove(claims)

    @contextmanager
    def computing(self, batch: RunningBatch) -> Generator[None, None, None]:
        """While this lasts, the batch is computed or its end is recorded."""
        self.batches.append(batch)
        try:
            yield
        finally:
            self.batches.remove(batch)

    def _find(self, job_id: UUID) -> RunningJob | None:
        return next((job for job in self.jobs if job.claim.id == job_id), None)
