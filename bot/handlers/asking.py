"""In a group, somebody replies to a photo with the bot's name, or with /paint: to paint from it.

Whoever asks owns what comes of it, also if another has sent the photo. Only this photo is meant,
were it of an album. Words that come along join the prompt, as those that come with a photo do.
"""

from typing import Any

from telegram import Message, Update
from telegram.ext import BaseHandler, MessageHandler, filters

from bot.clients.errors import NotFound
from bot.context import Context
from bot.handlers.photo import take
from bot.handlers.recorded import Recorded
from bot.messages import (
    command_of,
    is_for_the_bot,
    is_of_the_bot,
    is_private,
    picture_of,
    sender_of,
    thread_of,
    words_of,
)
from bot.recipes import children
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db

_MOST_CHARACTERS = 4096  # of a photo's words, as dbservice takes them


class _Asks(filters.UpdateFilter):
    """New messages alone; edits are none."""

    def filter(self, update: Update) -> bool:
        return update.message is not None and _asked_about(update.message) is not None


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handler of what asks."""
    return [Recorded(MessageHandler(_Asks(), _take), _record)]


def _asked_about(message: Message) -> Message | None:
    """The message with the photo that a message asks about, if it does.

    A reply to a message of the bot's own is about its picture: that is `words`'s.
    """
    replied = message.reply_to_message
    if replied is None or not message.text or is_private(message) or is_of_the_bot(replied):
        return None
    command = command_of(message)
    asks = is_for_the_bot(message) if command is None else command == "paint"
    return replied if asks and picture_of(replied, is_asked_about=True) is not None else None


async def _record(update: Update, services: Services) -> db.Item | None:
    """The picture that comes of it; None: the one that is there is deleted."""
    message = update.message
    photo = _asked_about(message) if message is not None else None
    picture = picture_of(photo, is_asked_about=True) if photo is not None else None
    sender = sender_of(message) if message is not None else None
    if message is None or photo is None or picture is None or sender is None:
        return None
    author, words = sender_of(photo), words_of(message)[:_MOST_CHARACTERS]
    is_own = author is not None and author.id == sender.id
    whose: dict[str, Any] = {
        "bot_id": message.get_bot().id,
        "chat_id": message.chat_id,
        "user_id": sender.id,
        "language_code": sender.language_code or "",
    }
    received = await services.database.receive_photo(
        db.ReceivePhotoRequest(
            **whose,
            message_id=photo.message_id,
            message_thread_id=thread_of(message),
            file_id=picture.file_id,
            file_size=picture.file_size or 0,
            user_text=words or (words_of(photo)[:_MOST_CHARACTERS] if is_own else ""),
            parameters=db.Parameters(seed=children.new_seed()),
            recipe=db.Recipe(dial=services.dial),
            asking_message_id=message.message_id,
            of_another=not is_own,
            exempt=sender.id in services.access.admins,
        )
    )
    before = received.item
    if received.created or before.generation.reply_to_message_id == message.message_id:
        return before
    child = children.worded(before, words) if words else children.again(before)
    try:
        made = await services.database.create_generation(
            db.CreateGenerationRequest(
                **whose,
                message_id=message.message_id,
                parent_id=before.generation.id,
                recipe=child.recipe,
                parameters=child.parameters,
                several=child.several,
                exempt=sender.id in services.access.admins,
            )
        )
    except NotFound:
        return None
    return made.item


async def _take(update: Update, context: Context) -> None:
    if context.outcome is None or update.message is None:
        return
    if context.outcome.generation.parent_id:  # a status message shows how far that is
        context.wake()
    else:
        await take(update.message, context)
