"""The job queue as a worker uses it: claims, and how they end.

Jobs are claimed in their fair order: owners take turns, the one served longest ago first, first in
first out within one. A claim is a lease: whoever computes a job holds it for a while, and renews
it. A claim is fenced: it has a number of its own, and once it is lost, its holder's writes change
nothing. A batch is several claims, taken in one transaction as if one after another; each ends by
itself.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from generator.jobs.clock import advance
from generator.jobs.database import JobDatabase
from generator.jobs.errors import Fault
from generator.jobs.order import FAIR_ORDER, QueuedJob
from generator.jobs.results import StoredImage
from generator.jobs.tables import UNFINISHED, Job, Owner, State
from generator.jobs.uploads import use
from lookalike.transactions import atomic

BatchSize = Callable[[Sequence[QueuedJob], int], int]
"""How many jobs to take, at least one: of the first ones in the order, and how many wait in all.
Called within the transaction, in the database's thread."""

_RENEWALS = 4
"""How often a lease is renewed before it would run out."""


class Leases:
    """One holder's claims, each method a transaction; see `JobDatabase` for what they raise.

    Attributes:
        holder: its name, the same after a restart.
        events: wakes whoever waits for jobs to change.
        max_attempts: after how many broken attempts a job is given up.
        renew_seconds: how often to renew.
    """

    def __init__(
        self,
        database: JobDatabase,
        holder: str,
        max_attempts: int,
        *,
        lease_seconds: float = 60.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Claims in a database.

        Args:
            database: where the jobs are.
            holder: who claims, the same name after a restart.
            max_attempts: after how many broken attempts a job is given up.
            lease_seconds: how long a claim holds without renewal.
            clock: seconds since 1970.
        """
        self.run = database.run
        self.events = database.events
        self.holder = holder
        self.max_attempts = max_attempts
        self.renew_seconds = lease_seconds / _RENEWALS
        self._lease_seconds = lease_seconds
        self._clock = clock

    @atomic
    def recover(self, session: Session) -> None:
        """At the holder's start: the attempts it died in broke, and its callers are gone."""
        waited_for = delete(Job).where(Job.waiter == self.holder).returning(Job.id)
        dropped = session.scalars(waited_for).all()
        held = (
            select(Job)
            .where(Job.state == State.RUNNING, Job.holder == self.holder)
            .order_by(Job.sequence)
        )
        broken = session.scalars(held).all()
        for job in broken:
            self._break(session, job)
        self.events.announce(session, *dropped, *_ended_ids(broken))

    @atomic
    def claim(self, session: Session, model: str, size: BatchSize, most: int) -> list[Job]:
        """Leases the job whose turn it is, and maybe some that follow; that is an attempt of each.

        Args:
            session: the transaction's.
            model: what will compute them.
            size: says how many to take.
            most: how many jobs `size` wants to see.

        Returns:
            The claims in the order of their turns; empty: none waits.
        """
        first = [QueuedJob(*row) for row in session.execute(FAIR_ORDER.limit(most))]
        if not first:
            return []
        waiting = len(first)
        if waiting == most:
            count = select(func.count()).where(Job.state == State.QUEUED)
            waiting = session.execute(count).scalar_one()
        turns = [queued.id for queued in first[: size(first, waiting)]]
        jobs = [self._lease(session, job_id, model) for job_id in turns]
        self.events.announce(session)
        return jobs

    @atomic
    def held(self, session: Session, claims: Iterable[Job]) -> set[UUID]:
        """The jobs of these claims that still stand."""
        either = or_(*(and_(*_stands(claim)) for claim in claims))
        return set(session.scalars(select(Job.id).where(either)))

    @atomic
    def renew(self, session: Session, healthy: Iterable[Job] = ()) -> int:
        """Renews leases, and breaks the attempts whose lease has run out; says how many.

        Args:
            session: the transaction's.
            healthy: claims that are at work; the leases of those that still stand are renewed
                first. All in one moment: when the clock jumps, they have run out as well.
        """
        now = self._clock()
        for claim in healthy:
            _write(session, claim, lease_until=now + self._lease_seconds)
        expired = (
            select(Job)
            .where(Job.state == State.RUNNING, Job.lease_until < now)
            .order_by(Job.sequence)
        )
        jobs = session.scalars(expired).all()
        for job in jobs:
            self._break(session, job)
        if jobs:
            self.events.announce(session, *_ended_ids(jobs))
        return len(jobs)

    @atomic
    def finish(self, session: Session, claim: Job, image: StoredImage) -> bool:
        """Records the claim's picture, once and for all; False: the claim is lost."""
        return self._end(
            session,
            claim,
            State.FINISHED,
            image_key=image.key,
            image_width=image.width,
            image_height=image.height,
            image_sha256=image.sha256,
        )

    @atomic
    def is_named(self, session: Session, image: StoredImage) -> bool:
        """Whether a job names this picture."""
        named = select(Job.id).where(Job.image_key == image.key)
        return session.scalar(named) is not None

    @atomic
    def fail(self, session: Session, claim: Job, fault: Fault, message: str) -> bool:
        """Ends the claim without a picture; False: the claim is lost."""
        state = State.REFUSED if fault is Fault.REFUSED_BY_SAFETY else State.FAILED
        return self._end(session, claim, state, error_code=fault.value, error_message=message)

    @atomic
    def crash(self, session: Session, claim: Job) -> bool:
        """The attempt broke: the job goes behind its owner's others or is given up. False: lost."""
        job = session.scalar(select(Job).where(*_stands(claim)))
        if job is None:
            return False
        self._break(session, job)
        self.events.announce(session, *_ended_ids([job]))
        return True

    @atomic
    def release(self, session: Session, claim: Job) -> bool:
        """Gives the claim back unharmed: to the very front, as if it had not been tried.

        Returns:
            False: the claim is lost.
        """
        released = _write(
            session, claim, state=State.QUEUED, holder=None, attempts=claim.attempts - 1
        )
        if not released:
            return False
        turn = update(Owner).where(Owner.name == claim.owner).values(served=0)
        session.execute(turn)
        self.events.announce(session)
        return True

    def _lease(self, session: Session, job_id: UUID, model: str) -> Job:
        turn = advance(session)
        leased = update(Job).where(Job.id == job_id)
        until = self._clock() + self._lease_seconds
        leased = leased.values(state=State.RUNNING, attempts=Job.attempts + 1, fence=turn)
        leased = leased.values(holder=self.holder, lease_until=until, model=model)
        job = session.scalars(leased.returning(Job)).one()
        session.execute(update(Owner).where(Owner.name == job.owner).values(served=turn))
        return job

    def _break(self, session: Session, job: Job) -> None:
        job.holder = None
        if job.attempts < self.max_attempts:
            job.state = State.QUEUED
            job.sequence = advance(session)
            return
        job.state = State.FAILED
        job.error_code = Fault.GAVE_UP
        job.error_message = f"The computation broke off {job.attempts} times; it was given up."
        job.ended_at = self._clock()
        use(session, job.init_sha256, job.ended_at)

    def _end(self, session: Session, claim: Job, state: State, **values: Any) -> bool:
        now = self._clock()
        ended = _write(session, claim, state=state, ended_at=now, **values)
        if ended:
            use(session, claim.init_sha256, now)
            self.events.announce(session, claim.id)
        return ended


def _ended_ids(jobs: Iterable[Job]) -> list[UUID]:
    return [job.id for job in jobs if job.state not in UNFINISHED]


def _stands(claim: Job) -> tuple[ColumnElement[bool], ...]:
    return Job.id == claim.id, Job.state == State.RUNNING, Job.fence == claim.fence


def _write(session: Session, claim: Job, **values: Any) -> bool:
    """Changes the job if the claim on it still stands."""
    result = session.execute(update(Job).where(*_stands(claim)).values(**values))
    return cast("CursorResult[Any]", result).rowcount > 0
