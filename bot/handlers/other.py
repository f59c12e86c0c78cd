"""Whatever else arrives: a one-line answer in private chats, silence in groups."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CallbackQueryHandler, MessageHandler, filters

from bot.callbacks import answer
from bot.context import Context


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers that come last."""
    private = filters.ChatType.PRIVATE & ~filters.StatusUpdate.ALL
    return [
        MessageHandler(private & filters.COMMAND, _unknown_command),
        MessageHandler(private, _cannot_use),
        CallbackQueryHandler(_old_button),
    ]


async def _unknown_command(update: Update, context: Context) -> None:
    if update.message:
        await update.message.reply_text(context.texts.unknown_command)


async def _cannot_use(update: Update, context: Context) -> None:
    if update.message:
        await update.message.reply_text(context.texts.cannot_use)


async def _old_button(update: Update, context: Context) -> None:
    if update.callback_query:
        await answer(update.callback_query, context.texts.gone)
