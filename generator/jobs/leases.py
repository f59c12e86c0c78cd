"""The job queue as a worker uses it: claims, and how they end.

Jobs are claimed in their fair order: owners take turns, the one served longest ago first, first in
first out within one. A claim is a lease: whoever computes a job holds it for a while, and renews
it. A claim is fenced: it has a number of its own, and once it is lost, its holder's writes change
nothing. A batch is several claims, taken in one transaction as if one after another; each ends by
itself.

A holder is one process, and no other ever has its name. It says again and again that it is alive;
what one held that says so no more, or is known to be dead, is freed by whoever notices.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from generator.jobs.clock import advance
from generator.jobs.database import JobDatabase
from generator.jobs.errors import Fault
from generator.jobs.order import FAIR_ORDER, QueuedJob
from generator.jobs.results import StoredImage
from generator.jobs.tables import UNFINISHED, Holder, Job, Owner, State
from generator.jobs.uploads import use
from lookalike.transactions import atomic

BatchSize = Callable[[Sequence[QueuedJob], int], int]
"""How many jobs to take, at least one: of the first ones in the order, and how many wait in all.
Called within the transaction, in the database's thread."""

_RENEWALS = 4
"""How often a lease is renewed before it would run out."""

_QUEUED = exists().where(Job.state == State.QUEUED).select()


