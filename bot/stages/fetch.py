"""queued, running -> finished: take the picture from the generator and give it to dbservice."""

from bot.clients.dbservice import image_info
from bot.clients.documents import Job
from bot.clients.generator import GeneratorUnavailable, JobRejected
from bot.health import Health
from bot.services import Services
from bot.work.item import Part, RetryLater, WorkItem
from protos.lookalike.db.v1 import db_pb2 as db


async def run(item: WorkItem, part: Part, job: Job, services: Services) -> None:
    """The stage, for a part whose job was last seen finished."""
    try:
        png = await services.generator.get_image(part.id, job.sha256)
    except GeneratorUnavailable as error:
        services.generator_health.failing(Health.UNAVAILABLE, error)
        raise RetryLater(None, error.retry_after) from error
    except JobRejected:
        # Deleted since we looked: the next tick finds the job unknown.
        return
    image = image_info(png, "image/png", job.width, job.height)
    picture = db.Picture(image=image, seed=job.seed, model=job.model)
    await item.finalize(part, png, picture=picture)
