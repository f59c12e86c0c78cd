"""A finished job -> finished -> delivered: keep the picture, then send it."""

from bot.clients.dbservice import NotFound, image_info
from bot.clients.generator import GeneratorAway, Job, JobRejected
from bot.messenger import NotTaken
from bot.services import Services
from bot.stages.outbox import recorded, send_once
from bot.stages.work import Later, Work
from bot.texts import en
from protos.lookalike.db.v1 import db_pb2 as db


async def fetch(work: Work, services: Services, job: Job) -> None:
    """Takes the picture from the generator and hands it to dbservice."""
    try:
        png = await services.generator.image(work.id, job.sha256)
    except GeneratorAway as error:
        services.seen_generator.in_trouble(en.NOT_ANSWERING, error)
        raise Later(None, error.retry_after) from error
    except JobRejected:
        # Removed since the state was asked for: the next tick finds it unknown.
        return
    picture = db.Picture(
        image=image_info(png, "image/png", job.width, job.height), seed=job.seed, model=job.model
    )
    info = db.FinalizeGenerationRequest.Info(
        generation_id=work.id, fence=work.fence, picture=picture
    )
    work.item = await services.database.finalize_generation(info, png)


async def run(work: Work, services: Services) -> None:
    """Sends the picture in reply to the photo.

    The intent is recorded first: while dbservice is away, or somebody else holds the lease,
    nothing is sent.
    """
    photo, generation = work.photo, work.generation
    try:
        png = await services.database.get_image(db.GetImageRequest(generation_id=work.id))
    except NotFound:
        await work.fail("internal-error", "the picture's bytes are gone from the disk")
        return
    await work.record(delivery_intended=True)
    picture = generation.picture
    text = en.picture(generation.parameters.prompt, picture.seed, picture.model)
    try:
        message = await send_once(
            work,
            services,
            "picture",
            lambda: services.messenger.reply_photo(photo.chat_id, photo.message_id, png, text),
        )
    except NotTaken as error:
        await work.fail("picture-not-taken", str(error))
        return
    await recorded(
        work,
        services,
        "picture",
        db.GENERATION_STATE_DELIVERED,
        result_message_id=message.message_id,
        result_file_id=message.photo[-1].file_id,
        user_notified=True,
    )
