"""/status: one's own unfinished work in this chat, and how the services are."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CommandHandler

from bot.clients.documents import Job
from bot.context import Context
from bot.messages import sender_of
from bot.work.progress import overall
from protos.lookalike.db.v1 import db_pb2 as db

_MOST_LINES = 20  # a message holds 4,096 characters


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The command's handler."""
    return [CommandHandler("status", _status)]


async def _status(update: Update, context: Context) -> None:
    message = update.message
    sender = sender_of(message) if message is not None else None
    if message is None or sender is None:
        return
    services, texts = context.services, context.texts
    work = await services.database.get_status(
        db.GetStatusRequest(bot_id=context.bot.id, chat_id=message.chat_id, user_id=sender.id)
    )
    lines = [
        texts.status_line(number, item, _last_seen(context, item))
        for number, item in enumerate(work.items[:_MOST_LINES], start=1)
    ] or [texts.no_work]
    if work.count > _MOST_LINES:
        lines.append(texts.and_more(work.count - _MOST_LINES))
    lines += [
        "",
        texts.captioner_line(services.captioner.name, services.captioner_health.code),
        texts.generator_line(services.generator_health.code),
    ]
    if work.HasField("max_kept_bytes"):
        lines.append(texts.kept_line(work.kept_bytes, work.max_kept_bytes))
    await message.reply_text("\n".join(lines))


def _last_seen(context: Context, item: db.Item) -> Job | None:
    memory = context.services.memories.get(item.generation.id)
    return overall(memory.jobs.values()) if memory is not None else None
