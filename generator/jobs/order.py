"""The order of computation: owners take turns, first in first out within one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import Select, func, literal, select

from generator.jobs.tables import Job, Owner, State


@dataclass(frozen=True)
class QueuedJob:
    """An unfinished job in the order of computation.

    Attributes:
        id: the job's.
        running: it is being computed; else it waits.
        steps: of the task.
        width: pixels; None: the model's own.
        height: likewise.
        guidance_scale: of the task.
        preset: of the task.
        init_strength: of its init image: a number, or a step of the dial; None: it has none.
        aspect_width: of the proportions that its size follows; None: it does not.
        aspect_height: likewise.
        attempts: how often its computation has begun.
        step: how many are done, if it runs.
        step_seconds: what a step of its batch takes, if it runs and that is known.
        batch: the same for the running jobs that are computed together.
    """

    id: UUID
    running: bool
    steps: int
    width: int | None
    height: int | None
    guidance_scale: float
    preset: str
    init_strength: str | None
    aspect_width: int | None
    aspect_height: int | None
    attempts: int
    step: int = 0
    step_seconds: float | None = None
    batch: int | None = None


@dataclass(frozen=True)
class Line:
    """All that waits for its end.

    Attributes:
        jobs: the running ones, then the others in the order of computation.
        capacity: how many batches are computed at once, by all generators together, as far as that
            was looked up.
    """

    jobs: Sequence[QueuedJob]
    capacity: int


_Row = Select[
    UUID, bool, int, int | None, int | None, float, str, str | None, int | None, int | None, int
]

_TASK = (
    Job.steps,
    Job.width,
    Job.height,
    Job.guidance_scale,
    Job.preset,
    Job.init_strength,
    Job.aspect_width,
    Job.aspect_height,
    Job.attempts,
)


def _fair_order() -> _Row:
    queued = (
        select(
            Job.id,
            *_TASK,
            func.row_number().over(partition_by=Job.owner, order_by=Job.sequence).label("turn"),
            func.min(Job.sequence).over(partition_by=Job.owner).label("head"),
            Owner.served,
        )
        .join(Owner, Owner.name == Job.owner)
        .where(Job.state == State.QUEUED)
        .subquery()
        .c
    )
    task = (queued[column.key] for column in _TASK)
    order = select(queued.id, literal(False), *task)
    return cast("_Row", order.order_by(queued.turn, queued.served, queued.head))


RUNNING = (
    select(Job.id, literal(True), *_TASK, Job.step, Job.step_seconds, Job.batch)
    .where(Job.state == State.RUNNING)
    .order_by(Job.batch, Job.fence)
)
"""The jobs that are being computed, as QueuedJobs, those of a batch together."""

FAIR_ORDER = _fair_order()
"""The jobs that wait, as QueuedJobs, in the order in which repeated claims take them.

A job's turn is its place among its owner's jobs. Within one turn, the owner who was served longest
ago comes first. Newcomers come just before whoever was served last; among them, the first job to
arrive comes first.
"""
