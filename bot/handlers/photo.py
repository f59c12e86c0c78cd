"""Somebody sends a photo, or a file that may be one."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, MessageHandler, filters

from bot.context import Context
from bot.handlers.recorded import Recorded
from bot.messages import picture_of, sender_of, thread_of
from bot.recipes.children import new_seed
from bot.services import Services
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db

_MOST_CHARACTERS = 4096  # of a caption, as dbservice takes it


class _WithPicture(filters.UpdateFilter):
    """New messages with a photo; edits are none."""

    def filter(self, update: Update) -> bool:
        return update.message is not None and picture_of(update.message) is not None


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handler for photos and files, albums' among them."""
    return [Recorded(MessageHandler(_WithPicture(), _wake), _record)]


async def _record(update: Update, services: Services) -> None:
    message = update.message
    sender = sender_of(message) if message is not None else None
    picture = picture_of(message) if message is not None else None
    if message is None or sender is None or picture is None:
        return
    request = db.ReceivePhotoRequest(
        bot_id=message.get_bot().id,
        chat_id=message.chat_id,
        message_id=message.message_id,
        message_thread_id=thread_of(message),
        user_id=sender.id,
        language_code=sender.language_code or "",
        file_id=picture.file_id,
        file_size=picture.file_size or 0,
        user_text=printable(message.caption or "")[:_MOST_CHARACTERS],
        media_group_id=message.media_group_id or "",
        parameters=db.Parameters(seed=new_seed()),
        recipe=db.Recipe(dial=services.dial),
        exempt=sender.id in services.access.admins,
    )
    await services.database.receive_photo(request)


async def _wake(_update: Update, context: Context) -> None:
    context.wake()
