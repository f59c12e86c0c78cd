"""Another picture from a button: again, closer, freer, or in a style."""

from typing import Any, Final

from telegram import Update
from telegram.ext import BaseHandler

from bot import keyboards
from bot.callbacks import STYLE, Action, answer, pattern_of
from bot.clients.dbservice import NotFound
from bot.context import Context
from bot.handlers.pressed import Button, Press, find
from bot.recipes import children
from bot.recipes.children import Child
from bot.recipes.styles import STYLES
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db

_STEPS: Final = {Action.CLOSER: 1, Action.FREER: -1}
_PAINTING: Final = pattern_of(Action.AGAIN, *_STEPS)
_MENU: Final = pattern_of(Action.STYLES)


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the buttons, the menu of styles among them."""
    return [
        Button(_paint, _tell).handler(_PAINTING),
        Button(find, _show_menu).handler(_MENU),
        Button(_paint_in_style, _tell_style).handler(STYLE),
    ]


async def _paint(press: Press, services: Services) -> db.CreateGenerationResponse:
    item = await find(press, services)
    if press.name == Action.AGAIN:
        return await _create(press, services, children.again(item))
    dial = children.turned(item, _STEPS[Action(press.name)])
    if dial is None:
        raise NotFound("the dial ends here")
    return await _create(press, services, children.dialled(item, dial))


async def _paint_in_style(press: Press, services: Services) -> db.CreateGenerationResponse:
    item = await find(press, services)
    if press.name and press.name not in STYLES:
        raise NotFound("there is no such style any more")
    return await _create(press, services, children.styled(item, press.name))


async def _create(press: Press, services: Services, child: Child) -> db.CreateGenerationResponse:
    return await services.database.create_generation(
        db.CreateGenerationRequest(
            bot_id=press.query.get_bot().id,
            chat_id=press.message.chat.id,
            user_id=press.owner_id,
            message_id=press.message.message_id,
            request_id=press.query.id,
            parent_id=press.generation_id,
            button=press.query.data or "",
            recipe=child.recipe,
            parameters=child.parameters,
        )
    )


async def _tell(press: Press, context: Context, made: db.CreateGenerationResponse) -> None:
    context.wake()
    said = context.texts.pictures
    await answer(press.query, said.coming if made.created else said.under_way)


async def _show_menu(press: Press, context: Context, item: db.Item) -> None:
    await answer(press.query)
    await press.show(context, keyboards.styles(item.generation.id, context.texts))


async def _tell_style(press: Press, context: Context, made: db.CreateGenerationResponse) -> None:
    await _tell(press, context, made)
    item = await find(press, context.services)
    await press.show(context, keyboards.picture(item, context.texts))
