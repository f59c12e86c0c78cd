"""/cancel for all of one's own unfinished work in this chat, and the button for one picture."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, ContextTypes

from bot.callbacks import CANCEL, answer, generation_id
from bot.clients.dbservice import NotFound, NotOwner
from bot.services import Services
from bot.texts import en
from protos.lookalike.db.v1 import db_pb2 as db


def handlers(services: Services) -> list[BaseHandler[Update, ContextTypes.DEFAULT_TYPE, Any]]:
    """The handlers of the command and the button."""

    async def cancel_all(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, user = update.message, update.effective_user
        if message is None or user is None:
            return
        outcome = await services.database.cancel_generations(
            db.CancelGenerationsRequest(
                bot_id=context.bot.id, chat_id=message.chat_id, user_id=user.id
            )
        )
        services.wake()
        cancelled, late = outcome.cancelled_count, outcome.too_late_count
        if cancelled:
            text = en.cancelled_some(cancelled, late)
        else:
            text = en.TOO_LATE if late else en.NO_WORK
        await message.reply_text(text)

    async def cancel_one(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        if query is None or query.message is None or context.match is None:
            return
        request = db.CancelGenerationsRequest(
            bot_id=context.bot.id,
            chat_id=query.message.chat.id,
            user_id=query.from_user.id,
            generation_id=generation_id(context.match.group(1)),
        )
        try:
            outcome = await services.database.cancel_generations(request)
        except NotOwner:
            await answer(query, en.NOT_YOURS)
            return
        except NotFound:
            await answer(query, en.GONE)
            return
        services.wake()
        # The answer says how it went, so it comes right after the one call that decides it.
        await answer(query, en.CANCELLED if outcome.cancelled else en.TOO_LATE)
        item = next(iter((*outcome.cancelled, *outcome.too_late)))
        if item.generation.HasField("closed_at"):
            # A status message that outlived its generation: a crash kept us from recording it.
            await services.messenger.delete(query.message.chat.id, query.message.message_id)

    return [
        CommandHandler("cancel", cancel_all),
        CallbackQueryHandler(cancel_one, pattern=CANCEL),
    ]
