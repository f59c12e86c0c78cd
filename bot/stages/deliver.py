"""finished -> delivered: send the picture in reply to the photo."""

from bot import keyboards
from bot.clients.dbservice import NotFound
from bot.observers import Delivered
from bot.refusals import NotTaken
from bot.services import Services
from bot.work import outbox
from bot.work.item import WorkItem
from protos.lookalike.db.v1 import db_pb2 as db


async def run(item: WorkItem, services: Services) -> None:
    """The stage."""
    try:
        png = await services.database.get_image(db.GetImageRequest(generation_id=item.id))
    except NotFound:
        await item.fail("internal-error", "the picture's bytes are gone from the disk")
        return
    photo, text = item.photo, item.text_of(db.MESSAGE_KIND_PICTURE)
    buttons = keyboards.picture(item.row, item.texts)
    try:
        await outbox.send(
            item,
            services.messenger,
            db.MESSAGE_KIND_PICTURE,
            lambda: services.messenger.reply_photo(
                photo.chat_id, item.reply_to, png, text, buttons, thread_id=item.thread_id
            ),
            db.GENERATION_STATE_DELIVERED,
            user_notified=True,
        )
    except NotTaken as error:
        await item.fail("picture-not-taken", str(error))
        return
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
