"""The spans of jobs, batches and groups of steps.

A job's span is a part of what submitted it: one for each attempt, with the same trace in all of
them, whoever makes it. Batches cross traces: one is a part of its first job that is exported, it
links all others, and each of these links it.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from generator.jobs.tables import Job
from generator.tasks import NotTaken, Task
from lookalike import tracing
from lookalike.tracing import Attributes, Span

_GROUP_SECONDS = 10.0
"""After so long another group of steps begins: of a computation that dies, its groups are known."""


def job_span(claim: Job) -> Span:
    """Begins the span of an attempt at a job."""
    attributes: Attributes = {
        "lookalike.job.id": str(claim.id),
        "lookalike.attempt": claim.attempts,
    }
    return tracing.span("job", attributes, parent=claim.traceparent or "")


class BatchSpan:
    """A batch's span, and the group of steps that is under way in it.

    In the block of its `with` statement it is current, and it ends with the block.
    """

    def __init__(
        self, jobs: Sequence[Span], task: Task, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begins it.

        Args:
            jobs: the spans of its jobs.
            task: one of them, for what they have in common.
            clock: gives seconds.
        """
        self._clock = clock
        first = max(jobs, key=lambda job: (job.sampled, bool(job.traceparent)))
        others = [job for job in jobs if job is not first]
        self._span = tracing.span(
            "batch",
            {
                "lookalike.batch.size": len(jobs),
                "lookalike.steps": task.computed_steps,
                "lookalike.width": task.width,
                "lookalike.height": task.height,
                "lookalike.preset": task.preset,
            },
            parent=first,
            links=[job.traceparent for job in others],
        )
        for job in others:
            job.link(self._span.traceparent)
        self._begin("steps", 1)

    def step(self, number: int, steps: int) -> None:
        """A step is done, of so many; after the last one the picture is decoded."""
        name = "decode" if number == steps else "steps"
        self._group.set("lookalike.step.last", number)
        if name != self._name or self._clock() - self._since >= _GROUP_SECONDS:
            self._group.end()
            self._begin(name, number + 1)

    def __enter__(self) -> Self:
        self._span.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        is_unharmed = isinstance(error, asyncio.CancelledError | NotTaken)
        problem = "" if is_unharmed else tracing.error_of(error)
        self._group.end(problem)
        self._span.end(problem)
        self._span.__exit__(kind, error, traceback)

    def _begin(self, name: str, first: int) -> None:
        self._name, self._since = name, self._clock()
        attributes = {"lookalike.step.first": first} if name == "steps" else None
        self._group = tracing.span(name, attributes, parent=self._span)
