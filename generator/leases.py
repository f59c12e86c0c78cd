"""The job table: durable, fair, leased, fenced. Every change of a job's state is here.

Fair means: owners take turns, the one served longest ago first, first in first out within one.
Leased means: who computes a job holds it for a while and renews that. Fenced means: a claim gets
a number of its own, and a write of a holder that lost its claim changes nothing. A batch is several
claims, taken in one transaction as if one after another, and each stands for itself.
"""

import secrets
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Engine,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from generator.announcements import Announcing
from generator.documents import JobRequest
from generator.line import FAIR_ORDER, RUNNING, Place
from generator.problems import Code, Fault, Problem
from generator.results import Committed
from generator.sampling.presets import Presets
from generator.tables import UNFINISHED, Clock, Job, Owner, State
from lookalike.transactions import atomic

Size = Callable[[Sequence[Place], int], int]
"""Called within the transaction, in the database's thread."""

_QUEUE_RETRY_SECONDS = 10


class JobTable(Announcing):
    """The jobs. Its methods raise OSError where the database is full, busy or broken.

    Attributes:
        presets: what fills in a request's defaults.
        max_attempts: after how many broken attempts a job is given up.
        lease_seconds: how long a claim holds without renewal.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        max_queue: int,
        max_attempts: int,
        presets: Presets | None = None,
        lease_seconds: float = 60.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """A table in a migrated database.

        Args:
            engine: of the database.
            max_queue: how many unfinished jobs there may be.
            max_attempts: after how many broken attempts a job is given up.
            presets: what fills in a request's defaults.
            lease_seconds: how long a claim holds without renewal.
            clock: seconds since 1970.
        """
        super().__init__(engine)
        self.presets = presets or Presets()
        self.lease_seconds = lease_seconds
        self._max_queue = max_queue
        self.max_attempts = max_attempts
        self._clock = clock

    @atomic
    def submit(
        self, session: Session, job_id: UUID, request: JobRequest, attendant: str | None = None
    ) -> Job:
        """Puts a job in line; the same job again changes nothing.

        Args:
            session: the transaction's.
            job_id: chosen by the caller.
            request: what is asked for.
            attendant: the holder that the job dies with.

        Raises:
            Problem: another job is known under this id, the queue is full, or the preset is not
                available.
        """
        known = session.get(Job, job_id)
        if known is not None:
            if known.fingerprint != request.fingerprint():
                raise Problem(Code.JOB_CONFLICT, "Choose a new id for a new job.")
            return known
        count = select(func.count()).where(Job.state.in_(UNFINISHED))
        if session.execute(count).scalar_one() >= self._max_queue:
            raise Problem(
                Code.QUEUE_FULL,
                f"{self._max_queue} jobs are unfinished; try again later.",
                headers={"Retry-After": str(_QUEUE_RETRY_SECONDS)},
            )
        job = self._add(session, job_id, request, attendant)
        self._announce(session)
        return job

    @atomic
    def get(self, session: Session, job_id: UUID) -> Job | None:
        """One job, if it is known."""
        return session.get(Job, job_id)

    @atomic
    def look(self, session: Session, ids: Collection[UUID]) -> tuple[dict[UUID, Job], list[Place]]:
        """The jobs that are known, and what is needed to say when they will be finished.

        Returns:
            The jobs; and all unfinished ones in their order, as far as one of the jobs is among
            them: the running ones for a running one, all for a queued one.
        """
        found = session.scalars(select(Job).where(Job.id.in_(ids))).all()
        states = {job.state for job in found}
        line = []
        if not states.isdisjoint(UNFINISHED):
            line += [Place(*row) for row in session.execute(RUNNING)]
        if State.QUEUED in states:  # only they need the order, which costs the most
            line += [Place(*row) for row in session.execute(FAIR_ORDER)]
        return {job.id: job for job in found}, line

    @atomic
    def claim(self, session: Session, holder: str, model: str, size: Size, most: int) -> list[Job]:
        """Leases the job whose turn it is, and maybe some that follow; an attempt of each.

        Args:
            session: the transaction's.
            holder: who will compute them.
            model: with what.
            size: says how many to take, at least one, of the head of the line and of how many
                that wait in all.
            most: how long a head of the line it wants to see.

        Returns:
            The claims in the order of their turns; empty: none waits.
        """
        head = [Place(*row) for row in session.execute(FAIR_ORDER.limit(most))]
        if not head:
            return []
        waiting = len(head)
        if waiting == most:
            count = select(func.count()).where(Job.state == State.QUEUED)
            waiting = session.execute(count).scalar_one()
        turns = [place.id for place in head[: size(head, waiting)]]
        jobs = [self._lease(session, job_id, holder, model) for job_id in turns]
        self._announce(session)
        return jobs

    @atomic
    def standing(self, session: Session, claims: Iterable[Job]) -> set[UUID]:
        """The jobs whose claims still stand."""
        either = or_(*(and_(*_standing(claim)) for claim in claims))
        return set(session.scalars(select(Job.id).where(either)))

    @atomic
    def finish(self, session: Session, claim: Job, picture: Committed) -> bool:
        """Commits the claim's picture, once and for all; False: the claim is lost."""
        return self._end(
            session,
            claim,
            State.FINISHED,
            picture=picture.name,
            picture_width=picture.width,
            picture_height=picture.height,
            sha256=picture.sha256,
        )

    @atomic
    def fail(self, session: Session, claim: Job, fault: Fault, words: str) -> bool:
        """Ends the claim without a picture; False: the claim is lost."""
        state = State.REFUSED if fault is Fault.REFUSED_BY_SAFETY else State.FAILED
        return self._end(session, claim, state, error_code=fault.value, error_words=words)

    @atomic
    def crash(self, session: Session, claim: Job) -> bool:
        """The attempt broke: to the back of its owner's line, or given up. False: lost."""
        job = session.scalar(select(Job).where(*_standing(claim)))
        if job is None:
            return False
        self._break(session, job)
        self._announce(session, *_ended_ids([job]))
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
        self._announce(session)
        return True

    @atomic
    def cancel(self, session: Session, job_id: UUID) -> Job | None:
        """Cancels a job and gives back what it is now; None: it is not known, or has ended."""
        cancelled = session.scalar(
            update(Job)
            .where(Job.id == job_id, Job.state.in_(UNFINISHED))
            .values(state=State.CANCELLED, ended_at=self._clock())
            .returning(Job)
        )
        if cancelled is not None:
            self._announce(session, job_id)
        return cancelled

    @atomic
    def remove(self, session: Session, job_id: UUID) -> Job | None:
        """Removes a job that has ended and gives back what it was; None: there is none such."""
        job = session.get(Job, job_id)
        if job is None or job.state in UNFINISHED:
            return None
        session.delete(job)
        return job

    @atomic
    def recover(self, session: Session, holder: str) -> None:
        """At the holder's start: what it held when it died broke, what it attended is gone."""
        attended = delete(Job).where(Job.attendant == holder).returning(Job.id)
        dropped = session.scalars(attended).all()
        held = (
            select(Job)
            .where(Job.state == State.RUNNING, Job.holder == holder)
            .order_by(Job.sequence)
        )
        broken = session.scalars(held).all()
        for job in broken:
            self._break(session, job)
        self._announce(session, *dropped, *_ended_ids(broken))

    @atomic
    def expire(self, session: Session, healthy: Iterable[Job] = ()) -> int:
        """Breaks the attempts whose lease has run out; says how many.

        Args:
            session: the transaction's.
            healthy: claims that are at work; the leases of those that still stand are renewed
                first. All in one moment: when the clock jumps, they have run out as well.
        """
        now = self._clock()
        for claim in healthy:
            _write(session, claim, lease_until=now + self.lease_seconds)
        lapsed = (
            select(Job)
            .where(Job.state == State.RUNNING, Job.lease_until < now)
            .order_by(Job.sequence)
        )
        jobs = session.scalars(lapsed).all()
        for job in jobs:
            self._break(session, job)
        if jobs:
            self._announce(session, *_ended_ids(jobs))
        return len(jobs)

    @atomic
    def forget(self, session: Session, seconds: float, cancelled_seconds: float) -> list[str]:
        """Removes jobs that ended longer ago, and owners without jobs.

        Args:
            session: the transaction's.
            seconds: how long an ended job is kept.
            cancelled_seconds: how long a cancelled one is, which nobody will fetch.

        Returns:
            The pictures' file names.
        """
        now = self._clock()
        old = or_(
            Job.ended_at < now - seconds,
            and_(Job.state == State.CANCELLED, Job.ended_at < now - cancelled_seconds),
        )
        names = session.scalars(delete(Job).where(old).returning(Job.picture)).all()
        session.execute(delete(Owner).where(~exists().where(Job.owner == Owner.name)))
        return [name for name in names if name is not None]

    @atomic
    def pictures(self, session: Session) -> set[str]:
        """The file names of all committed pictures."""
        names = session.scalars(select(Job.picture).where(Job.picture.is_not(None)))
        return {name for name in names if name is not None}

    def _add(
        self, session: Session, job_id: UUID, request: JobRequest, attendant: str | None
    ) -> Job:
        choice = self.presets.choose(request.preset, request.steps, request.guidance_scale)
        owner = request.owner or ""
        if session.get(Owner, owner) is None:
            # As if never served, newcomers would come before all who wait for their second picture.
            last = session.scalar(select(func.max(Owner.served))) or 1
            session.add(Owner(name=owner, served=last - 1))
        job = Job(
            id=job_id,
            owner=owner,
            fingerprint=request.fingerprint(),
            state=State.QUEUED,
            sequence=_tick(session),
            attendant=attendant,
            prompt=request.prompt,
            negative_prompt=request.negative_prompt or "",
            width=request.width,
            height=request.height,
            preset=choice.preset,
            steps=choice.steps,
            guidance_scale=choice.guidance_scale,
            seed=secrets.randbelow(2**63) if request.seed is None else request.seed,
            attempts=0,
            fence=0,
        )
        session.add(job)
        return job

    def _lease(self, session: Session, job_id: UUID, holder: str, model: str) -> Job:
        turn = _tick(session)
        leased = update(Job).where(Job.id == job_id)
        until = self._clock() + self.lease_seconds
        leased = leased.values(state=State.RUNNING, attempts=Job.attempts + 1, fence=turn)
        leased = leased.values(holder=holder, lease_until=until, model=model)
        job = session.scalars(leased.returning(Job)).one()
        session.execute(update(Owner).where(Owner.name == job.owner).values(served=turn))
        return job

    def _break(self, session: Session, job: Job) -> None:
        job.holder = None
        if job.attempts < self.max_attempts:
            job.state = State.QUEUED
            job.sequence = _tick(session)
            return
        job.state = State.FAILED
        job.error_code = Fault.GAVE_UP
        job.error_words = f"The computation broke off {job.attempts} times; it was given up."
        job.ended_at = self._clock()

    def _end(self, session: Session, claim: Job, state: State, **values: Any) -> bool:
        ended = _write(session, claim, state=state, ended_at=self._clock(), **values)
        if ended:
            self._announce(session, claim.id)
        return ended


def _ended_ids(jobs: Iterable[Job]) -> list[UUID]:
    return [job.id for job in jobs if job.state not in UNFINISHED]


def _tick(session: Session) -> int:
    ticked = update(Clock).values(now=Clock.now + 1).returning(Clock.now)
    return session.execute(ticked).scalar_one()


def _standing(claim: Job) -> tuple[ColumnElement[bool], ...]:
    return Job.id == claim.id, Job.state == State.RUNNING, Job.fence == claim.fence


def _write(session: Session, claim: Job, **values: Any) -> bool:
    """Changes the job if the claim on it still stands."""
    result = session.execute(update(Job).where(*_standing(claim)).values(**values))
    return cast("CursorResult[Any]", result).rowcount > 0
