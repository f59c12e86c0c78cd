"""/status: one's own unfinished work in this chat, and how the services are."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CommandHandler, ContextTypes

from bot.services import Services
from bot.texts import en
from protos.lookalike.db.v1 import db_pb2 as db

_MOST_LINES = 20  # a message holds 4,096 characters


def handlers(services: Services) -> list[BaseHandler[Update, ContextTypes.DEFAULT_TYPE, Any]]:
    """The command's handler."""

    async def status(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, user = update.message, update.effective_user
        if message is None or user is None:
            return
        work = await services.database.get_status(
            db.GetStatusRequest(bot_id=context.bot.id, chat_id=message.chat_id, user_id=user.id)
        )
        lines = [
            en.status_line(number, item, services.jobs.get(item.generation.id))
            for number, item in enumerate(work.items[:_MOST_LINES], start=1)
        ] or [en.NO_WORK]
        if work.count > _MOST_LINES:
            lines.append(en.and_more(work.count - _MOST_LINES))
        captioner = f"Captions ({services.captioner.name})"
        lines += [
            "",
            f"{captioner}: {services.seen_captioner.words}",
            f"Pictures: {services.seen_generator.words}",
        ]
        await message.reply_text("\n".join(lines))

    return [CommandHandler("status", status)]
