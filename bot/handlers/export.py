"""/export: begun before the command is confirmed; the rest is `bot.exports`."""

import datetime as dt
from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CommandHandler

from bot.context import Context
from bot.handlers.recorded import Recorded
from bot.messages import is_private
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handler of the command."""
    return [Recorded(CommandHandler("export", _tell), _begin)]


async def _begin(update: Update, services: Services) -> db.BeginExportResponse | None:
    """Begins it; None: it is asked for where others would read it."""
    message = update.message
    user = message.from_user if message is not None else None
    if message is None or user is None or not is_private(message):
        return None
    return await services.database.begin_export(
        db.BeginExportRequest(
            bot_id=message.get_bot().id,
            user_id=user.id,
            message_id=message.message_id,
            language_code=user.language_code or "",
        )
    )


async def _tell(update: Update, context: Context) -> None:
    message, begun, said = update.message, context.outcome, context.texts.export
    if message is None:
        return
    if begun is None:
        await message.reply_text(said.in_private)
    elif begun.answer == db.EXPORT_ANSWER_BEGUN:
        context.wake()  # the first thing that is done about it is to say so
    elif begun.answer == db.EXPORT_ANSWER_UNDER_WAY:
        await message.reply_text(said.under_way)
    else:
        wait = begun.next_at.ToDatetime(dt.UTC) - dt.datetime.now(dt.UTC)
        await message.reply_text(said.too_soon(max(1, -(-wait // dt.timedelta(hours=1)))))
