"""The order of computation: owners take turns, first in first out within one."""

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


RUNNING = select(Job.id, literal(True), *_TASK).where(Job.state == State.RUNNING)
"""The jobs that are being computed, as QueuedJobs."""

FAIR_ORDER = _fair_order()
"""The jobs that wait, as QueuedJobs, in the order in which repeated claims take them.

A job's turn is its place among its owner's jobs. Within one turn, the owner who was served longest
ago comes first. Newcomers come just before whoever was served last; among them, the first job to
arrive comes first.
"""
