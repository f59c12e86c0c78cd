"""What the web service offers, without HTTP: submit jobs, look, fetch, cancel and delete."""

import errno
import os
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from generator.jobs.errors import ImageLost, NoImage, NoPreview, UnknownJob
from generator.jobs.messages import Image, JobRequest, JobState
from generator.jobs.queue import JobQueue
from generator.jobs.results import Results
from generator.jobs.tables import Job, State
from generator.observers import Observer
from generator.scheduling.estimates import Outlook, StepTimes, outlooks
from generator.scheduling.progress import Progress
from generator.scheduling.shapes import steps_of

UNKNOWN = "unknown"
"""The state of a job that nobody submitted, where many are asked for."""


class Service:
    """The jobs as callers see them. Its methods raise OSError where the storage fails."""

    def __init__(
        self,
        queue: JobQueue,
        results: Results,
        progress: Progress,
        times: StepTimes,
        observers: Sequence[Observer],
    ) -> None:
        """A service over a queue that a worker works on.

        Args:
            queue: the jobs.
            results: their pictures.
            progress: how far those are that run here.
            times: how long steps take.
            observers: are told of what is lost.
        """
        self._queue = queue
        self._results = results
        self._progress = progress
        self._times = times
        self._observers = observers

    async def submit(self, job_id: UUID, request: JobRequest) -> JobState:
        """Puts a job into the queue and tells its state; the same job again is the same.

        Raises:
            JobConflict: another job is known under this id.
            QueueFull: there are too many unfinished jobs.
            PresetUnavailable: its preset cannot be used here.
            UnknownImage: the picture that it is to start from is not there.
            OSError: also while a picture waits for room on the disk; then no job is taken.
        """
        if self._progress.disk_full and await self._queue.get(job_id) is None:
            self.check_disk()
        job = await self._queue.submit(job_id, request)
        (state,) = await self.states([job_id])
        # If it was deleted in between: it was queued a moment ago, and that is the answer.
        return self.describe(job) if state.state == UNKNOWN else state

    def check_disk(self) -> None:
        """Raises OSError while a picture waits for room on the disk: no job is taken then."""
        if self._progress.disk_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def state(self, job_id: UUID) -> JobState:
        """The state of one job.

        Raises:
            UnknownJob: there is none.
        """
        (state,) = await self.states([job_id])
        if state.state == UNKNOWN:
            raise UnknownJob(job_id)
        return state

    async def states(self, ids: Sequence[UUID]) -> list[JobState]:
        """The states of jobs, in the order asked for."""
        jobs, line = await self._queue.look_up(ids)
        progress = self._progress
        now = replace(line, jobs=[progress.refresh(job) for job in line.jobs])
        expected = outlooks(now, progress.model, self._times)
        return [
            self.describe(jobs[job_id], expected.get(job_id))
            if job_id in jobs
            else JobState(job_id, UNKNOWN)
            for job_id in ids
        ]

    async def finished(self, job_id: UUID) -> Job:
        """The record of a finished job.

        Raises:
            UnknownJob: there is none.
            NoImage: it has not finished.
        """
        job = await self._known(job_id)
        if job.state != State.FINISHED:
            raise NoImage(job.state)
        return job

    async def png(self, job: Job) -> bytes:
        """The bytes of a finished job's picture.

        Raises:
            ImageLost: they are gone or damaged, and now the job is gone too: submitted again, it is
                computed again.
        """
        key, sha256 = job.image_key or "", job.image_sha256 or ""
        try:
            return await self._results.read(key, sha256)
        except FileNotFoundError as error:
            if await self._queue.delete(job.id) is not None:
                await self._results.discard([key])
                for observer in self._observers:
                    observer.image_lost(job.id, error)
            raise ImageLost from None

    async def preview(self, job_id: UUID) -> bytes:
        """The newest preview of a running job, a JPEG.

        Raises:
            UnknownJob: there is no such job.
            NoPreview: it does not run, has none yet, or runs elsewhere.
        """
        job = await self._known(job_id)
        preview = self._progress.preview(job_id) if job.state == State.RUNNING else None
        if preview is None:
            raise NoPreview(job.state)
        return preview

    async def cancel_or_delete(self, job_id: UUID) -> JobState | None:
        """Cancels a job that has not ended; deletes one that has, and its picture.

        Returns:
            The state of the cancelled job; None: it was deleted.

        Raises:
            UnknownJob: there is none.
        """
        cancelled = await self._queue.cancel(job_id)
        if cancelled is not None:
            return self.describe(cancelled)
        deleted = await self._queue.delete(job_id)
        if deleted is None:
            raise UnknownJob(job_id)
        if deleted.image_key is not None:
            await self._results.discard([deleted.image_key])
        return None

    def describe(self, job: Job, outlook: Outlook | None = None) -> JobState:
        """What is told of a job.

        Args:
            job: its record.
            outlook: if it has not ended.
        """
        state = JobState(
            id=job.id,
            state=job.state,
            attempt=job.attempts,
            owner=job.owner,
            model=job.model or "",
            seed=job.seed,
            image=_image(job),
        )
        if outlook is not None:
            state = replace(state, position=outlook.position, eta_seconds=outlook.eta_seconds)
        model = self._progress.model
        if job.state == State.RUNNING and model is not None:
            state = replace(
                state,
                progress=(self._progress.steps_done(job), steps_of(job, model)),
                preview=self._progress.preview(job.id) is not None,
            )
        if job.error_code is not None:
            state = replace(state, error=(job.error_code, job.error_message or ""))
        return state

    async def _known(self, job_id: UUID) -> Job:
        job = await self._queue.get(job_id)
        if job is None:
            raise UnknownJob(job_id)
        return job


def _image(job: Job) -> Image | None:
    if job.image_width and job.image_height and job.image_sha256:
        return Image(job.image_width, job.image_height, job.image_sha256)
    return None
