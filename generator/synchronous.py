"""The synchronous call: a job in, and when it is done its picture."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from generator.jobs.errors import Fault, JobCancelled, JobError, JobFailed, Stopping
from generator.jobs.messages import JobRequest, JobState
from generator.jobs.queue import JobQueue
from generator.jobs.tables import UNFINISHED, Job, State
from generator.observers import Observer
from generator.service import Service
from lookalike.waiting import any_of

_STOP_RETRY_SECONDS = 10


class SynchronousCalls:
    """Calls that wait for their jobs. Its methods raise OSError where the storage fails."""

    def __init__(
        self,
        service: Service,
        queue: JobQueue,
        waiter: str,
        stop: asyncio.Event,
        observers: Sequence[Observer],
    ) -> None:
        """No call has come yet.

        Args:
            service: tells what came of a job.
            queue: the jobs.
            waiter: the holder that the jobs die with.
            stop: ends all waiting.
            observers: are told of jobs that could not be deleted.
        """
        self._service = service
        self._queue = queue
        self._waiter = waiter
        self._stop = stop
        self._observers = observers
        self._left = set[UUID]()

    async def generate(self, request: JobRequest, gone: asyncio.Event) -> tuple[JobState, bytes]:
        """Submits a job and waits for its end; `cancel_and_delete` is to follow.

        Without a picture it leaves nothing behind.

        Args:
            request: what is asked for.
            gone: set when nobody waits for the answer any more.

        Returns:
            The state, whose image is the picture itself; and the picture.

        Raises:
            JobFailed: the job ended without a picture.
            JobCancelled: somebody cancelled the job, or nobody waits for it any more.
            Stopping: the service stops.
            JobError: it was not taken, as by `Service.submit`, or its picture is lost.
        """
        self._service.check_disk()
        job_id = uuid4()
        ended = self._queue.events.ended(job_id)
        try:
            job: Job | None = await self._queue.submit(job_id, request, waiter=self._waiter)
        except OSError:
            self._left.add(job_id)  # the database may have broken off when it had taken it
            raise
        generated = False
        try:
            while _waits(job) and not (gone.is_set() or self._stop.is_set()):
                await any_of(ended, gone, self._stop)
                ended = self._queue.events.ended(job_id)
                job = await self._queue.get(job_id)
            if job is None or job.state != State.FINISHED:
                raise self._why(job)
            png = await self._service.png(job)
            generated = True
        finally:
            if not generated:
                await self.cancel_and_delete(job_id)
        state = self._service.describe(job)
        image = replace(state.image, png=png) if state.image is not None else None
        return replace(state, image=image), png

    async def cancel_and_delete(self, job_id: UUID) -> None:
        """Ends and deletes a job that nobody waits for.

        If that fails, the next call does it, or whoever notices that this process is gone.
        """
        self._left.add(job_id)
        for left in tuple(self._left):
            try:
                if await self._service.cancel_or_delete(left) is not None:
                    await self._service.cancel_or_delete(left)
            except JobError:
                pass  # somebody else has deleted it
            except OSError as error:  # the answer is none the worse
                for observer in self._observers:
                    observer.storage_failed("delete a job", error)
                return
            self._left.discard(left)

    def _why(self, job: Job | None) -> JobError:
        """Why a job has no picture, or is no longer waited for."""
        if job is None:
            return JobCancelled(None)
        if job.error_code is not None:
            return JobFailed(Fault(job.error_code), job.error_message or "")
        if job.state != State.CANCELLED and self._stop.is_set():
            return Stopping(_STOP_RETRY_SECONDS)
        return JobCancelled(job.state)


def _waits(job: Job | None) -> bool:
    return job is not None and job.state in UNFINISHED
