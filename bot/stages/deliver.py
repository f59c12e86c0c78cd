"""finished -> delivered: send the picture in reply to the photo, or the pictures as an album."""

import time

from telegram import InlineKeyboardMarkup

from bot import keyboards
from bot.clients.errors import NotFound
from bot.observers import Delivered
from bot.refusals import NotTaken
from bot.services import Services
from bot.work import outbox
from bot.work.item import WorkItem
from protos.lookalike.db.v1 import db_pb2 as db


async def run(item: WorkItem, services: Services) -> None:
    """The stage. Of a set of which one picture alone succeeded, that is sent as any other."""
    try:
        if len(item.shown) == 1:
            await _send_picture(item, services)
        else:
            if not item.generation.user_notified:  # else it is there, and its buttons may not be
                await _send_album(item, services)
            await _send_choices(item, services)
    except NotFound:
        await item.fail("internal-error", "the picture's bytes are gone from the disk")
        return
    except NotTaken as error:
        await item.fail("picture-not-taken", str(error))
        return
    memory = item.memory
    event = Delivered(
        item.id,
        item.owner,
        max(0.0, time.time() - item.generation.created_at.ToNanoseconds() / 1e9),
        memory.caption_seconds,
        memory.waiting_seconds,
        memory.picture_seconds,
    )
    for observer in services.observers:
        observer.delivered(event)


def _buttons(shown: db.Item, item: WorkItem, services: Services) -> InlineKeyboardMarkup | None:
    """None in a channel, where nobody is its owner."""
    if shown.photo.channel_post:
        return None
    return keyboards.picture(shown, item.texts, share=services.messenger.has_inline_mode)


async def _bytes_of(shown: db.Item, services: Services) -> bytes:
    request = db.GetImageRequest(generation_id=shown.generation.id)
    return await services.database.get_image(request)


async def _send_picture(item: WorkItem, services: Services) -> None:
    photo, text = item.photo, item.text_of(db.MESSAGE_KIND_PICTURE)
    (shown,) = item.shown
    png, buttons = await _bytes_of(shown, services), _buttons(shown, item, services)
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


async def _send_album(item: WorkItem, services: Services) -> None:
    photo, text = item.photo, item.text_of(db.MESSAGE_KIND_PICTURE)
    pngs = [await _bytes_of(shown, services) for shown in item.shown]
    await outbox.send(
        item,
        services.messenger,
        db.MESSAGE_KIND_PICTURE,
        lambda: services.messenger.reply_album(
            photo.chat_id, item.reply_to, pngs, text, thread_id=item.thread_id
        ),
        user_notified=True,
    )


async def _send_choices(item: WorkItem, services: Services) -> None:
    """Sends the buttons under an album, which can have none of its own."""
    photo, text = item.photo, item.text_of(db.MESSAGE_KIND_CHOICES)
    album = item.message_id(db.MESSAGE_KIND_PICTURE)  # none, where it could not be looked for
    await outbox.send(
        item,
        services.messenger,
        db.MESSAGE_KIND_CHOICES,
        lambda: services.messenger.reply(
            photo.chat_id,
            album or item.reply_to,
            text,
            _buttons(item.row, item, services),
            thread_id=item.thread_id,
        ),
        db.GENERATION_STATE_DELIVERED,
    )
