"""/cancel for all of one's own unfinished work in this chat, and the button for one picture."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler

from bot.callbacks import CANCEL, answer, generation_id
from bot.clients.dbservice import NotFound, NotOwner
from bot.context import Context
from protos.lookalike.db.v1 import db_pb2 as db


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the command and the button."""
    return [
        CommandHandler("cancel", _cancel_all),
        CallbackQueryHandler(_cancel_one, pattern=CANCEL),
    ]


async def _cancel_all(update: Update, context: Context) -> None:
    message, user, texts = update.message, update.effective_user, context.texts
    if message is None or user is None:
        return
    outcome = await context.services.database.cancel_generations(
        db.CancelGenerationsRequest(bot_id=context.bot.id, chat_id=message.chat_id, user_id=user.id)
    )
    context.wake()
    cancelled, late = outcome.cancelled_count, outcome.too_late_count
    if cancelled:
        text = texts.cancelled_some(cancelled, late)
    else:
        text = texts.too_late if late else texts.no_work
    await message.reply_text(text)


async def _cancel_one(update: Update, context: Context) -> None:
    query, texts = update.callback_query, context.texts
    if query is None or query.message is None or context.match is None:
        return
    request = db.CancelGenerationsRequest(
        bot_id=context.bot.id,
        chat_id=query.message.chat.id,
        user_id=query.from_user.id,
        generation_id=generation_id(context.match.group(1)),
    )
    try:
        outcome = await context.services.database.cancel_generations(request)
    except NotOwner:
        await answer(query, texts.not_yours)
        return
    except NotFound:
        await answer(query, texts.gone)
        return
    context.wake()
    # The answer says how it went, so it comes right after the one call that decides it.
    await answer(query, texts.cancelled if outcome.cancelled else texts.too_late)
    item = next(iter((*outcome.cancelled, *outcome.too_late)))
    if item.generation.HasField("closed_at"):
        # A status message that outlived its generation: a crash kept us from recording it.
        await context.services.messenger.delete(query.message.chat.id, query.message.message_id)
