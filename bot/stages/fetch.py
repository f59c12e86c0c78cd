"""queued, running -> finished: take the picture from the generator and give it to dbservice."""

from bot.clients.dbservice import image_info
from bot.clients.generator import GeneratorUnavailable, JobRejected
from bot.health import Health
from bot.services import Services
from bot.work.item import RetryLater, WorkItem
from protos.lookalike.db.v1 import db_pb2 as db


async def run(item: WorkItem, services: Services) -> None:
    """The stage, for an item whose job was last seen finished."""
    job = item.memory.job
    if job is None:
        return
    try:
        png = await services.generator.get_image(item.id, job.sha256)
    except GeneratorUnavailable as error:
        services.generator_health.failing(Health.UNAVAILABLE, error)
        raise RetryLater(None, error.retry_after) from error
    except JobRejected:
        # Deleted since we looked: the next tick finds the job unknown.
        return
    image = image_info(png, "image/png", job.width, job.height)
    await item.finalize(png, picture=db.Picture(image=image, seed=job.seed, model=job.model))
