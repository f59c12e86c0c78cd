"""/settings: what a person chooses for all of their pictures."""

from typing import Any

from telegram import CallbackQuery, InlineKeyboardMarkup, Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler

from bot import keyboards
from bot.callbacks import COUNT as COUNT_CHOICE
from bot.callbacks import DIAL as DIAL_CHOICE
from bot.callbacks import answer
from bot.context import Context
from bot.handlers.pressed import may_act_for
from bot.messages import sender_of
from bot.recipes.children import DIAL, STEPS
from protos.lookalike.db.v1 import db_pb2 as db


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the command and of its buttons."""
    return [
        CommandHandler("settings", _show),
        CallbackQueryHandler(_choose_dial, pattern=DIAL_CHOICE),
        CallbackQueryHandler(_choose_count, pattern=COUNT_CHOICE),
    ]


async def _show(update: Update, context: Context) -> None:
    message = update.message
    sender = sender_of(message) if message is not None else None
    if message is None or sender is None:
        return
    texts = context.texts
    request = db.GetSettingsRequest(bot_id=context.bot.id, user_id=sender.id)
    chosen = await context.services.database.get_settings(request)
    steps = map(texts.pictures.dial_line, reversed(DIAL))
    lines = [texts.pictures.settings, "", *steps, "", texts.pictures.how_many]
    await message.reply_text("\n".join(lines), reply_markup=_buttons(chosen, sender.id, context))


async def _choose_dial(update: Update, context: Context) -> None:
    query, match = update.callback_query, context.match
    if query is None or match is None:
        return
    step = STEPS.get(match[1])
    if step is None:
        await answer(query, context.texts.gone)
        return
    if await _change(query, int(match[2]), db.UserSettings(dial=step), context):
        await answer(query, context.texts.pictures.dial(step))


async def _choose_count(update: Update, context: Context) -> None:
    query, match = update.callback_query, context.match
    if query is None or match is None:
        return
    if await _change(query, int(match[2]), db.UserSettings(pictures=int(match[1])), context):
        await answer(query, context.texts.pictures.at_once(int(match[1])))


async def _change(
    query: CallbackQuery, owner_id: int, settings: db.UserSettings, context: Context
) -> bool:
    """Changes what an owner has chosen, and shows it. False: it is not one's own, which is said."""
    if query.message is None or not await may_act_for(owner_id, query, context):
        await answer(query, context.texts.not_yours)
        return False
    request = db.ChangeSettingsRequest(bot_id=context.bot.id, user_id=owner_id, settings=settings)
    chosen = await context.services.database.change_settings(request)
    await context.services.messenger.show_buttons(
        query.message.chat.id, query.message.message_id, _buttons(chosen, owner_id, context)
    )
    return True


def _buttons(chosen: db.UserSettings, owner_id: int, context: Context) -> InlineKeyboardMarkup:
    shown = db.UserSettings(
        dial=chosen.dial or context.services.dial, pictures=chosen.pictures or 1
    )
    return keyboards.settings(shown, owner_id, context.texts)
