"""Deleting a picture: the button asks in place, the next one does it."""

from typing import Any, Final

from telegram import Update
from telegram.ext import BaseHandler

from bot import keyboards
from bot.callbacks import Action, answer, pattern_of
from bot.clients.dbservice import Conflict
from bot.context import Context
from bot.handlers.pressed import Button, Press, find
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db

_ASK: Final = pattern_of(Action.DELETE)
_DELETE: Final = pattern_of(Action.DELETE_FOR_GOOD)
_BACK: Final = pattern_of(Action.BACK)


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the question and of both answers."""
    return [
        Button(find, _ask).handler(_ASK),
        Button(_delete, _tell).handler(_DELETE),
        Button(find, _show_picture).handler(_BACK),
    ]


async def _ask(press: Press, context: Context, item: db.Item) -> None:
    await answer(press.query)
    await press.show(context, keyboards.deletion(item.generation.id, context.texts))


async def _show_picture(press: Press, context: Context, item: db.Item) -> None:
    await answer(press.query)
    await press.show(context, keyboards.picture(item, context.texts))


async def _delete(press: Press, services: Services) -> db.DeleteGenerationResponse | Conflict:
    """What is left of the picture, and shows it; or why it stays, for now."""
    request = db.DeleteGenerationRequest(
        bot_id=press.query.get_bot().id,
        chat_id=press.message.chat.id,
        user_id=press.owner_id,
        generation_id=press.generation_id,
    )
    try:
        return await services.database.delete_generation(request)
    except Conflict as error:
        return error


async def _tell(
    press: Press, context: Context, left: db.DeleteGenerationResponse | Conflict
) -> None:
    said = context.texts.pictures
    if isinstance(left, Conflict):
        await answer(press.query, said.unfinished)
        return
    await answer(press.query, said.deleted)
    shown = {*left.message_ids}
    if await press.is_at_home(context.services):  # where that could not be noted
        shown.add(press.message.message_id)
    for message_id in shown:
        await context.services.messenger.delete(press.message.chat.id, message_id, said.deleted)
