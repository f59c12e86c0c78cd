"""captioned -> queued: submit the job to the generator, built from the row alone."""

from bot.clients.documents import Job
from bot.clients.generator import GeneratorUnavailable, JobRejected
from bot.health import Health
from bot.services import Services
from bot.work.item import WorkItem
from protos.lookalike.db.v1 import db_pb2 as db


async def run(item: WorkItem, services: Services) -> None:
    """The stage."""
    async with services.room.turn(item.memory):
        if item.memory.abandoned.is_set():
            return  # while it waited; the next tick brings it as cancelled
        try:
            job = await _submit(item, services)
        except JobRejected as error:
            rejected = str(error)
        else:
            rejected = ""
            item.memory.job_submitted(job)
    if rejected:
        await item.fail("job-rejected", rejected)
    else:
        await item.advance(db.GENERATION_STATE_QUEUED)


async def _submit(item: WorkItem, services: Services) -> Job:
    """Asks for room; what is said of one is said of all that wait."""
    health, room = services.generator_health, services.room
    try:
        job = await services.generator.submit(item.id, item.generation.parameters, item.owner)
    except GeneratorUnavailable as error:
        health.failing(Health.BUSY if error.busy else Health.UNAVAILABLE, error)
        code = "generator-busy" if error.busy else "generator-unavailable"
        raise room.turned_away(code, error.retry_after) from error
    except JobRejected:
        health.ok()
        room.taken()
        raise
    health.ok()
    room.taken()
    return job
