"""/forget: asks once; the first button begins it, before the press is confirmed."""

from typing import Any

from telegram import CallbackQuery, Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler

from bot import keyboards
from bot.callbacks import FORGET, KEEP, answer
from bot.context import Context
from bot.handlers.pressed import may_act_for
from bot.handlers.recorded import Recorded
from bot.messages import sender_of
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the command and of both buttons."""
    return [
        CommandHandler("forget", _ask),
        Recorded(CallbackQueryHandler(_tell, pattern=FORGET), _begin),
        CallbackQueryHandler(_keep, pattern=KEEP),
    ]


async def _ask(update: Update, context: Context) -> None:
    message = update.message
    sender = sender_of(message) if message is not None else None
    if message is None or sender is None:
        return
    await message.reply_text(
        context.texts.privacy.forget_question,
        reply_markup=keyboards.forgetting(sender.id, context.texts),
    )


async def _begin(update: Update, services: Services) -> db.BeginForgettingResponse | None:
    """Begins it; None: that is for somebody else to say, or for who administers the group."""
    query = update.callback_query
    match = FORGET.match(query.data or "") if query is not None else None
    if query is None or match is None or int(match["owner"]) != query.from_user.id:
        return None
    return await _begin_for(query, query.from_user.id, services)


async def _begin_for(
    query: CallbackQuery, owner_id: int, services: Services
) -> db.BeginForgettingResponse | None:
    if query.message is None:
        return None
    return await services.database.begin_forgetting(
        db.BeginForgettingRequest(
            bot_id=query.get_bot().id,
            user_id=owner_id,
            chat_id=query.message.chat.id,
            message_id=query.message.message_id,
            language_code=query.from_user.language_code or "",
        )
    )


async def _tell(update: Update, context: Context) -> None:
    query, begun = update.callback_query, context.outcome
    match = FORGET.match(query.data or "") if query is not None else None
    if query is None or match is None:
        return
    owner_id = int(match["owner"])
    # As with other buttons, only Telegram knows who administers a group: see `pressed`.
    if begun is None and await may_act_for(owner_id, query, context):
        begun = await _begin_for(query, owner_id, context.services)
    if begun is None:
        await answer(query, context.texts.not_yours)
        return
    context.wake()
    await answer(query, context.texts.privacy.forgetting if begun.pending else context.texts.gone)


async def _keep(update: Update, context: Context) -> None:
    query, match = update.callback_query, context.match
    if query is None or match is None:
        return
    owner_id, said = int(match["owner"]), context.texts.privacy
    if query.message is None or not await may_act_for(owner_id, query, context):
        await answer(query, context.texts.not_yours)
        return
    request = db.ListForgettingsRequest(bot_id=context.bot.id)
    found = await context.services.database.list_forgettings(request)
    if any(each.user_id == owner_id for each in found.forgettings):
        await answer(query, said.too_late)
        return
    await answer(query)
    await context.services.messenger.rewrite(
        query.message.chat.id, query.message.message_id, said.kept
    )
