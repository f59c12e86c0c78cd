"""Deletes what nobody needs any more: old jobs, old uploads, and pictures that no row names."""

import asyncio
import time
from collections.abc import Sequence

from sqlalchemy import and_, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from generator.jobs.clock import advance
from generator.jobs.database import JobDatabase
from generator.jobs.results import Results, fence_of
from generator.jobs.tables import Holder, Job, Owner, State, UploadedImage
from generator.jobs.uploads import Uploads
from generator.observers import Observer
from lookalike.transactions import atomic
from lookalike.waiting import any_of

KEEP_SECONDS = 7 * 24 * 3600.0
"""How long a job that nobody deleted is kept after its end."""

KEEP_CANCELLED_SECONDS = 3600.0
"""Likewise one that was cancelled: there is nothing to fetch of it."""

_SWEEP_SECONDS = 3600.0

_AT_ONCE = 1000
"""Jobs that are deleted in one transaction, for which everybody waits."""

_UNNAMED_SECONDS = 24 * 3600.0
"""A picture is stored moments before a row names it, or long before if the database's disk
is full in between. The hourly sweep takes older ones alone."""


class Maintenance:
    """Keeps the database and the stored pictures small."""

    def __init__(
        self,
        database: JobDatabase,
        results: Results,
        uploads: Uploads,
        observers: Sequence[Observer],
    ) -> None:
        """Maintains a database and its pictures.

        Args:
            database: where the jobs are.
            results: where the pictures are.
            uploads: those that jobs start from.
            observers: are told what was deleted.
        """
        self.run = database.run
        self._truncate_log = database.truncate_log
        self._remove_old_copies = database.remove_old_copies
        self._results = results
        self._uploads = uploads
        self._observers = observers
        self._now = database.now

    async def maintain(self, stop: asyncio.Event, seconds: float) -> None:
        """Expires what is old every so many seconds, and sweeps every hour, until `stop` is set."""
        swept_at = time.monotonic()
        told = False
        while not stop.is_set():
            try:
                await self.expire(KEEP_SECONDS, KEEP_CANCELLED_SECONDS)
                await self._uploads.expire()
                await self._truncate_log()  # what was deleted may be somebody's who is forgotten
                if time.monotonic() - swept_at > _SWEEP_SECONDS:
                    await self.sweep(_UNNAMED_SECONDS)
                    swept_at = time.monotonic()
                told = False
            except OSError as error:  # once is enough until it works again
                if not told:
                    told = True
                    for observer in self._observers:
                        observer.storage_failed("delete what is old", error)
            await any_of(stop, seconds=seconds)

    async def expire(self, seconds: float, cancelled_seconds: float) -> None:
        """Deletes jobs that ended longer ago, with their pictures, and owners without jobs.

        Args:
            seconds: how long an ended job is kept.
            cancelled_seconds: how long a cancelled one is.

        Raises:
            OSError: see `JobDatabase`.
        """
        while keys := await self._expire(seconds, cancelled_seconds):
            await self._results.discard(key for key in keys if key is not None)
            for observer in self._observers:
                observer.jobs_expired(len(keys))

    async def sweep(self, older_than: float = 0.0) -> None:
        """Deletes pictures that nobody will name, and copies from before an upgrade that are old.

        A picture may yet be named as long as its writer is known: the claim that it was computed
        for, or the process that it was uploaded to.

        Args:
            older_than: in seconds; younger pictures are left alone.

        Raises:
            OSError: the database or the storage fails.
        """
        await self._remove_old_copies()
        stored = await self._results.stored(older_than)
        named, fences = await self._named()
        unnamed = [key for key in stored if key not in named and fence_of(key) not in fences]
        if unnamed:
            await self._results.discard(unnamed)
            for observer in self._observers:
                observer.images_swept(len(unnamed))

    @atomic
    def _expire(
        self, session: Session, seconds: float, cancelled_seconds: float
    ) -> Sequence[str | None]:
        """Deletes some; the keys of their pictures, None for one that had none."""
        now = self._now(session)
        # An earlier start's clock was ahead: counted from now on, they are not kept for ever.
        ahead = Job.ended_at > now
        old = or_(
            Job.ended_at < now - seconds,
            and_(Job.state == State.CANCELLED, Job.ended_at < now - cancelled_seconds),
        )
        idle = ~exists().where(Job.owner == Owner.name)
        any_job, any_owner = exists().where(or_(ahead, old)), exists(Owner).where(idle)
        if not session.scalar(select(or_(any_job, any_owner))):
            return []
        advance(session)
        session.execute(update(Job).where(ahead).values(ended_at=now))
        some = select(Job.id).where(old).limit(_AT_ONCE)
        gone = delete(Job).where(Job.id.in_(some)).returning(Job.image_key)
        keys = session.scalars(gone).all()
        session.execute(delete(Owner).where(idle))
        return keys

    @atomic
    def _named(self, session: Session) -> tuple[set[str | None], set[int]]:
        """The keys of pictures that rows name, and the fences of those who may name others."""
        # The fences first: the picture of a claim that ends in between is among the keys then.
        claims = select(Job.fence).where(Job.state == State.RUNNING)
        fences = set(session.scalars(claims.union_all(select(Holder.fence))))
        computed = select(Job.image_key).where(Job.image_key.is_not(None))
        return set(session.scalars(computed.union_all(select(UploadedImage.key)))), fences
