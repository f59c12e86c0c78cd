"""/status: one's own unfinished work in this chat, and what keeps it waiting."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CommandHandler

from bot.clients.documents import Job
from bot.context import Context
from bot.health import Health
from bot.messages import is_private, sender_of
from bot.services import Services
from bot.work.progress import overall
from protos.lookalike.db.v1 import db_pb2 as db

_MOST_PICTURES = 20  # a message holds 4,096 characters


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
        db.GetStatusRequest(
            bot_id=context.bot.id,
            chat_id=message.chat_id,
            user_id=sender.id,
            exempt=sender.id in services.access.admins,
        )
    )
    said = [
        texts.status_line(number, item, _last_seen(services, item))
        for number, item in enumerate(work.items[:_MOST_PICTURES], start=1)
    ] or [texts.no_work]
    if work.count > _MOST_PICTURES:
        said.append(texts.and_more(work.count - _MOST_PICTURES))
    for name, health in (
        ("captioner", services.captioner_health),
        ("generator", services.generator_health),
    ):
        if health.in_trouble:
            said.append(texts.waiting(f"{name}-{health.code}"))
    if work.HasField("pictures_left"):
        in_group = not is_private(message)
        said.append(texts.quotas.left(work.pictures_left, work.goes_on_at, in_group=in_group))
    if work.HasField("max_kept_bytes"):
        said.append(texts.kept_line(work.kept_bytes, work.max_kept_bytes))
    await message.reply_text("\n\n".join(said))


def _last_seen(services: Services, item: db.Item) -> Job | None:
    """How far it was; None if it has not been seen, or nobody knows whether it still gets on."""
    memory = services.memories.get(item.generation.id)
    if memory is None or services.generator_health.code == Health.UNAVAILABLE:
        return None
    return overall(memory.jobs.values())
