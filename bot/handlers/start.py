"""/start and /help."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CommandHandler, ContextTypes

from bot.services import Services
from bot.texts import en


def handlers(_services: Services) -> list[BaseHandler[Update, ContextTypes.DEFAULT_TYPE, Any]]:
    """The handlers of both commands."""
    return [CommandHandler("start", _start), CommandHandler("help", _help)]


async def _start(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    if update.message:
        await update.message.reply_text(en.START)


async def _help(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    if update.message:
        await update.message.reply_text(en.HELP)
