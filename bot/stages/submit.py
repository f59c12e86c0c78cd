"""captioned -> queued: submit the job to the generator, built from the row alone."""

from bot.clients.generator import GeneratorAway, JobRejected
from bot.services import Services
from bot.stages import status_message
from bot.stages.work import Later, Work
from bot.texts import en
from protos.lookalike.db.v1 import db_pb2 as db


async def run(work: Work, services: Services) -> None:
    """The stage."""
    seen = services.seen_generator
    try:
        job = await services.generator.submit(
            work.id, work.generation.parameters, f"telegram:{work.photo.user_id}"
        )
    except GeneratorAway as error:
        if error.busy:
            seen.in_trouble(en.NO_ROOM, error)
            raise Later("generator-busy", error.retry_after) from error
        seen.in_trouble(en.NOT_ANSWERING, error)
        raise Later("generator-away", error.retry_after) from error
    except JobRejected as error:
        seen.well()
        await work.fail("job-rejected", str(error))
        return
    seen.well()
    services.jobs[work.id] = job
    await work.advance(db.GENERATION_STATE_QUEUED)
    text = en.progress(job) if job.state == "queued" else en.submitted()
    await status_message.show(work, services, text)
