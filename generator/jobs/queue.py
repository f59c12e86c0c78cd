"""The job queue as callers use it: submit jobs, look them up, cancel and delete them."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from generator.jobs.clock import advance
from generator.jobs.database import JobDatabase
from generator.jobs.defaults import OfferedPresets
from generator.jobs.errors import JobConflict, QueueFull, UnknownImage
from generator.jobs.messages import Aspect, JobRequest
from generator.jobs.order import FAIR_ORDER, RUNNING, Line, QueuedJob
from generator.jobs.tables import UNFINISHED, Holder, Job, Owner, State
from generator.jobs.uploads import use
from lookalike import tracing
from lookalike.transactions import atomic

_QUEUE_RETRY_SECONDS = 10


@dataclass(frozen=True)
class Census:
    """How many jobs have not ended.

    Attributes:
        queued: that wait.
        running: that are computed.
        oldest_seconds: how long ago the oldest that waits was submitted; 0: none waits.
    """

    queued: int
    running: int
    oldest_seconds: float


class JobQueue:
    """The jobs, each method a transaction; see `JobDatabase` for what they raise.

    Attributes:
        events: wakes whoever waits for jobs to change.
    """

    def __init__(self, database: JobDatabase, presets: OfferedPresets, max_queue: int) -> None:
        """A queue in a database.

        Args:
            database: where the jobs are.
            presets: what fills in a request's defaults.
            max_queue: how many unfinished jobs there may be.
        """
        self.run = database.run
        self.events = database.events
        self._presets = presets
        self._max_queue = max_queue
        self._now = database.now
        self._take_snapshot = database.take_snapshot

    @atomic
    def submit(
        self, session: Session, job_id: UUID, request: JobRequest, waiter: str | None = None
    ) -> Job:
        """Puts a job into the queue; the same job again changes nothing.

        Args:
            session: the transaction's.
            job_id: chosen by the caller.
            request: what is asked for.
            waiter: the holder that the job dies with.

        Raises:
            JobConflict: another job is known under this id.
            QueueFull: there are too many unfinished jobs.
            PresetUnavailable: its preset cannot be used here.
            UnknownImage: the picture that it is to start from is not there.
        """
        if (known := _same(session, job_id, request)) is not None:
            return known  # which takes no room on a full disk
        sequence = advance(session)
        if (known := _same(session, job_id, request)) is not None:
            return known
        count = select(func.count()).where(Job.state.in_(UNFINISHED))
        if session.execute(count).scalar_one() >= self._max_queue:
            raise QueueFull(self._max_queue, _QUEUE_RETRY_SECONDS)
        job = self._add(session, job_id, request, waiter, sequence)
        self.events.announce(session)
        return job

    @atomic
    def get(self, session: Session, job_id: UUID) -> Job | None:
        """One job, if it is known."""
        return session.get(Job, job_id)

    @atomic
    def look_up(self, session: Session, ids: Collection[UUID]) -> tuple[dict[UUID, Job], Line]:
        """The jobs that are known, and what it takes to say when they will be finished.

        Returns:
            The jobs; and all unfinished ones, as far as one of the jobs is among them: the running
            ones for a running one, all for a queued one.
        """
        self._take_snapshot(
            session
        )  # else a job that begins meanwhile would be in it twice, or not
        found = session.scalars(select(Job).where(Job.id.in_(ids))).all()
        states = {job.state for job in found}
        order, capacity = [], 0
        if not states.isdisjoint(UNFINISHED):
            order += [QueuedJob(*row) for row in session.execute(RUNNING)]
        if State.QUEUED in states:  # only they need the fair order, which is the expensive part
            order += [QueuedJob(*row) for row in session.execute(FAIR_ORDER)]
            alive = Holder.alive_until >= self._now(session)
            capacity = session.scalar(select(func.sum(Holder.capacity)).where(alive)) or 0
        return {job.id: job for job in found}, Line(order, capacity)

    @atomic
    def census(self, session: Session) -> Census:
        """How many jobs there are."""
        rows = session.execute(
            select(Job.state, func.count(), func.min(Job.submitted_at))
            .where(Job.state.in_(UNFINISHED))
            .group_by(Job.state)
        ).all()
        counts = {state: count for state, count, _ in rows}
        oldest = {state: since for state, _, since in rows}.get(State.QUEUED)
        seconds = 0.0 if oldest is None else max(0.0, self._now(session) - oldest)
        return Census(counts.get(State.QUEUED, 0), counts.get(State.RUNNING, 0), seconds)

    @atomic
    def cancel(self, session: Session, job_id: UUID) -> Job | None:
        """Cancels a job and returns what it is now; None: it is not known, or has ended."""
        unfinished = exists().where(Job.id == job_id, Job.state.in_(UNFINISHED))
        if not session.scalar(unfinished.select()):
            return None  # which need not wait for the disk, nor for others
        advance(session)
        now = self._now(session)
        cancelled = session.scalar(
            update(Job)
            .where(Job.id == job_id, Job.state.in_(UNFINISHED))
            .values(state=State.CANCELLED, ended_at=now)
            .returning(Job)
        )
        if cancelled is not None:
            use(session, cancelled.init_sha256, now)
            self.events.announce(session, job_id)
        return cancelled

    @atomic
    def delete(self, session: Session, job_id: UUID) -> Job | None:
        """Deletes a job that has ended and returns what it was; None: there is no such job."""
        ended = exists().where(Job.id == job_id, Job.state.not_in(UNFINISHED))
        if not session.scalar(ended.select()):
            return None
        advance(session)
        job = session.get(Job, job_id)
        if job is None or job.state in UNFINISHED:
            return None
        session.delete(job)
        return job

    def _add(
        self,
        session: Session,
        job_id: UUID,
        request: JobRequest,
        waiter: str | None,
        sequence: int,
    ) -> Job:
        choice = self._presets.choose(request)
        aspect = self._use_init_image(session, request)
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
            sequence=sequence,
            waiter=waiter,
            prompt=request.prompt,
            negative_prompt=request.negative_prompt or "",
            width=request.width,
            height=request.height,
            preset=choice.preset,
            steps=choice.steps,
            guidance_scale=choice.guidance_scale,
            seed=secrets.randbelow(2**63) if request.seed is None else request.seed,
            init_sha256=request.init_image and request.init_image.sha256,
            init_strength=request.init_image and str(request.init_image.strength),
            aspect_width=aspect and aspect.width,
            aspect_height=aspect and aspect.height,
            attempts=0,
            fence=0,
            step=0,
            submitted_at=self._now(session),
            traceparent=tracing.current.get().traceparent or None,
        )
        session.add(job)
        return job

    def _use_init_image(self, session: Session, request: JobRequest) -> Aspect | None:
        """The proportions that a job's size follows: as asked, or its init image's."""
        if request.init_image is None:
            return request.aspect
        image = use(session, request.init_image.sha256, self._now(session))
        if image is None:
            raise UnknownImage(request.init_image.sha256)
        if request.has_size or request.aspect is not None:
            return request.aspect
        return Aspect(image.width, image.height)


def _same(session: Session, job_id: UUID, request: JobRequest) -> Job | None:
    """The job that is known under an id; None: none is.

    Raises:
        JobConflict: it is another one.
    """
    known = session.get(Job, job_id)
    if known is not None and known.fingerprint != request.fingerprint():
        raise JobConflict
    return known