class Leases:
    """One holder's claims, each method a transaction; see `JobDatabase` for what they raise.

    Attributes:
        holder: its name, no other process's.
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
            holder: who claims, a name that no other process has or had.
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
        self._fence = 0

    @atomic
    def recover(self, session: Session, *dead: str) -> int:
        """At the holder's start: it is alive, and what the dead held is free.

        The attempts that they died in broke, and their callers are gone.

        Args:
            session: the transaction's.
            dead: holders that are known to be dead; those that do not say that they are alive are
                taken for dead, too.

        Returns:
            The holder's own fence.
        """
        self._fence = advance(session)
        now = self._clock()
        self._bury(session, {*dead, *session.scalars(self._silent(now))})
        self._live(session, now, capacity=0)
        return self._fence

    @atomic
    def leave(self, session: Session) -> None:
        """At the holder's end: should it hold anything yet, others free it now."""
        mine = update(Holder).where(Holder.name == self.holder)
        session.execute(mine.values(alive_until=0.0, capacity=0))

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
        if not session.scalar(_QUEUED):  # else those who look in vain would wake one another
            return []
        turn = advance(session)
        first = [QueuedJob(*row) for row in session.execute(FAIR_ORDER.limit(most))]
        if not first:
            return []
        waiting = len(first)
        if waiting == most:
            count = select(func.count()).where(Job.state == State.QUEUED)
            waiting = session.execute(count).scalar_one()
        ids = [queued.id for queued in first[: size(first, waiting)]]
        fences = [turn, *(advance(session) for _ in ids[1:])]
        jobs = [
            self._lease(session, job_id, model, fence, batch=turn)
            for job_id, fence in zip(ids, fences, strict=True)
        ]
        self.events.announce(session)
        return jobs

    @atomic
    def held(self, session: Session, claims: Iterable[Job]) -> set[UUID]:
        """The jobs of these claims that still stand."""
        either = or_(*(and_(*_stands(claim)) for claim in claims))
        return set(session.scalars(select(Job.id).where(either)))

    @atomic
    def renew(self, session: Session, healthy: Iterable[Job] = (), capacity: int = 0) -> int:
        """Renews leases, and breaks the attempts whose lease has run out; says how many.

        What those held who are dead is freed as well.

        Args:
            session: the transaction's.
            healthy: claims that are at work; the leases of those that still stand are renewed
                first. All in one moment: when the clock jumps, they have run out as well.
            capacity: how many batches the holder computes at once.
        """
        now = self._clock()
        expired = and_(Job.state == State.RUNNING, Job.lease_until < now)
        late = session.scalar(select(or_(exists().where(expired), self._silent(now).exists())))
        if late:
            advance(session)
        for claim in sorted(healthy, key=_turn):
            _write(session, claim, lease_until=now + self._lease_seconds)
        broken = 0
        if late:
            broken += self._break_all(session, expired)
            broken += self._bury(session, session.scalars(self._silent(now)).all())
        self._live(session, now, capacity)
        return broken

    @atomic
    def note_steps(self, session: Session, steps: Iterable[tuple[Job, int, float | None]]) -> None:
        """Tells all others how far claims are, as far as these still stand.

        Args:
            session: the transaction's.
            steps: for each claim how many are done, and what one takes, in seconds, if known.
        """
        for claim, step, seconds in sorted(steps, key=lambda each: _turn(each[0])):
            _write(session, claim, step=step, step_seconds=seconds)

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
        advance(session)
        return self._break_all(session, and_(*_stands(claim))) > 0

    @atomic
    def release(self, session: Session, claim: Job) -> bool:
        """Gives the claim back unharmed: to the very front, as if it had not been tried.

        Returns:
            False: the claim is lost.
        """
        advance(session)
        released = _write(
            session, claim, state=State.QUEUED, holder=None, attempts=claim.attempts - 1
        )
        if not released:
            return False
        turn = update(Owner).where(Owner.name == claim.owner).values(served=0)
        session.execute(turn)
        self.events.announce(session)
        return True

    def _lease(self, session: Session, job_id: UUID, model: str, fence: int, batch: int) -> Job:
        leased = update(Job).where(Job.id == job_id)
        until = self._clock() + self._lease_seconds
        leased = leased.values(state=State.RUNNING, attempts=Job.attempts + 1, model=model)
        leased = leased.values(fence=fence, batch=batch, step=0, step_seconds=None)
        leased = leased.values(holder=self.holder, lease_until=until)
        job = session.scalars(leased.returning(Job)).one()
        session.execute(update(Owner).where(Owner.name == job.owner).values(served=fence))
        return job

    def _live(self, session: Session, now: float, capacity: int) -> None:
        values = {"alive_until": now + self._lease_seconds, "capacity": capacity}
        mine = update(Holder).where(Holder.name == self.holder).values(**values)
        if cast("CursorResult[Any]", session.execute(mine)).rowcount == 0:
            session.add(Holder(name=self.holder, fence=self._fence, **values))

    def _silent(self, now: float) -> Select[str]:
        """Those that have not said for so long that they are alive that they are dead."""
        return select(Holder.name).where(Holder.alive_until < now, Holder.name != self.holder)

    def _bury(self, session: Session, dead: Collection[str]) -> int:
        """Frees what the dead held; says how many attempts of theirs broke."""
        if not dead:
            return 0
        waited_for = delete(Job).where(Job.waiter.in_(dead)).returning(Job.id)
        dropped = session.scalars(waited_for).all()
        if dropped:
            self.events.announce(session, *dropped)
        held = and_(Job.state == State.RUNNING, Job.holder.in_(dead))
        broken = self._break_all(session, held)
        # Last, as whoever is alive after all writes its jobs' rows first, too.
        session.execute(delete(Holder).where(Holder.name.in_(dead)))
        return broken

    def _break_all(self, session: Session, which: ColumnElement[bool]) -> int:
        """Breaks the attempts at these jobs; says how many there were."""
        broken = select(Job).where(which).order_by(Job.sequence).with_for_update()
        jobs = session.scalars(broken).all()
        for job in jobs:
            self._break(session, job)
        if jobs:
            self.events.announce(session, *(j.id for j in jobs if j.state not in UNFINISHED))
        return len(jobs)

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
        advance(session)
        now = self._clock()
        ended = _write(session, claim, state=state, ended_at=now, **values)
        if ended:
            use(session, claim.init_sha256, now)
            self.events.announce(session, claim.id)
        return ended


def _turn(claim: Job) -> int:
    """In which order rows are locked, everywhere, so that no two wait for each other."""
    return claim.sequence


def _stands(claim: Job) -> tuple[ColumnElement[bool], ...]:
    return Job.id == claim.id, Job.state == State.RUNNING, Job.fence == claim.fence


def _write(session: Session, claim: Job, **values: Any) -> bool:
    """Changes the job if the claim on it still stands."""
    result = session.execute(update(Job).where(*_stands(claim)).values(**values))
    return cast("CursorResult[Any]", result).rowcount > 0
