"""Somebody sends a photo, or a file that may be one; in a group, by default, one for the bot.

An album is for the bot if one of its photos is. Those that come before that one wait for it. Of
what is posted in a channel, a photo is for the bot if its words name it.
"""

import logging
from typing import Any

from telegram import Document, Message, PhotoSize, Update
from telegram.constants import ReactionEmoji
from telegram.ext import BaseHandler, MessageHandler, filters

from bot.clients.errors import DatabaseError, NotFound
from bot.context import Context
from bot.handlers.recorded import Recorded
from bot.messages import (
    Sender,
    command_of,
    is_for_the_bot,
    is_private,
    names_the_bot,
    picture_of,
    sender_of,
    thread_of,
    words_of,
)
from bot.recipes.children import new_seed
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db

_MOST_CHARACTERS = 4096  # of a photo's words, as dbservice takes them

_log = logging.getLogger(__name__)


class _WithPicture(filters.UpdateFilter):
    """New messages with a photo; edits are none.

    Nor is the copy of a channel's post in the group that is linked to it: the post was for the bot.
    """

    def filter(self, update: Update) -> bool:
        message = update.message
        if message is None or message.is_automatic_forward:
            return False
        return picture_of(message) is not None


class _PostForUs(filters.UpdateFilter):
    """Posts of channels with a photo, whose words name the bot."""

    def filter(self, update: Update) -> bool:
        post = update.channel_post
        return post is not None and picture_of(post) is not None and names_the_bot(post)


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers for photos and files, albums' among them."""
    return [
        Recorded(MessageHandler(_WithPicture(), _take), _record),
        Recorded(MessageHandler(_PostForUs(), _wake), _record_post),
    ]


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


async def look_again(services: Services) -> None:
    """Records photos of albums of which another process has recorded one meanwhile."""
    for photo in services.albums.due():
        try:
            for each in services.albums.of(photo):
                await _receive(each, services, only_with_album=True)
                services.albums.drop(each)
        except DatabaseError as error:  # NotFound, mostly
            _log.debug("An album stays as it is: %s", error)


async def _record_post(update: Update, services: Services) -> None:
    if update.channel_post is not None:
        await _receive(update.channel_post, services, channel_post=True)


async def _receive(message: Message, services: Services, **how: bool) -> None:
    """Records a photo.

    Args:
        message: with the photo.
        services: dbservice.
        **how: `only_with_album` and `channel_post`, as the contract has them.

    Raises:
        NotFound: it is for the bot if its album is, of which none is so far.
    """
    sender, picture = sender_of(message), picture_of(message)
    if sender is None or picture is None:
        return
    request = request_for(
        message,
        sender,
        picture,
        services,
        message_id=message.message_id,
        user_text=words_of(message),
        media_group_id=message.media_group_id or "",
        **how,
    )
    await services.database.receive_photo(request)


def request_for(
    message: Message,
    sender: Sender,
    picture: PhotoSize | Document,
    services: Services,
    *,
    user_text: str,
    **fields: Any,
) -> db.ReceivePhotoRequest:
    """What records a photo.

    Args:
        message: wants it painted.
        sender: whose message it is, and what comes of it.
        picture: the photo.
        services: the bot's own choices.
        user_text: the words that come with it; too many are cut.
        **fields: the others of the request.
    """
    return db.ReceivePhotoRequest(
        bot_id=message.get_bot().id,
        chat_id=message.chat_id,
        message_thread_id=thread_of(message),
        user_id=sender.id,
        language_code=sender.language_code or "",
        file_id=picture.file_id,
        file_size=picture.file_size or 0,
        user_text=user_text[:_MOST_CHARACTERS],
        parameters=db.Parameters(seed=new_seed()),
        recipe=db.Recipe(dial=services.dial),
        exempt=sender.id in services.access.admins,
        **fields,
    )


async def take(message: Message, context: Context) -> None:
    """In a group, a reaction says that the photo is taken, where the pace allows; nothing waits."""
    context.wake()
    if not is_private(message):
        await context.services.messenger.react(
            message.chat.id, message.message_id, ReactionEmoji.EYES
        )


async def _take(update: Update, context: Context) -> None:
    if context.outcome and update.message is not None:
        await take(update.message, context)


async def _wake(_update: Update, context: Context) -> None:
    context.wake()
