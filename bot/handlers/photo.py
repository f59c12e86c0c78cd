"""Somebody sends a photo, or a file that may be one; or posts it in a channel."""

from typing import Any

from telegram import Message, Update
from telegram.constants import ReactionEmoji
from telegram.ext import BaseHandler, MessageHandler, filters

from bot.context import Context
from bot.handlers.recorded import Recorded
from bot.messages import Sender, addressed_in, picture_of, sender_of, thread_of
from bot.recipes.children import new_seed
from bot.services import Services
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db

_MOST_CHARACTERS = 4096  # of a caption, as dbservice takes it


class _WithPicture(filters.UpdateFilter):
    """New messages with a photo; edits are none."""

    def filter(self, update: Update) -> bool:
        return update.message is not None and picture_of(update.message) is not None


class _PostForUs(filters.UpdateFilter):
    """Posts of channels with a photo, whose caption mentions the bot."""

    def filter(self, update: Update) -> bool:
        post = update.channel_post
        return post is not None and picture_of(post) is not None and addressed_in(post) is not None


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers for photos and files, albums' among them."""
    return [
        Recorded(MessageHandler(_WithPicture(), _take), _record),
        Recorded(MessageHandler(_PostForUs(), _wake), _record_post),
    ]


async def _record(update: Update, services: Services) -> db.Item | None:
    message = update.message
    sender = sender_of(message) if message is not None else None
    if message is None or sender is None:
        return None
    return await _receive(message, sender, message.caption or "", services)


async def _record_post(update: Update, services: Services) -> db.Item | None:
    post = update.channel_post
    if post is None:
        return None
    whose, words = Sender(post.chat.id, None), addressed_in(post) or ""
    return await _receive(post, whose, words, services, channel_post=True)


async def _receive(
    message: Message, sender: Sender, words: str, services: Services, *, channel_post: bool = False
) -> db.Item | None:
    picture = picture_of(message)
    if picture is None:
        return None
    request = db.ReceivePhotoRequest(
        bot_id=message.get_bot().id,
        chat_id=message.chat_id,
        message_id=message.message_id,
        message_thread_id=thread_of(message),
        user_id=sender.id,
        language_code=sender.language_code or "",
        file_id=picture.file_id,
        file_size=picture.file_size or 0,
        user_text=printable(words)[:_MOST_CHARACTERS],
        media_group_id=message.media_group_id or "",
        parameters=db.Parameters(seed=new_seed()),
        recipe=db.Recipe(dial=services.dial),
        exempt=sender.id in services.access.admins,
        channel_post=channel_post,
    )
    return (await services.database.receive_photo(request)).item


async def _take(update: Update, context: Context) -> None:
    """In a group, a reaction says that the photo is taken; nobody's picture waits for it."""
    context.wake()
    message = update.message
    if message is not None and context.outcome is not None and message.chat.id < 0:
        await context.services.messenger.react(
            message.chat.id, message.message_id, ReactionEmoji.EYES
        )


async def _wake(_update: Update, context: Context) -> None:
    context.wake()
