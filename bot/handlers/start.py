"""/start and /help."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CommandHandler

from bot.context import Context
from bot.handlers.administration import is_admin
from bot.messages import is_private


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of both commands."""
    return [CommandHandler("start", say_hello), CommandHandler("help", _help)]


async def say_hello(update: Update, context: Context) -> None:
    """The answer to /start."""
    await _say(update, context, context.texts.start)


async def _help(update: Update, context: Context) -> None:
    text, said = context.texts.help, context.texts.access
    in_group = update.message is not None and not is_private(update.message)
    if in_group and not context.services.hears_all:
        text = f"{text}\n\n{context.texts.groups.how_to}"
    if await is_admin(update, context):
        lines = (f"/{name} - {what}" for name, what in said.commands)
        text = "\n".join([text, "", said.for_admins, *lines])
    await _say(update, context, text)


async def _say(update: Update, context: Context, text: str) -> None:
    if context.services.terms:
        text = f"{text}\n\n{context.texts.privacy.see_terms}"
    if update.message:
        await update.message.reply_text(text)
