"""A group has become a supergroup: what is kept under its old id follows it, without a word."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, MessageHandler, filters

from bot.context import Context
from bot.handlers.recorded import Recorded
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db


class _Moved(filters.UpdateFilter):
    """The last message of such a group, which is Telegram's own."""

    def filter(self, update: Update) -> bool:
        return update.message is not None and update.message.migrate_to_chat_id is not None


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handler of that message."""
    return [Recorded(MessageHandler(_Moved(), _say_nothing), _record)]


async def _record(update: Update, services: Services) -> None:
    message = update.message
    if message is None or message.migrate_to_chat_id is None:
        return
    await services.database.move_chat(
        db.MoveChatRequest(
            bot_id=message.get_bot().id,
            from_chat_id=message.chat_id,
            to_chat_id=message.migrate_to_chat_id,
        )
    )


async def _say_nothing(_update: Update, _context: Context) -> None:
    return
