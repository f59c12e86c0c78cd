"""A picture that is sent again with its buttons: one of an album, or one of the history."""

from typing import Any, Final

from telegram import Message, Update
from telegram.ext import BaseHandler

from bot import keyboards
from bot.answering import topic_of
from bot.callbacks import Action, answer, pattern_of
from bot.context import Context
from bot.handlers import card
from bot.handlers.pressed import Button, Press, find, note, once
from bot.refusals import NotTaken
from protos.lookalike.db.v1 import db_pb2 as db

_CHOOSE: Final = pattern_of(Action.CHOOSE)


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handler of the numbers under an album."""
    return [Button(find, _show_chosen).handler(_CHOOSE)]


async def send(
    context: Context, item: db.Item, chat_id: int, reply_to: int, thread_id: int | None
) -> None:
    """Sends a picture with its buttons, or says that the chat takes none.

    Args:
        context: the update's.
        item: the picture.
        chat_id: where to.
        reply_to: the message that it answers, which may be gone.
        thread_id: the topic; None: none.

    Raises:
        NotFound: its bytes are gone.
    """
    services, texts = context.services, context.texts
    text = texts.pictures.picture(item)
    buttons = keyboards.picture(item, texts, share=context.can_share)

    async def post(picture: bytes | str) -> Message:
        return await services.messenger.reply_photo(
            chat_id, reply_to, picture, text, buttons, thread_id=thread_id
        )

    try:
        message = await card.with_picture(item, services, post)
    except NotTaken:
        said = texts.pictures.photos_forbidden
        await services.messenger.reply(chat_id, reply_to, said, thread_id=thread_id)
        return
    await note(context, item, message, db.MESSAGE_KIND_PICTURE)


async def _show_chosen(press: Press, context: Context, item: db.Item) -> None:
    """Once, however often the number is pressed meanwhile."""
    async with once(press.query, context) as is_first:
        if not is_first:
            return
        await answer(press.query)
        chat_id, reply_to = press.message.chat.id, item.generation.result_message_id
        reply_to = reply_to or press.message.message_id
        await send(context, item, chat_id, reply_to, topic_of(item.photo))
