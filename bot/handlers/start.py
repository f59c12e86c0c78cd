"""/start and /help."""

from collections.abc import Callable, Coroutine
from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CommandHandler, ContextTypes

from bot.services import Services
from bot.texts import en


def handlers(services: Services) -> list[BaseHandler[Update, ContextTypes.DEFAULT_TYPE, Any]]:
    """The handlers of both commands."""

    def saying(
        words: str,
    ) -> Callable[[Update, ContextTypes.DEFAULT_TYPE], Coroutine[Any, Any, None]]:
        if services.notice:
            words = f"{words}\n\n{services.notice}"

        async def say(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
            if update.message:
                await update.message.reply_text(words)

        return say

    return [CommandHandler("start", saying(en.START)), CommandHandler("help", saying(en.HELP))]
