"""Somebody sends a photo: `bot.receive` has recorded it, so what is left is to wake the tick."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, ContextTypes, MessageHandler, filters

from bot.services import Services


def handlers(services: Services) -> list[BaseHandler[Update, ContextTypes.DEFAULT_TYPE, Any]]:
    """The handler for photos and image documents, albums' among them."""

    async def wake(_update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        services.wake()

    return [MessageHandler(filters.PHOTO | filters.Document.IMAGE, wake)]
