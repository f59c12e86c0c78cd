"""The line that jobs wait in: owners take turns, first in first out within one."""

from dataclasses import dataclass
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
    """

    id: UUID
    running: bool
    steps: int
    width: int | None
    height: int | None


def _fair_order() -> Select[UUID, bool, int, int | None, int | None]:
    line = (
        select(
            Job.id,
            Job.steps,
            Job.width,
            Job.height,
            func.row_number().over(partition_by=Job.owner, order_by=Job.sequence).label("turn"),
            func.min(Job.sequence).over(partition_by=Job.owner).label("head"),
            Owner.served,
        )
        .join(Owner, Owner.name == Job.owner)
        .where(Job.state == State.QUEUED)
        .subquery()
        .c
    )
    return select(line.id, literal(False), line.steps, line.width, line.height).order_by(
        line.turn, line.served, line.head
    )


RUNNING = select(Job.id, literal(True), Job.steps, Job.width, Job.height).where(
    Job.state == State.RUNNING
)
"""The jobs that are being computed, as Places."""

FAIR_ORDER = _fair_order()
"""The jobs that wait, as Places, in the order in which repeated claims take them.

A job's turn is its place in its owner's line. Within one turn, owners come by when they were served
last, the one that has waited longest first; among newcomers, who stand just before whoever was
served last, the one whose job came first.
"""
