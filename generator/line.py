"""The line that jobs wait in: owners take turns, first in first out within one."""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import Select, func, literal, select

from generator.tables import Job, Owner, State


@dataclass(frozen=True)
class Place:
    """An unfinished job in the order of computation.

    Attributes:
        id: the job's.
        running: it is being computed; else it waits.
        steps: of the task.
        width: pixels; None: the model's own.
        height: likewise.
        guidance_scale: of the task.
        preset: of the task.
        attempts: how often its computation has begun.
    """

    id: UUID
    running: bool
    steps: int
    width: int | None
    height: int | None
    guidance_scale: float
    preset: str
    attempts: int


_Row = Select[UUID, bool, int, int | None, int | None, float, str, int]

_TASK = (Job.steps, Job.width, Job.height, Job.guidance_scale, Job.preset, Job.attempts)


def _fair_order() -> _Row:
    line = (
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
    task = (line[column.key] for column in _TASK)
    order = select(line.id, literal(False), *task)
    return cast("_Row", order.order_by(line.turn, line.served, line.head))


RUNNING = select(Job.id, literal(True), *_TASK).where(Job.state == State.RUNNING)
"""The jobs that are being computed, as Places."""

FAIR_ORDER = _fair_order()
"""The jobs that wait, as Places, in the order in which repeated claims take them.

A job's turn is its place in its owner's line. Within one turn, owners come by when they were served
last, the one that has waited longest first; among newcomers, who stand just before whoever was
served last, the one whose job came first.
"""
