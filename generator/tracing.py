"""The generator's traces: spans of jobs, batches and groups of steps, from what observers hear.

A job's span is a part of what submitted it: one for each attempt, with the same trace in all of
them, whoever makes it. Batches cross traces: one is a part of its first job that is exported, it
links all others, and each of these links it.
"""

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from generator.observers import AttemptEnded, BatchEnded, BatchStarted, Observer, StepDone
from lookalike import tracing
from lookalike.tracing import NOTHING, Attributes, Span

_GROUP_SECONDS = 10.0
"""After so long another group of steps begins: of a computation that dies, its groups are known."""

_UNHARMED = frozenset({"finished", "released"})


class TracingObserver(Observer):
    """Traces what happens."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing has happened yet; `clock` gives seconds."""
        self._clock = clock
        self._jobs: dict[UUID, Span] = {}
        self._batches: dict[UUID, _Batch] = {}

    def batch_started(self, event: BatchStarted) -> None:
        """Jobs are computed from now on, in whose context the batch's span is current."""
        jobs = [
            _job(*each)
            for each in zip(event.job_ids, event.attempts, event.traceparents, strict=True)
        ]
        self._jobs.update(zip(event.job_ids, jobs, strict=True))
        first = max(jobs, key=lambda job: (job.sampled, bool(job.traceparent)))
        others = [job for job in jobs if job is not first]
        span = tracing.span(
            "batch",
            {
                "lookalike.batch.size": len(jobs),
                "lookalike.steps": event.steps,
                "lookalike.width": event.shape.width,
                "lookalike.height": event.shape.height,
                "lookalike.preset": event.shape.preset,
            },
            parent=first.traceparent,
            links=[job.traceparent for job in others],
        )
        for job in others:
            job.link(span.traceparent)
        self._batches.update(dict.fromkeys(event.job_ids, _Batch(span, self._clock)))
        span.__enter__()  # nobody leaves: what shares the context ends with the batch

    def step_done(self, event: StepDone) -> None:
        """A job has done a step."""
        if (batch := self._batches.get(event.job_id)) is not None:
            batch.step(event.step, event.steps)

    def batch_broken(self, job_ids: Sequence[UUID], error: Exception) -> None:
        """The executor failed."""
        if (batch := self._batches.get(job_ids[0])) is not None:
            batch.end(tracing.error_of(error))

    def batch_ended(self, event: BatchEnded) -> None:
        """A batch was computed."""
        for job_id in event.job_ids:
            if (batch := self._batches.pop(job_id, None)) is not None:
                batch.end()

    def attempt_ended(self, event: AttemptEnded) -> None:
        """What came of a job's computation is recorded."""
        job = self._jobs.pop(event.job_id, NOTHING)
        job.set("lookalike.outcome", event.outcome)
        job.set("lookalike.image.bytes", event.image_bytes)
        job.end("" if event.outcome in _UNHARMED else event.code or event.outcome)


def _job(job_id: UUID, attempt: int, traceparent: str) -> Span:
    attributes: Attributes = {"lookalike.job.id": str(job_id), "lookalike.attempt": attempt}
    return tracing.span("job", attributes, parent=traceparent)


class _Batch:
    """A batch's span, and the group of steps that is under way in it."""

    def __init__(self, span: Span, clock: Callable[[], float]) -> None:
        self._span = span
        self._clock = clock
        self._begin("steps", 1)

    def step(self, number: int, steps: int) -> None:
        """A step is done, of so many; after the last one the picture is decoded."""
        name = "decode" if number == steps else "steps"
        self._group.set("lookalike.step.last", number)
        if name != self._name or self._clock() - self._since >= _GROUP_SECONDS:
            self._group.end()
            self._begin(name, number + 1)

    def end(self, error: str = "") -> None:
        """It has ended."""
        self._group.end(error)
        self._span.end(error)

    def _begin(self, name: str, first: int) -> None:
        self._name, self._since = name, self._clock()
        parent = self._span.traceparent
        attributes = {"lookalike.step.first": first} if name == "steps" else None
        self._group = tracing.span(name, attributes, parent=parent)
