"""captioned -> queued: submit the job to the generator, built from the row alone."""

from bot.clients.generator import GeneratorUnavailable, JobRejected
from bot.health import Health
from bot.services import Services
from bot.work.item import RetryLater, WorkItem
from protos.lookalike.db.v1 import db_pb2 as db


async def run(item: WorkItem, services: Services) -> None:
    """The stage."""
    health = services.generator_health
    try:
        job = await services.generator.submit(item.id, item.generation.parameters, item.owner)
    except GeneratorUnavailable as error:
        health.failing(Health.BUSY if error.busy else Health.UNAVAILABLE, error)
        code = "generator-busy" if error.busy else "generator-unavailable"
        raise RetryLater(code, error.retry_after) from error
    except JobRejected as error:
        health.ok()
        await item.fail("job-rejected", str(error))
        return
    health.ok()
    item.memory.job_submitted(job)
    await item.advance(db.GENERATION_STATE_QUEUED)
