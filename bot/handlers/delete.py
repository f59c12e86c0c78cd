"""Deleting a picture: the button asks in place, the next one does it.

Under an album it asks which one. Whoever administers a group may delete any picture there.
"""

from dataclasses import replace
from typing import Any, Final

from telegram import Update
from telegram.ext import BaseHandler

from bot import keyboards
from bot.callbacks import Action, answer, pattern_of
from bot.clients.errors import Conflict, NotFound
from bot.context import Context
from bot.handlers.pressed import Button, Press, find
from bot.recipes.children import numbered
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db

_ASK: Final = pattern_of(Action.DELETE)
_DELETE: Final = pattern_of(Action.DELETE_FOR_GOOD, Action.DELETE_ONE)
_BACK: Final = pattern_of(Action.BACK)


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the question and of both answers."""
    return [
        Button(find, _ask, for_group_admins=True).handler(_ASK),
        Button(_delete, _tell, for_group_admins=True).handler(_DELETE),
        Button(find, _show_picture, for_group_admins=True).handler(_BACK),
    ]


async def _ask(press: Press, context: Context, item: db.Item) -> None:
    await answer(press.query)
    await press.show(context, keyboards.deletion(item, context.texts))


async def _show_picture(press: Press, context: Context, item: db.Item) -> None:
    await answer(press.query)
    await press.show(context, keyboards.picture(item, context.texts, share=context.can_share))


async def _delete(press: Press, services: Services) -> db.DeleteGenerationResponse | Conflict:
    """What is left of the picture, and shows it; or why it stays, for now."""
    request = db.DeleteGenerationRequest(
        bot_id=press.query.get_bot().id,
        chat_id=press.message.chat.id,
        user_id=press.owner_id,
        generation_id=press.generation_id,
        administrator=press.administers,
    )
    try:
        return await services.database.delete_generation(request)
    except Conflict as error:
        return error


async def _tell(
    press: Press, context: Context, left: db.DeleteGenerationResponse | Conflict
) -> None:
    said, messenger = context.texts.pictures, context.services.messenger
    if isinstance(left, Conflict):
        await answer(press.query, said.unfinished)
        return
    await answer(press.query, said.deleted)
    chat_id, shown = press.message.chat.id, {*left.message_ids}
    is_of_album = press.name == Action.DELETE_ONE
    if not is_of_album and await press.is_at_home(context.services):
        shown.add(press.message.message_id)  # where that could not be noted
    for message_id in shown:
        await messenger.delete(chat_id, message_id, said.deleted)
    if is_of_album:
        await _show_rest(press, context, left.item.generation.set_id)


async def _show_rest(press: Press, context: Context, set_id: str) -> None:
    """Leaves the buttons of what there still is of an album; without any, their message goes."""
    if not set_id or not await press.is_at_home(context.services):
        return
    try:
        album = await find(replace(press, generation_id=set_id), context.services)
    except NotFound:
        return
    messenger, chat_id, message_id = (
        context.services.messenger,
        press.message.chat.id,
        press.message.message_id,
    )
    if numbered(album):
        buttons = keyboards.picture(album, context.texts, share=context.can_share)
        await messenger.show_buttons(chat_id, message_id, buttons)
    else:
        await messenger.delete(chat_id, message_id, context.texts.pictures.deleted)
