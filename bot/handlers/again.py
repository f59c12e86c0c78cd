"""Another picture from a button: again, closer, freer, or in a style."""

from typing import Any, Final

from telegram import Update
from telegram.ext import BaseHandler

from bot import keyboards
from bot.callbacks import STYLE, Action, answer, pattern_of
from bot.clients.errors import NotFound
from bot.context import Context
from bot.handlers.pressed import Button, Press, create, find, tell_created
from bot.recipes import children
from bot.recipes.styles import STYLES
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db

_STEPS: Final = {Action.CLOSER: 1, Action.FREER: -1}
_PAINTING: Final = pattern_of(Action.AGAIN, *_STEPS)
_MENU: Final = pattern_of(Action.STYLES)


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the buttons, the menu of styles among them."""
    return [
        Button(_paint, tell_created).handler(_PAINTING),
        Button(find, _show_menu).handler(_MENU),
        Button(_paint_in_style, _tell_style).handler(STYLE),
    ]


async def _paint(press: Press, services: Services) -> db.CreateGenerationResponse:
    item = await find(press, services)
    if press.name == Action.AGAIN:
        return await create(press, services, children.again(item))
    dial = children.turned(item, _STEPS[Action(press.name)])
    if dial is None:
        raise NotFound("the dial ends here")
    return await create(press, services, children.dialled(item, dial))


async def _paint_in_style(press: Press, services: Services) -> db.CreateGenerationResponse:
    item = await find(press, services)
    if press.name and press.name not in STYLES:
        raise NotFound("there is no such style any more")
    return await create(press, services, children.styled(item, press.name))


async def _show_menu(press: Press, context: Context, item: db.Item) -> None:
    await answer(press.query)
    await press.show(context, keyboards.styles(item.generation.id, context.texts))


async def _tell_style(press: Press, context: Context, made: db.CreateGenerationResponse) -> None:
    await tell_created(press, context, made)
    item = await find(press, context.services)
    await press.show(context, keyboards.picture(item, context.texts, share=context.can_share))
