"""finished -> delivered: send the picture in reply to the photo."""

import logging

from bot.clients.dbservice import NotFound
from bot.messenger import NotTaken, TelegramUnavailable
from bot.observers import Delivered
from bot.services import Services
from bot.work.item import WorkItem
from bot.work.memory import Sent
from bot.work.outbox import recorded, send_once
from protos.lookalike.db.v1 import db_pb2 as db

_log = logging.getLogger(__name__)


async def run(item: WorkItem, services: Services) -> None:
    """The stage.

    The intent is recorded first: while dbservice is unavailable, or somebody else holds the lease,
    nothing is sent.
    """
    try:
        png = await services.database.get_image(db.GetImageRequest(generation_id=item.id))
    except NotFound:
        await item.fail("internal-error", "the picture's bytes are gone from the disk")
        return
    if item.generation.delivery_intended and Sent.PICTURE not in item.memory.accepted:
        _log.warning("Whether %s was delivered before is not known; sending it again.", item.id)
    await item.record(delivery_intended=True)
    try:
        await _send(item, services, png)
    except NotTaken as error:
        await item.fail("picture-not-taken", str(error))
    except TelegramUnavailable as error:
        if error.not_done:
            await item.record(delivery_intended=False)
        raise


async def _send(item: WorkItem, services: Services, png: bytes) -> None:
    photo, picture = item.photo, item.generation.picture
    text = item.texts.picture(item.generation.parameters.prompt, picture.seed, picture.model)
    message = await send_once(
        item,
        Sent.PICTURE,
        lambda: services.messenger.reply_photo(photo.chat_id, photo.message_id, png, text),
    )
    await recorded(
        item,
        Sent.PICTURE,
        db.GENERATION_STATE_DELIVERED,
        result_message_id=message.message_id,
        result_file_id=message.photo[-1].file_id,
        user_notified=True,
    )
    memory = item.memory
    event = Delivered(
        item.id,
        item.owner,
        memory.caption_seconds,
        memory.waiting_seconds,
        memory.picture_seconds,
    )
    for observer in services.observers:
        observer.delivered(event)
