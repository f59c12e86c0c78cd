"""A picture as a file, and its recipe."""

from typing import Any, Final

from telegram import MessageEntity, Update
from telegram.ext import BaseHandler

from bot.answering import topic_of
from bot.callbacks import Action, answer, pattern_of
from bot.context import Context
from bot.handlers.pressed import Button, Press, find, note, once
from bot.recipes import png
from bot.recipes.children import NAMES
from bot.recipes.prompts import words_of
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db

_FULL_SIZE: Final = pattern_of(Action.FULL_SIZE)
_RECIPE: Final = pattern_of(Action.RECIPE)


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of both buttons."""
    return [
        Button(find, _send_file).handler(_FULL_SIZE),
        Button(find, _send_recipe).handler(_RECIPE),
    ]


async def _send_file(press: Press, context: Context, item: db.Item) -> None:
    """Sends the PNG as it was computed, with all of its recipe; once, however often it is asked."""
    async with once(press.query, context) as is_first:
        if not is_first:
            return
        await answer(press.query, context.texts.pictures.sending)
        data = await _bytes_of(press, context.services)
        recipe = item.generation.recipe
        told = png.read(data) | {
            "dial": NAMES[recipe.dial],
            "style": recipe.style,
            "words": words_of(item),
        }
        sent = await context.services.messenger.reply_document(
            press.message.chat.id,
            press.message.message_id,
            png.write(data, told),
            thread_id=topic_of(item.photo),
        )
        await note(context, item, sent, db.MESSAGE_KIND_PICTURE)


async def _send_recipe(press: Press, context: Context, item: db.Item) -> None:
    await answer(press.query)
    computed = png.read(await _bytes_of(press, context.services))
    text = context.texts.pictures.recipe(item, computed)
    whole = MessageEntity(MessageEntity.PRE, 0, len(text.encode("utf-16-le")) // 2)
    await context.services.messenger.reply(
        press.message.chat.id,
        press.message.message_id,
        text,
        entities=[whole],
        thread_id=topic_of(item.photo),
    )


async def _bytes_of(press: Press, services: Services) -> bytes:
    request = db.GetImageRequest(generation_id=press.generation_id, user_id=press.owner_id)
    return await services.database.get_image(request)
