"""The job queue as a worker uses it: claims, and how they end.

Jobs are claimed in their fair order: owners take turns, the one served longest ago first, first in
first out within one. A claim is a lease: whoever computes a job holds it for a while, and renews
it. A claim is fenced: it has a number of its own, and once it is lost, its holder's writes change
nothing. A batch is several claims, taken in one transaction as if one after another; each ends by
itself.

A holder is one process, and no other ever has its name. It says again and again that it is alive;
what one held that says so no more, or is known to be dead, is freed by whoever notices. Whoever
could not say so itself for a while concludes nothing from others' silence until all have had the
time to speak: a database that was away costs nobody an attempt.
"""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    and_,
    delete,
    exists,
    func,
    literal,
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
from lookalike.text import printable
from lookalike.transactions import atomic

BatchSize = Callable[[Sequence[QueuedJob], int], int]
"""How many jobs to take, at least one: of the first ones in the order, and how many wait in all.
Called within the transaction, in the database's thread."""

_RENEWALS = 4
"""How often a lease is renewed before it would run out."""

_MISSED = 2
"""Whoever has missed so many renewals concludes nothing from others' silence."""

_LEFT = 0.0
"""Until when those are alive that have left."""

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
    ) -> None:
        """Claims in a database.

        Args:
            database: where the jobs are.
            holder: who claims, a name that no other process has or had.
            max_attempts: after how many broken attempts a job is given up.
            lease_seconds: how long a claim holds without renewal.
        """
        self.run = database.run
        self.events = database.events
        self.holder = holder
        self.max_attempts = max_attempts
        self.renew_seconds = lease_seconds / _RENEWALS
        self._lease_seconds = lease_seconds
        self._now = database.now
        self._fence = 0
        self._renewed_at = -math.inf
        self._here_since = math.inf
        self._unsure = False

    @atomic
    def recover(self, session: Session, *dead: str) -> int:
        """At the holder's start: it is alive, and what the dead held is free.

        The attempts that they died in broke, and their callers are gone.

        Args:
            session: the transaction's.
            dead: holders that are known to be dead, besides those that have left.

        Returns:
            The holder's own fence.
        """
        self._fence = advance(session)
        self._bury(session, self._silent_since(_LEFT), dead)
        self._live(session, self._now(session), capacity=0)
        return self._fence

    @atomic
    def leave(self, session: Session) -> None:
        """At the holder's end: should it hold anything yet, others free it now."""
        mine = update(Holder).where(Holder.name == self.holder)
        session.execute(mine.values(alive_until=_LEFT, capacity=0))

    async def claim(
        self, model: str, size: BatchSize, most: int, known: Iterable[Job] = ()
    ) -> list[Job]:
        """Leases the job whose turn it is, and maybe some that follow; that is an attempt of each.

        Args:
            model: what will compute them.
            size: says how many to take.
            most: how many jobs `size` wants to see.
            known: the holder's claims that are at work: others that it has without knowing, since
                the database broke off when it had committed them, are given back before.

        Returns:
            The claims in the order of their turns; empty: none waits.
        """
        if self._unsure:
            await self._release_all_but([claim.fence for claim in known])
            self._unsure = False
        try:
            return await self._claim(model, size, most)
        except OSError:
            self._unsure = True
            raise

    @atomic
    def _claim(self, session: Session, model: str, size: BatchSize, most: int) -> list[Job]:
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
        until = self._now(session) + self._lease_seconds
        common = {"model": model, "batch": turn, "holder": self.holder, "lease_until": until}
        jobs = [
            _lease(session, job_id, fence, **common)
            for job_id, fence in zip(ids, fences, strict=True)
        ]
        self.events.announce(session)
        return jobs

    @atomic
    def held(self, session: Session, claims: Iterable[Job]) -> set[UUID]:
        """The jobs of these claims that still stand."""
        either = or_(*(and_(*_stands(claim)) for claim in claims))
        return set(session.scalars(select(Job.id).where(either)))

    async def renew(self, healthy: Iterable[Job] = (), capacity: int = 0) -> int:
        """Renews leases, and breaks the attempts whose lease has run out; says how many.

        What those held who are dead is freed as well.

        Args:
            healthy: claims that are at work; the leases of those that still stand are renewed
                first. All in one moment: when the clock jumps, they have run out as well.
            capacity: how many batches the holder computes at once.
        """
        broken, self._renewed_at, self._here_since = await self._renew(healthy, capacity)
        return broken

    @atomic
    def _renew(
        self, session: Session, healthy: Iterable[Job], capacity: int
    ) -> tuple[int, float, float]:
        """How many broke; the time, and since when the holder has missed no renewals."""
        now = self._now(session)
        missed = now - self._renewed_at > _MISSED * self.renew_seconds
        since = now if missed else self._here_since
        others_spoke = now - since >= self._lease_seconds
        expired = and_(Job.state == State.RUNNING, Job.lease_until < now)
        if not others_spoke:
            expired = and_(expired, Job.holder == self.holder, literal(not self._unsure))
        silent = self._silent_since(now if others_spoke else _LEFT)
        if late := session.scalar(select(or_(exists().where(expired), exists().where(silent)))):
            advance(session)
        for claim in sorted(healthy, key=_turn):
            _write(session, claim, lease_until=now + self._lease_seconds)
        broken = 0
        if late:
            broken += self._break_all(session, expired)
            broken += self._bury(session, silent)
        self._live(session, now, capacity)
        return broken, now, since

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
        told = printable(message, "\ufffd")  # PostgreSQL takes no NUL, and no caller is told one
        return self._end(session, claim, state, error_code=fault.value, error_message=told)

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
        return self._release(session, claim)

    @atomic
    def _release_all_but(self, session: Session, fences: Collection[int]) -> None:
        """Gives all of the holder's claims back unharmed, but those with these fences."""
        advance(session)
        mine = and_(Job.state == State.RUNNING, Job.holder == self.holder)
        others = select(Job).where(mine, Job.fence.not_in(fences)).order_by(Job.sequence)
        for claim in session.scalars(others).all():
            self._release(session, claim)

    def _release(self, session: Session, claim: Job) -> bool:
        released = _write(
            session, claim, state=State.QUEUED, holder=None, attempts=claim.attempts - 1
        )
        if not released:
            return False
        turn = update(Owner).where(Owner.name == claim.owner).values(served=0)
        session.execute(turn)
        self.events.announce(session)
        return True

    def _live(self, session: Session, now: float, capacity: int) -> None:
        values = {"alive_until": now + self._lease_seconds, "capacity": capacity}
        mine = update(Holder).where(Holder.name == self.holder).values(**values)
        if cast("CursorResult[Any]", session.execute(mine)).rowcount == 0:
            session.add(Holder(name=self.holder, fence=self._fence, **values))

    def _silent_since(self, time: float) -> ColumnElement[bool]:
        """The others that were to say until then that they are alive, and did not."""
        return and_(Holder.alive_until <= time, Holder.name != self.holder)

    def _bury(
        self, session: Session, silent: ColumnElement[bool], known: Collection[str] = ()
    ) -> int:
        """Frees what the dead held, the silent and the known; says how many attempts broke."""
        dead = {*known, *session.scalars(select(Holder.name).where(silent))}
        if not dead:
            return 0
        waited_for = delete(Job).where(Job.waiter.in_(dead)).returning(Job.id)
        dropped = session.scalars(waited_for).all()
        if dropped:
            self.events.announce(session, *dropped)
        held = and_(Job.state == State.RUNNING, Job.holder.in_(dead))
        broken = self._break_all(session, held)
        # Last, as whoever is alive after all writes its jobs' rows first, too; if so, it stays.
        gone = and_(Holder.name.in_(dead), or_(silent, Holder.name.in_(known)))
        session.execute(delete(Holder).where(gone))
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
        job.ended_at = self._now(session)
        use(session, job.init_sha256, job.ended_at)

    def _end(self, session: Session, claim: Job, state: State, **values: Any) -> bool:
        advance(session)
        now = self._now(session)
        ended = _write(session, claim, state=state, ended_at=now, **values)
        if ended:
            use(session, claim.init_sha256, now)
            self.events.announce(session, claim.id)
        return ended


def _turn(claim: Job) -> int:
    """In which order rows are locked, everywhere, so that no two wait for each other."""
    return claim.sequence


def _lease(session: Session, job_id: UUID, fence: int, **values: Any) -> Job:
    leased = update(Job).where(Job.id == job_id).values(fence=fence, **values)
    leased = leased.values(state=State.RUNNING, attempts=Job.attempts + 1)
    leased = leased.values(step=0, step_seconds=None).returning(Job)
    job = session.scalars(leased).one()
    session.execute(update(Owner).where(Owner.name == job.owner).values(served=fence))
    return job


def _stands(claim: Job) -> tuple[ColumnElement[bool], ...]:
    return Job.id == claim.id, Job.state == State.RUNNING, Job.fence == claim.fence


def _write(session: Session, claim: Job, **values: Any) -> bool:
    """Changes the job if the claim on it still stands."""
    result = session.execute(update(Job).where(*_stands(claim)).values(**values))
    return cast("CursorResult[Any]", result).rowcount > 0
