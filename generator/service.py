"""What the web service offers, without HTTP: submit, look, fetch, withdraw, and paint at once."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from generator.documents import Image, JobRequest, JobState
from generator.estimates import Outlook, outlooks
from generator.leases import JobTable
from generator.problems import Code, Fault, Problem
from generator.results import Results
from generator.tables import Job, State
from generator.worker import Worker
from lookalike.waiting import any_of

UNKNOWN = "unknown"

_CODES = {
    Fault.CANNOT_COMPUTE: Code.CANNOT_COMPUTE,
    Fault.GAVE_UP: Code.JOB_FAILED,
    Fault.REFUSED_BY_SAFETY: Code.REFUSED_BY_SAFETY,
}
"""What the caller of a synchronous call is told of how its job ended."""

_log = logging.getLogger(__name__)


class Service:
    """The jobs as callers see them.

    Attributes:
        worker: computes them.
    """

    def __init__(
        self, table: JobTable, results: Results, worker: Worker, stop: asyncio.Event
    ) -> None:
        """A service over a table that a worker works on; `stop` ends what waits."""
        self.worker = worker
        self._table = table
        self._results = results
        self._stop = stop

    async def submit(self, job_id: UUID, request: JobRequest) -> JobState:
        """Puts a job in line and tells its state; the same again is told again.

        Raises:
            Problem: another job is known under this id, the queue is full, or the preset is not
                available.
        """
        job = await self._table.submit(job_id, request)
        (state,) = await self.states([job_id])
        # Withdrawn in between: it was queued a moment ago, and that is the answer.
        return self._state(job, None) if state.state == UNKNOWN else state

    async def state(self, job_id: UUID) -> JobState:
        """The state of one job.

        Raises:
            Problem: it is not known.
        """
        (state,) = await self.states([job_id])
        if state.state == UNKNOWN:
            raise _unknown(job_id)
        return state

    async def states(self, ids: Sequence[UUID]) -> list[JobState]:
        """The states of jobs, in the order asked for."""
        jobs, line = await self._table.look(ids)
        worker = self.worker
        expected = outlooks(line, worker.model, worker.pace, worker.steps_done)
        return [
            self._state(jobs[job_id], expected.get(job_id))
            if job_id in jobs
            else JobState(job_id, UNKNOWN)
            for job_id in ids
        ]

    async def image(self, job_id: UUID) -> Job:
        """The record of a finished job, whose sha256 is its picture's.

        Raises:
            Problem: the job is not known, or has no picture.
        """
        job = await self._table.get(job_id)
        if job is None:
            raise _unknown(job_id)
        if job.state != State.FINISHED:
            raise Problem(Code.NO_IMAGE, f"The job is {job.state}.")
        return job

    async def preview(self, job_id: UUID) -> bytes:
        """The newest preview of a running job, a JPEG.

        Raises:
            Problem: the job is not known, or has none.
        """
        job = await self._table.get(job_id)
        if job is None:
            raise _unknown(job_id)
        preview = self.worker.preview(job_id) if job.state == State.RUNNING else None
        if preview is None:
            raise Problem(Code.NO_PREVIEW, f"The job is {job.state}.")
        return preview

    async def png(self, job: Job) -> bytes:
        """The bytes of a finished job's picture.

        Raises:
            Problem: they are gone or damaged, and now the job is gone too: submitted again, it is
                computed again.
        """
        name, sha256 = job.picture or "", job.sha256 or ""
        try:
            return await asyncio.to_thread(self._results.read, name, sha256)
        except FileNotFoundError as error:
            if await self._table.remove(job.id) is not None:
                _log.error("Job %s is forgotten, for its picture is lost: %s.", job.id, error)
                await asyncio.to_thread(self._results.remove, name)
            raise Problem(Code.NO_IMAGE, "The picture is gone; submit the job again.") from None

    async def withdraw(self, job_id: UUID) -> JobState | None:
        """Cancels a job that has not ended; removes one that has, and its picture.

        Returns:
            The state of the cancelled job; None: it was removed.

        Raises:
            Problem: it is not known.
        """
        cancelled = await self._table.cancel(job_id)
        if cancelled is not None:
            return self._state(cancelled, None)
        removed = await self._table.remove(job_id)
        if removed is None:
            raise _unknown(job_id)
        if removed.picture is not None:
            await asyncio.to_thread(self._results.remove, removed.picture)
        return None

    async def paint(self, request: JobRequest, gone: asyncio.Event) -> tuple[JobState, bytes]:
        """Submits a job and waits for its end; `clear` is to follow.

        Without a picture it leaves nothing behind.

        Args:
            request: what is asked for.
            gone: set when nobody waits for the answer any more.

        Returns:
            The state, whose image is the picture itself; and the picture.

        Raises:
            Problem: there is no picture; it says why.
        """
        job_id = uuid4()
        ended = self._table.ended(job_id)
        await self._table.submit(job_id, request, attendant=self.worker.holder)
        painted = False
        try:
            await any_of(ended, gone, self._stop)
            job = await self._table.get(job_id)
            if job is None or job.state != State.FINISHED:
                raise self._outcome(job)
            png = await self.png(job)
            state = self._state(job, None)
            image = replace(state.image, png=png) if state.image is not None else None
            painted = True
            return replace(state, image=image), png
        finally:
            if not painted:
                await self.clear(job_id)

    def _outcome(self, job: Job | None) -> Problem:
        """Why a job has no picture, or is no longer waited for."""
        if job is None:
            return Problem(Code.JOB_CANCELLED, "The job was removed while it was waited for.")
        if job.error_code is not None:
            return Problem(_CODES[Fault(job.error_code)], job.error_words or "")
        if job.state == State.CANCELLED:
            return Problem(Code.JOB_CANCELLED, "The job was cancelled while it was waited for.")
        if self._stop.is_set():
            return Problem(Code.STOPPING, "Ask again in a moment.", headers={"Retry-After": "10"})
        return Problem(Code.JOB_CANCELLED, "Nobody waits for the job any more.")

    async def clear(self, job_id: UUID) -> None:
        """Cancels and removes a job that nobody waits for; if that fails, the next start does."""
        try:
            if await self.withdraw(job_id) is not None:
                await self.withdraw(job_id)
        except Problem:
            return  # somebody else has removed it
        except OSError as error:  # the answer is not worse for it; the next start removes the job
            _log.error("Job %s could not be removed: %s.", job_id, error)

    def _state(self, job: Job, outlook: Outlook | None) -> JobState:
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
        )
        if outlook is not None:
            state = replace(state, position=outlook.position, eta_seconds=outlook.eta_seconds)
        if job.state == State.RUNNING:
            state = replace(
                state,
                progress=(self.worker.steps_done(job.id), job.steps),
                preview=self.worker.preview(job.id) is not None,
            )
        if job.picture_width and job.picture_height and job.sha256:
            state = replace(state, image=Image(job.picture_width, job.picture_height, job.sha256))
        if job.error_code is not None:
            state = replace(state, error=(job.error_code, job.error_words or ""))
        return state


def _unknown(job_id: UUID) -> Problem:
    return Problem(Code.UNKNOWN_JOB, f"There is no job {job_id}.")
