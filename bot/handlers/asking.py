"""In a group, somebody replies to a photo with the bot's name, or with /paint: to paint from it.

Whoever asks owns what comes of it, also if another has sent the photo. Only this photo is meant,
were it of an album. Words that come along join the prompt, as those that come with a photo do.
"""

from typing import Any

from telegram import Message, Update
from telegram.ext import BaseHandler, MessageHandler, filters

from bot.clients.errors import NotFound, NotOwner
from bot.context import Context
from bot.handlers import caption as captions
from bot.handlers.photo import request_for, take
from bot.handlers.recorded import Recorded
from bot.messages import (
    Sender,
    command_of,
    is_for_the_bot,
    is_of_the_bot,
    is_private,
    picture_of,
    sender_of,
    words_of,
)
from bot.recipes import children
from bot.recipes.prompts import MOST_CHARACTERS
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db


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
    """The picture that comes of it."""
    message = update.message
    photo = _asked_about(message) if message is not None else None
    picture = picture_of(photo, is_asked_about=True) if photo is not None else None
    sender = sender_of(message) if message is not None else None
    if message is None or photo is None or picture is None or sender is None:
        return None
    author, words = sender_of(photo), words_of(message)
    is_own = author is not None and author.id == sender.id
    if words and (unasked := await _unasked(message, sender, photo, services)):
        caption = " ".join(words.split())[:MOST_CHARACTERS]
        return await _create(message, sender, unasked, children.same(unasked), services, caption)
    request = request_for(
        message,
        sender,
        picture,
        services,
        message_id=photo.message_id,
        user_text=words or (words_of(photo) if is_own else ""),
        asking_message_id=message.message_id,
        of_another=not is_own,
    )
    received = await services.database.receive_photo(request)
    before = received.item
    if received.created or before.generation.reply_to_message_id == message.message_id:
        return before
    child = children.worded(before, words) if words else children.again(before)
    return await _create(message, sender, before, child, services)


async def _unasked(
    message: Message, sender: Sender, photo: Message, services: Services
) -> db.Item | None:
    """What came of a photo before, if whoever asks again has been told to say what it shows."""
    request = db.GetGenerationRequest(
        bot_id=message.get_bot().id,
        chat_id=message.chat_id,
        user_id=sender.id,
        message_id=photo.message_id,
    )
    try:
        before = (await services.database.get_generation(request)).item
    except (NotFound, NotOwner):
        return None
    return before if captions.is_unasked(before) else None


async def _create(
    message: Message,
    sender: Sender,
    before: db.Item,
    child: children.Child,
    services: Services,
    caption: str | None = None,
) -> db.Item:
    """Another picture."""
    request = db.CreateGenerationRequest(
        bot_id=message.get_bot().id,
        chat_id=message.chat_id,
        user_id=sender.id,
        language_code=sender.language_code or "",
        message_id=message.message_id,
        parent_id=before.generation.id,
        recipe=child.recipe,
        parameters=child.parameters,
        several=child.several,
        caption=caption,
        exempt=sender.id in services.access.admins,
    )
    return (await services.database.create_generation(request)).item


async def _take(update: Update, context: Context) -> None:
    if context.outcome is None or update.message is None:
        return
    if context.outcome.generation.parent_id:  # a status message shows how far that is
        context.wake()
    else:
        await take(update.message, context)
