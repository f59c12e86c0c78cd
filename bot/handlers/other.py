"""Whatever else arrives: one line in words in private chats, silence in groups."""

from typing import Any

from telegram import Update
from telegram.ext import (
    BaseHandler,
    CallbackQueryHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

from bot.callbacks import answer
from bot.services import Services
from bot.texts import en


def handlers(_services: Services) -> list[BaseHandler[Update, ContextTypes.DEFAULT_TYPE, Any]]:
    """The handlers that come last."""
    private = filters.ChatType.PRIVATE & ~filters.StatusUpdate.ALL
    return [
        MessageHandler(private & filters.COMMAND, _unknown_command),
        MessageHandler(private, _cannot_use),
        CallbackQueryHandler(_old_button),
    ]


async def _unknown_command(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    if update.message:
        await update.message.reply_text(en.UNKNOWN_COMMAND)


async def _cannot_use(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    if update.message:
        await update.message.reply_text(en.CANNOT_USE)


async def _old_button(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    if update.callback_query:
        await answer(update.callback_query, en.GONE)
