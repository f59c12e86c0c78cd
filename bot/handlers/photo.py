"""Somebody sends a photo: `bot.receive` has recorded it, so what is left is to wake the tick."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, MessageHandler, filters

from bot.context import Context


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handler for photos and image documents, albums' among them."""
    return [MessageHandler(filters.PHOTO | filters.Document.IMAGE, _wake)]


async def _wake(_update: Update, context: Context) -> None:
    context.wake()
