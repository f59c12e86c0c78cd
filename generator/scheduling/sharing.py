"""Tells other generators how far the jobs are that are computed here."""

import asyncio
import time
from collections.abc import Sequence

from generator.jobs.leases import Leases
from generator.observers import Observer
from generator.scheduling.progress import Progress
from lookalike.waiting import any_of

_SECONDS = 1.0


async def share_progress(
    leases: Leases, progress: Progress, observers: Sequence[Observer], stop: asyncio.Event
) -> None:
    """Writes the steps that were done, at most once a second for each job, until `stop` is set.

    Of what is done within a second nothing is written.
    """
    told = False
    while not stop.is_set():
        await any_of(stop, seconds=_SECONDS)
        news = [
            (job, job.step, batch.step_seconds)
            for batch in progress.batches
            if time.monotonic() - batch.began_at >= _SECONDS
            for job in batch.jobs
            if job.step != job.noted
        ]
        if not news:
            continue
        try:
            await leases.note_steps([(job.claim, step, seconds) for job, step, seconds in news])
        except OSError as error:  # nothing is lost; once is enough until it works again
            if not told:
                told = True
                for observer in observers:
                    observer.storage_failed("write progress", error)
            continue
        told = False
        for job, step, _ in news:
            job.noted = step
