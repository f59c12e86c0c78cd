"""/settings: what a person chooses for all of their pictures."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler

from bot import keyboards
from bot.callbacks import DIAL as CHOICE
from bot.callbacks import answer
from bot.context import Context
from bot.handlers.pressed import may_act_for
from bot.messages import sender_of
from bot.recipes.children import DIAL, STEPS
from protos.lookalike.db.v1 import db_pb2 as db


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the command and of its buttons."""
    return [CommandHandler("settings", _show), CallbackQueryHandler(_choose, pattern=CHOICE)]


async def _show(update: Update, context: Context) -> None:
    message = update.message
    sender = sender_of(message) if message is not None else None
    if message is None or sender is None:
        return
    services, texts = context.services, context.texts
    request = db.GetSettingsRequest(bot_id=context.bot.id, user_id=sender.id)
    chosen = (await services.database.get_settings(request)).dial or services.dial
    lines = [texts.pictures.settings, "", *map(texts.pictures.dial_line, reversed(DIAL))]
    await message.reply_text(
        "\n".join(lines), reply_markup=keyboards.dial(chosen, sender.id, texts)
    )


async def _choose(update: Update, context: Context) -> None:
    query = update.callback_query
    if query is None or query.message is None or context.match is None:
        return
    name, owner_id = context.match.group(1), int(context.match.group(2))
    if not await may_act_for(owner_id, query, context):
        await answer(query, context.texts.not_yours)
        return
    step = STEPS.get(name)
    if step is None:
        await answer(query, context.texts.gone)
        return
    request = db.ChangeSettingsRequest(
        bot_id=context.bot.id, user_id=owner_id, settings=db.UserSettings(dial=step)
    )
    chosen = (await context.services.database.change_settings(request)).dial
    await answer(query, context.texts.pictures.dial(chosen))
    await context.services.messenger.show_buttons(
        query.message.chat.id,
        query.message.message_id,
        keyboards.dial(chosen, owner_id, context.texts),
    )
