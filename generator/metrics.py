"""The generator's metrics: what its observers hear, and what its queue says when it is scraped."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import Metric
from starlette.routing import Route

from generator.jobs.queue import JobQueue
from generator.observers import AttemptEnded, BatchEnded, BatchStarted, Observer, StepDone
from generator.scheduling.progress import Progress
from lookalike.metrics import PATIENCE_SECONDS, Metrics, free_disk, gauge

_BATCH_SIZES = (1, 2, 3, 4, 6, 8, 16)


class MetricsObserver(Observer):
    """Counts what happens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Nothing has happened yet."""

        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(f"lookalike_{name}", words, labels, registry=registry)

        self._steps = counter("steps", "Steps of jobs that were computed.")
        self._image_bytes = counter("image_bytes", "Bytes of pictures that were computed.")
        self._expired_leases = counter("expired_leases", "Claims whose leases ran out.")
        self._expired_jobs = counter("expired_jobs", "Jobs deleted for their age.")
        self._lost = counter("lost_files", "Pictures whose bytes are gone or damaged.")
        self._broken = counter("broken_batches", "Batches at which the executor failed.")
        self._stalls = counter("stalls", "What took longer than it may, and hung.")
        self._storage = counter(
            "storage_failures", "What disk or database did not take; it is tried again.", "action"
        )
        self._attempts = Histogram(
            "lookalike_attempt_seconds",
            "What a job took from its claim to the record of its outcome, by that and the error.",
            ["outcome", "code"],
            buckets=PATIENCE_SECONDS,
            registry=registry,
        )
        self._batches = Histogram(
            "lookalike_batch_size",
            "How many jobs were computed together.",
            buckets=_BATCH_SIZES,
            registry=registry,
        )
        self._batch_seconds = Histogram(
            "lookalike_batch_seconds",
            "What a batch took to be computed.",
            buckets=PATIENCE_SECONDS,
            registry=registry,
        )
        self._up = Gauge(
            "lookalike_executor_up", "1: batches are taken; 0: not for now.", registry=registry
        )
        self._up.set(1)

    def batch_started(self, event: BatchStarted) -> None:
        """Jobs were claimed."""
        self._batches.observe(len(event.job_ids))

    def step_done(self, event: StepDone) -> None:
        """A job has done a step."""
        del event
        self._steps.inc()

    def stalled(self, what: str, seconds: float) -> None:
        """Something hangs."""
        del what, seconds
        self._stalls.inc()

    def batch_broken(self, job_ids: Sequence[UUID], error: Exception) -> None:
        """The executor failed."""
        del job_ids, error
        self._broken.inc()

    def executor_away(self, reason: str) -> None:
        """No batch is taken for now."""
        del reason
        self._up.set(0)

    def executor_back(self) -> None:
        """Batches are taken again."""
        self._up.set(1)

    def batch_ended(self, event: BatchEnded) -> None:
        """A batch was computed."""
        self._batch_seconds.observe(event.seconds)

    def attempt_ended(self, event: AttemptEnded) -> None:
        """What came of a job's computation is recorded."""
        self._attempts.labels(event.outcome, event.code).observe(event.seconds)
        self._image_bytes.inc(event.image_bytes)

    def leases_expired(self, count: int) -> None:
        """The leases of so many claims ran out."""
        self._expired_leases.inc(count)

    def jobs_expired(self, count: int) -> None:
        """So many jobs were deleted by their age."""
        self._expired_jobs.inc(count)

    def image_lost(self, job_id: UUID, error: OSError) -> None:
        """The bytes of a job's picture are gone."""
        del job_id, error
        self._lost.inc()

    def upload_lost(self, sha256: str, error: OSError) -> None:
        """The bytes of a picture to start from are gone."""
        del sha256, error
        self._lost.inc()

    def storage_failed(self, action: str, error: OSError) -> None:
        """The disk or the database did not take something."""
        del error
        self._storage.labels(action).inc()


def exposed(
    metrics: Metrics, token: str, queue: JobQueue, progress: Progress, folders: Sequence[Path]
) -> Route:
    """Where the generator is scraped.

    Args:
        metrics: what was counted.
        token: that callers from elsewhere need.
        queue: of which several generators tell the same.
        progress: of the computation here.
        folders: on whose disks rows and pictures are.
    """
    leased = Gauge(
        "lookalike_jobs_leased", "Jobs that this generator computes.", registry=metrics.registry
    )
    leased.set_function(lambda: len(progress.claims))
    ready = Gauge("lookalike_ready", "1: the model is loaded.", registry=metrics.registry)
    ready.set_function(lambda: progress.model is not None)
    metrics.look_up(partial(_line, queue))
    if folders:
        metrics.look_up(partial(free_disk, folders))
    return metrics.route(token)


async def _line(queue: JobQueue) -> Iterable[Metric]:
    """The jobs that have not ended."""
    census = await queue.census()
    return [
        gauge("jobs_queued", "Jobs that wait to be computed.", census.queued),
        gauge("jobs_running", "Jobs that are computed, by all generators.", census.running),
        gauge(
            "jobs_queued_oldest_seconds",
            "How long ago the oldest that waits was submitted.",
            census.oldest_seconds,
        ),
    ]
