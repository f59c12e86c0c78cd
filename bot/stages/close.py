"""Any end -> closed: tell the user how it ended, then tidy away what the work has left."""

from bot.clients.generator import GeneratorAway, JobRejected
from bot.services import Services
from bot.stages import status_message
from bot.stages.outbox import recorded, send_once
from bot.stages.work import Later, Work
from bot.texts import en
from protos.lookalike.db.v1 import db_pb2 as db


async def run(work: Work, services: Services) -> None:
    """The stage."""
    if not work.generation.user_notified and work.state != db.GENERATION_STATE_UNDELIVERABLE:
        await _tell(work, services)
    await status_message.remove(work, services)
    if work.generation.parameters.prompt:  # else it was never submitted
        try:
            await services.generator.remove(work.id)
        except (GeneratorAway, JobRejected) as error:
            services.seen_generator.in_trouble(en.NOT_ANSWERING, error)
            raise Later(None, getattr(error, "retry_after", None)) from error
    work.item = await services.database.close_generation(
        db.CloseGenerationRequest(generation_id=work.id, fence=work.fence)
    )
    services.forget(work.id)


async def _tell(work: Work, services: Services) -> None:
    if work.state == db.GENERATION_STATE_CANCELLED:
        text = en.CANCELLED
    else:
        text = en.ending(work.generation.error.code)
    photo = work.photo
    await send_once(
        work,
        services,
        "ending",
        lambda: services.messenger.reply(photo.chat_id, photo.message_id, text),
    )
    await recorded(work, services, "ending", work.state, user_notified=True)
