"""What happens in the generator, announced to whoever listens: the log, and the time estimates."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from generator.tasks import BatchTimes, ComputerLost, JobShape

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatchStarted:
    """Jobs were claimed and are computed together from now on.

    Attributes:
        job_ids: of all, in the order of their turns.
        attempts: how often the computation of each has begun.
        shape: which they have in common.
        steps: that are computed of each.
        behind: how many jobs wait behind them.
    """

    job_ids: Sequence[UUID]
    attempts: Sequence[int]
    shape: JobShape
    steps: int
    behind: int


@dataclass(frozen=True, slots=True)
class StepDone:
    """A job has done a step.

    Attributes:
        job_id: which one.
        shape: of the job.
        step: how many are done.
        steps: that are computed of the job.
        batch_size: how many jobs are computed together.
        step_seconds: what a step of the whole batch has taken so far in the mean; None: this one
            does not tell, being the first, or not the first in its batch to get that far, or as
            somebody has left the batch.
    """

    job_id: UUID
    shape: JobShape
    step: int
    steps: int
    batch_size: int
    step_seconds: float | None


@dataclass(frozen=True, slots=True)
class BatchEnded:
    """A batch was computed; what came of each job is yet to be recorded.

    Attributes:
        job_ids: of all.
        shape: which they have in common.
        seconds: since the batch was started.
        picture_seconds: what each picture took after the last step, to be decoded and checked;
            None: there was none, or they were computed one by one.
    """

    job_ids: Sequence[UUID]
    shape: JobShape
    seconds: float
    picture_seconds: float | None


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """What came of a job's computation is recorded.

    Attributes:
        job_id: which one.
        attempt: its number, from 1.
        outcome: `finished`, `failed` or `refused`; `broken`: it is tried again, or given up;
            `released`: it was given back unharmed; `lost`: its claim did not stand any more.
        code: of the error, if it failed or was refused.
        seconds: since it was claimed.
        image_bytes: of its picture; 0: there is none.
    """

    job_id: UUID
    attempt: int
    outcome: str
    code: str
    seconds: float
    image_bytes: int


@dataclass(frozen=True, slots=True)
class BatchesMeasured:
    """It was found out which batches pay.

    Attributes:
        times: what a step takes.
        seconds: that it took to find out.
    """

    times: BatchTimes
    seconds: float


class Observer:
    """Hears what happens, on the event loop. A listener overrides what it wants to hear.

    Events carry ids, durations, codes and sizes, never what somebody wrote.
    """

    def batch_started(self, event: BatchStarted) -> None:
        """Jobs were claimed and are computed together from now on."""

    def step_done(self, event: StepDone) -> None:
        """A job has done a step."""

    def stalled(self, what: str, seconds: float) -> None:
        """Something took longer than it may, and hangs; as long as it does, so do all jobs."""

    def batch_broken(self, job_ids: Sequence[UUID], error: Exception) -> None:
        """The executor failed at these jobs; that costs each an attempt."""

    def executor_away(self, reason: str) -> None:
        """No batch is taken for now; why, in a sentence."""

    def executor_back(self) -> None:
        """Batches are taken again."""

    def batch_ended(self, event: BatchEnded) -> None:
        """A batch was computed; what came of each job is yet to be recorded."""

    def attempt_ended(self, event: AttemptEnded) -> None:
        """What came of a job's computation is recorded."""

    def batches_measured(self, event: BatchesMeasured) -> None:
        """It was found out which batches pay."""

    def measuring_failed(self, error: Exception) -> None:
        """It could not be found out which batches pay: jobs are computed one by one."""

    def leases_expired(self, count: int) -> None:
        """The leases of so many claims ran out."""

    def jobs_expired(self, count: int) -> None:
        """So many jobs were deleted by their age."""

    def images_swept(self, count: int) -> None:
        """So many pictures were deleted that no row names."""

    def image_lost(self, job_id: UUID, error: OSError) -> None:
        """The bytes of a job's picture are gone or damaged, so the job was deleted."""

    def upload_lost(self, sha256: str, error: OSError) -> None:
        """The bytes of a picture to start from are gone or damaged, so it was forgotten."""

    def storage_failed(self, action: str, error: OSError) -> None:
        """The disk or the database did not take something; it is tried again.

        The action is what was tried, such as `renew leases`.
        """


class LogObserver(Observer):
    """Logs what an operator wants to know."""

    def stalled(self, what: str, seconds: float) -> None:
        """An error: only a new process may help."""
        _log.error("This hangs: %s. It may take %.0f s. A new process is needed.", what, seconds)

    def batch_broken(self, job_ids: Sequence[UUID], error: Exception) -> None:
        """An error, with its traceback where it is one of ours."""
        if isinstance(error, ComputerLost):
            _log.error("The computation of job %s broke off: %s.", _names(job_ids), error)
            return
        _log.error("The computation of job %s broke off.", _names(job_ids), exc_info=error)

    def executor_away(self, reason: str) -> None:
        """A warning."""
        _log.warning("Nothing is computed for now, the jobs wait: %s", reason)

    def executor_back(self) -> None:
        """Some information."""
        _log.info("Jobs are computed again.")

    def attempt_ended(self, event: AttemptEnded) -> None:
        """A line for each attempt."""
        code = f" ({event.code})" if event.code else ""
        _log.info(
            "%s%s after %.1f s in attempt %d: job %s.",
            event.outcome.capitalize(),
            code,
            event.seconds,
            event.attempt,
            event.job_id,
        )

    def batches_measured(self, event: BatchesMeasured) -> None:
        """What a step takes, if anything was measured."""
        steps = event.times.seconds
        if len(steps) > 1:
            sizes = (f"{size}: {taken:.3g} s" for size, taken in steps.items())
            _log.info("A step of a batch of %s. It makes long queues faster.", ", of ".join(sizes))
        elif steps:
            _log.info("A step takes %.3g s; batches gain nothing.", steps[1])

    def measuring_failed(self, error: Exception) -> None:
        """An error with its traceback."""
        message = "Batches could not be measured; jobs are computed one by one."
        _log.error(message, exc_info=error)

    def leases_expired(self, count: int) -> None:
        """A warning: a worker died, or hangs."""
        _log.warning("The lease of %d job(s) ran out.", count)

    def images_swept(self, count: int) -> None:
        """Some information: a crash or a fault of the disk had left them."""
        _log.info("Deleted %d picture(s) that no row names.", count)

    def image_lost(self, job_id: UUID, error: OSError) -> None:
        """An error: the disk loses files, or somebody deletes them."""
        _log.error("Job %s is deleted, as its picture is lost: %s.", job_id, error)

    def upload_lost(self, sha256: str, error: OSError) -> None:
        """An error, likewise."""
        _log.error("The picture to start from %s is lost: %s.", sha256, error)

    def storage_failed(self, action: str, error: OSError) -> None:
        """An error in a line."""
        _log.error("Cannot %s, will try again: %s.", action, error)


def _names(job_ids: Sequence[UUID]) -> str:
    return ", ".join(map(str, job_ids))
