"""/privacy and /terms: what is kept, and on which conditions."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CommandHandler

from bot.context import Context
from bot.messages import sender_of
from protos.lookalike.db.v1 import db_pb2 as db


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of both commands."""
    return [CommandHandler("privacy", _tell_privacy), CommandHandler("terms", _tell_terms)]


async def _tell_privacy(update: Update, context: Context) -> None:
    message = update.message
    sender = sender_of(message) if message is not None else None
    if message is None or sender is None:
        return
    services = context.services
    request = db.GetStatusRequest(bot_id=context.bot.id, chat_id=message.chat_id, user_id=sender.id)
    kept = await services.database.get_status(request)
    await message.reply_text(
        context.texts.privacy.privacy(
            with_azure=services.captioner.name == "azure",
            retention_days=kept.retention_days if kept.HasField("retention_days") else None,
            url=services.privacy_url,
        )
    )


async def _tell_terms(update: Update, context: Context) -> None:
    if update.message:
        terms = context.services.terms
        await update.message.reply_text(terms or context.texts.privacy.no_terms)
