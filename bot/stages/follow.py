"""queued, running: ask the generator about all of them at once, and act on each answer."""

from collections.abc import Sequence
from typing import Any

from bot.clients.generator import GeneratorAway, Job, JobRejected
from bot.services import Services
from bot.stages import deliver, status_message
from bot.stages.work import Work
from bot.texts import en
from protos.lookalike.db.v1 import db_pb2 as db


async def ask(works: Sequence[Work], services: Services) -> dict[str, Job]:
    """The jobs of these generations, by generation id; empty while the generator is away."""
    try:
        jobs = await services.generator.states([work.id for work in works])
    except (GeneratorAway, JobRejected) as error:
        services.seen_generator.in_trouble(en.NOT_ANSWERING, error)
        return {}
    services.seen_generator.well()
    services.jobs.update(jobs)
    return jobs


async def run(work: Work, services: Services, job: Job | None) -> None:
    """Acts on what the generator said of one generation; None: it said nothing."""
    if job is None:
        await status_message.show(work, services, en.waiting("generator-away"))
        return
    match job.state:
        case "queued" | "running":
            state = (
                db.GENERATION_STATE_QUEUED if job.state == "queued" else db.GENERATION_STATE_RUNNING
            )
            if state != work.state:
                await work.advance(state)
            await status_message.show(work, services, en.progress(job))
        case "finished":
            await deliver.fetch(work, services, job)
        case "refused":
            refused = db.Error(code=job.error_code, message=job.error)
            await _finalize(work, services, refused=refused)
        case "failed" | "cancelled":
            failed = db.Error(code=job.error_code or "job-cancelled", message=job.error)
            await _finalize(work, services, failed=failed)
        case _:
            # The generator has lost its memory; the row holds all that it needs to start over.
            await work.advance(db.GENERATION_STATE_CAPTIONED)


async def _finalize(work: Work, services: Services, **outcome: Any) -> None:
    info = db.FinalizeGenerationRequest.Info(generation_id=work.id, fence=work.fence, **outcome)
    work.item = await services.database.finalize_generation(info)
