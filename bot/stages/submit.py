"""captioned -> queued: submit the jobs to the generator, built from the row alone."""

import time
from typing import Final

from bot.clients.documents import InitImage, Job
from bot.clients.errors import NotFound
from bot.clients.generator import GeneratorUnavailable, JobRejected, UnknownImage
from bot.health import Health
from bot.recipes.children import NAMES
from bot.recipes.prompts import compose
from bot.services import Services
from bot.work.item import Part, RetryLater, WorkItem
from protos.lookalike.db.v1 import db_pb2 as db

_ALBUM_SECONDS: Final = 2.0
"""After the newest photo of an album: then all are there, and so are the words of one of them."""

_MOST_SEED: Final = (1 << 63) - 1


async def run(item: WorkItem, services: Services) -> None:
    """The stage. What is asked for is in the row before it is submitted."""
    if not item.generation.parameters.prompt:
        _wait_for_album(item.photo)
        prompt, negative_prompt = compose(item.row)
        await item.record(prompt=prompt, negative_prompt=negative_prompt)
    async with services.room.turn(item.memory):
        if item.memory.abandoned.is_set():
            return  # while it waited; the next tick brings it as cancelled
        rejected: tuple[str, str] | None = None
        item.memory.submitting()
        try:
            for part in item.open_parts:
                item.memory.job_submitted(part.id, await _submit(item, part, services))
        except NotFound:
            rejected = "internal-error", "the photo's bytes are gone from the disk"
        except JobRejected as error:
            rejected = "job-rejected", str(error)
    if rejected is not None:
        await item.fail(*rejected)
    else:
        await item.advance(db.GENERATION_STATE_QUEUED)


def _wait_for_album(photo: db.Photo) -> None:
    """Raises RetryLater: more photos may come, with words for this one."""
    if photo.HasField("album_newest_at") and not photo.user_text:
        since = time.time() - photo.album_newest_at.ToNanoseconds() / 1e9
        if 0 <= since < _ALBUM_SECONDS:
            raise RetryLater(None, _ALBUM_SECONDS - since)


async def _submit(item: WorkItem, part: Part, services: Services) -> Job:
    """Asks for room; what is said of one is said of all that wait."""
    health, room = services.generator_health, services.room
    try:
        try:
            job = await _ask(item, part, services)
        except UnknownImage:
            await _upload(item, services)
            job = await _ask(item, part, services)
    except GeneratorUnavailable as error:
        if error.busy:
            health.ok()  # it answers as it should; it is full
        else:
            health.failing(Health.UNAVAILABLE, error)
        code = "generator-busy" if error.busy else "generator-unavailable"
        raise room.turned_away(code, error.retry_after) from error
    except JobRejected:
        health.ok()
        room.taken()
        raise
    health.ok()
    room.taken()
    return job


async def _ask(item: WorkItem, part: Part, services: Services) -> Job:
    image, init, aspect = item.photo.image, None, None
    if item.photo.HasField("image"):
        aspect = image.width, image.height
        if (dial := item.generation.recipe.dial) != db.DIAL_DREAM:
            init = InitImage(image.sha256, NAMES[dial])
    return await services.generator.submit(
        part.id, _parameters(item, part), item.owner, init=init, aspect=aspect
    )


def _parameters(item: WorkItem, part: Part) -> db.Parameters:
    """How a part is computed: the seeds of a set follow one another."""
    parameters = db.Parameters()
    parameters.CopyFrom(item.generation.parameters)
    if parameters.HasField("seed") and part.place > 1:
        parameters.seed = (parameters.seed + part.place - 1) & _MOST_SEED
    return parameters


async def _upload(item: WorkItem, services: Services) -> None:
    """Uploads the photo that a picture starts from. Raises NotFound: we have it no more."""
    photo = item.photo
    data = await services.database.get_image(db.GetImageRequest(photo_id=photo.id))
    await services.generator.upload(photo.image.sha256, data, photo.image.media_type)
