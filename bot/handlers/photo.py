"""Somebody sends a photo, or a file that may be one; in a group, by default, one for the bot.

An album is for the bot if one of its photos is. Those that come before that one wait for it.
"""

from typing import Any

from telegram import Message, Update
from telegram.ext import BaseHandler, MessageHandler, filters

from bot.clients.dbservice import NotFound
from bot.context import Context
from bot.handlers.recorded import Recorded
from bot.messages import (
    command_of,
    is_for_the_bot,
    picture_of,
    sender_of,
    thread_of,
    words_of,
)
from bot.recipes.children import new_seed
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db

_MOST_CHARACTERS = 4096  # of a caption, as dbservice takes it


class _WithPicture(filters.UpdateFilter):
    """New messages with a photo; edits are none."""

    def filter(self, update: Update) -> bool:
        return update.message is not None and picture_of(update.message) is not None


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handler for photos and files, albums' among them."""
    return [Recorded(MessageHandler(_WithPicture(), _wake), _record)]


async def _record(update: Update, services: Services) -> bool:
    """Whether there is something to do."""
    photo = update.message
    if photo is None:
        return False
    if services.hears_all or is_for_the_bot(photo) or command_of(photo) == "paint":
        await _receive(photo, services)
        for other in services.albums.of(photo) if photo.media_group_id else ():
            await _receive(other, services)
            services.albums.drop(other)
        return True
    if photo.media_group_id is None:
        return False
    try:
        await _receive(photo, services, only_with_album=True)
    except NotFound:
        services.albums.hold(photo)
        return False
    return True


async def _receive(message: Message, services: Services, *, only_with_album: bool = False) -> None:
    """Records a photo.

    Raises:
        NotFound: it is for the bot if its album is, of which none is so far.
    """
    sender, picture = sender_of(message), picture_of(message)
    if sender is None or picture is None:
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
        user_text=words_of(message)[:_MOST_CHARACTERS],
        media_group_id=message.media_group_id or "",
        parameters=db.Parameters(seed=new_seed()),
        recipe=db.Recipe(dial=services.dial),
        only_with_album=only_with_album,
    )
    await services.database.receive_photo(request)


async def _wake(_update: Update, context: Context) -> None:
    if context.outcome:
        context.wake()
