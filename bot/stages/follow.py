"""queued, running: look at the job, and act on what the generator says of it."""

from functools import partial

from bot.clients.documents import Job
from bot.clients.generator import GeneratorUnavailable, JobRejected
from bot.health import Health
from bot.services import Services
from bot.stages import fetch
from bot.work import status_message
from bot.work.item import WorkItem
from protos.lookalike.db.v1 import db_pb2 as db


async def run(item: WorkItem, services: Services) -> None:
    """The stage. What the submission was answered is as good as a look."""
    job = item.memory.take_news() or await _look(item, services)
    if job is None:
        # Not put off: each tick looks again, in one request for all that wait for the generator.
        text = item.texts.waiting("generator-unavailable")
        await status_message.show(item, services.messenger, text)
        return
    match job.state:
        case "queued" | "running":
            await _show_progress(item, services, job)
        case "finished":
            await fetch.run(item, services)
        case "refused":
            await item.finalize(refused=db.Error(code=job.error_code, message=job.error))
        case "failed" | "cancelled":
            code = job.error_code or "job-cancelled"
            await item.finalize(failed=db.Error(code=code, message=job.error))
        case _:
            # The generator has lost its memory; the row holds all that it needs to start over.
            await item.advance(db.GENERATION_STATE_CAPTIONED)


async def _look(item: WorkItem, services: Services) -> Job | None:
    """Asks the generator for the job; None while it is unavailable."""
    try:
        job = await services.generator.get_job(item.id)
    except (GeneratorUnavailable, JobRejected) as error:
        services.generator_health.failing(Health.UNAVAILABLE, error)
        return None
    services.generator_health.ok()
    item.memory.job_seen(job)
    return job


async def _show_progress(item: WorkItem, services: Services, job: Job) -> None:
    state = db.GENERATION_STATE_QUEUED if job.state == "queued" else db.GENERATION_STATE_RUNNING
    if state != item.state:
        await item.advance(state)
    preview = partial(_preview, item, services) if job.preview else None
    await status_message.show(item, services.messenger, item.texts.progress(job), preview)


async def _preview(item: WorkItem, services: Services) -> bytes | None:
    """Where the job is. That there is nothing to see just now is no fault."""
    try:
        return await services.generator.get_preview(item.id)
    except (GeneratorUnavailable, JobRejected):
        return None
