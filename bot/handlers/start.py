"""/start and /help."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CommandHandler

from bot.context import Context


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of both commands."""
    return [CommandHandler("start", _start), CommandHandler("help", _help)]


async def _start(update: Update, context: Context) -> None:
    await _say(update, context, context.texts.start)


async def _help(update: Update, context: Context) -> None:
    await _say(update, context, context.texts.help)


async def _say(update: Update, context: Context, text: str) -> None:
    if context.services.terms:
        text = f"{text}\n\n{context.texts.privacy.see_terms}"
    if update.message:
        await update.message.reply_text(text)
