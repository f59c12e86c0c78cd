"""queued, running: look at the jobs, and act on what the generator says of them."""

import asyncio
from collections.abc import Sequence
from functools import partial

from bot.clients.documents import Job
from bot.clients.generator import GeneratorUnavailable, JobRejected
from bot.health import Health
from bot.services import Services
from bot.stages import fetch
from bot.work import status_message
from bot.work.item import Part, WorkItem
from bot.work.progress import overall
from protos.lookalike.db.v1 import db_pb2 as db

_UNDER_WAY = (db.GENERATION_STATE_QUEUED, db.GENERATION_STATE_RUNNING)


async def run(item: WorkItem, services: Services) -> None:
    """The stage. What the submission was answered is as good as a look."""
    parts = item.open_parts
    jobs = await asyncio.gather(*(_look(item, part, services) for part in parts))
    if None in jobs:
        # Not put off: each tick looks again, in one request for all that wait for the generator.
        text = item.texts.waiting("generator-unavailable")
        await status_message.show(item, services.messenger, text)
    for part, job in zip(parts, jobs, strict=True):
        if job is not None:
            await _act(item, part, job, services)
    known = [job for job in jobs if job is not None]
    if item.state in _UNDER_WAY and len(known) == len(parts):
        await _go_on(item, services, known)


async def _look(item: WorkItem, part: Part, services: Services) -> Job | None:
    """What the generator says of a job; None while it is unavailable."""
    if (news := item.memory.take_news(part.id)) is not None:
        return news
    try:
        job = await services.generator.get_job(part.id)
    except (GeneratorUnavailable, JobRejected) as error:
        services.generator_health.failing(Health.UNAVAILABLE, error)
        return None
    services.generator_health.ok()
    item.memory.job_seen(part.id, job)
    return job


async def _act(item: WorkItem, part: Part, job: Job, services: Services) -> None:
    """Takes what a job has come to, if it has ended."""
    match job.state:
        case "finished":
            await fetch.run(item, part, job, services)
        case "refused":
            error = db.Error(code=job.error_code, message=job.error)
            await item.finalize(part, refused=error)
        case "failed" | "cancelled":
            error = db.Error(code=job.error_code or "job-cancelled", message=job.error)
            await item.finalize(part, failed=error)


async def _go_on(item: WorkItem, services: Services, jobs: Sequence[Job]) -> None:
    """Shows how far it is, or begins again."""
    if any(job.state == "unknown" for job in jobs):
        # The generator has lost its memory; the row holds all that it needs to start over.
        await item.advance(db.GENERATION_STATE_CAPTIONED)
        return
    whole = overall(jobs, len(item.parts) - len(jobs))
    if whole is None:
        return
    state = db.GENERATION_STATE_QUEUED if whole.state == "queued" else db.GENERATION_STATE_RUNNING
    if state != item.state:
        await item.advance(state)
    preview = partial(_preview, item, services) if whole.preview else None
    text = item.texts.under_way(item.row, whole)
    await status_message.show(item, services.messenger, text, preview)


async def _preview(item: WorkItem, services: Services) -> bytes | None:
    """Where the first job is that shows it. That there is nothing just now is no fault."""
    shown = (part.id for part in item.open_parts if _shows(item.memory.jobs.get(part.id)))
    try:
        job_id = next(shown, None)
        return None if job_id is None else await services.generator.get_preview(job_id)
    except (GeneratorUnavailable, JobRejected):
        return None


def _shows(job: Job | None) -> bool:
    return job is not None and job.state == "running" and job.preview
