"""/broadcast: a message to everybody, which whoever runs the bot sees first."""

from typing import Any

from telegram import CallbackQuery, Message, MessageEntity, Update
from telegram.ext import BaseHandler, CallbackQueryHandler

from bot import keyboards
from bot.access import party_of
from bot.callbacks import SEND, STOP, answer
from bot.context import Context
from bot.handlers import administration
from bot.handlers.recorded import Recorded
from bot.messages import is_private
from bot.refusals import CannotDeliver, SourceGone
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the command and of the buttons."""
    return [
        administration.command("broadcast", _preview),
        Recorded(CallbackQueryHandler(_tell_begun, pattern=SEND), _begin),
        Recorded(CallbackQueryHandler(_tell_stopped, pattern=STOP), _stop),
    ]


async def _preview(message: Message, context: Context) -> str | None:
    """Shows it as people will get it, and asks. What is shown is what is copied."""
    said, services = context.texts.broadcast, context.services
    if not is_private(message):
        return said.in_private
    chat_id, replied = message.chat_id, message.reply_to_message
    text, entities = _written(message)
    if replied is None and not text:
        return said.usage
    button = keyboards.no_news(0, context.texts)
    try:
        if replied is not None:
            shown = await services.messenger.copy(chat_id, (chat_id, replied.message_id), button)
        else:
            sent = await services.messenger.reply(chat_id, None, text, button, entities=entities)
            shown = sent.message_id
    except (CannotDeliver, SourceGone):
        return said.cannot_copy
    count = await services.database.count_recipients(
        db.CountRecipientsRequest(
            bot_id=context.bot.id, user_id=chat_id, audience=services.access.audience
        )
    )
    if not count:
        return said.nobody
    await services.messenger.reply(
        chat_id, shown, said.question(count), keyboards.broadcast(shown, count, context.texts)
    )
    return None


def _written(message: Message) -> tuple[str, list[MessageEntity]]:
    """What stands after the command, and how it is set."""
    text, command = message.text or "", message.entities[0]
    words = text[command.length :].lstrip()
    start = len(text) - len(words)  # also as Telegram counts, in units of 16 bits
    entities = [each for each in message.entities if each.offset >= start]
    return words, [*MessageEntity.shift_entities(-start, entities)]


async def _is_admins(query: CallbackQuery, update: Update, services: Services) -> bool:
    """Whether a button was pressed by somebody who runs the bot, in their private chat."""
    party = party_of(update)
    if party is None or party.chat_id != party.user_id:
        return False
    return await services.access.is_admin(services.database, query.get_bot().id, party)


async def _begin(update: Update, services: Services) -> db.BeginBroadcastResponse | None:
    """Begins it; None: that is for somebody else to say."""
    query = update.callback_query
    match = SEND.match(query.data or "") if query is not None else None
    if query is None or match is None or query.message is None:
        return None
    if not await _is_admins(query, update, services):
        return None
    bot_id, user = query.get_bot().id, query.from_user
    chosen = await services.database.get_settings(
        db.GetSettingsRequest(bot_id=bot_id, user_id=user.id)
    )
    return await services.database.begin_broadcast(
        db.BeginBroadcastRequest(
            bot_id=bot_id,
            user_id=user.id,
            message_id=query.message.message_id,
            source_message_id=int(match[1]),
            language_code=chosen.language or user.language_code or "",
            total=int(match[2]),
        )
    )


async def _tell_begun(update: Update, context: Context) -> None:
    query, begun, said = update.callback_query, context.outcome, context.texts.broadcast
    if query is None:
        return
    if begun is None:
        await answer(query, context.texts.not_yours)
    elif not begun.HasField("broadcast"):
        await answer(query, said.another)
    elif begun.broadcast.state != db.BROADCAST_STATE_RUNNING:
        await answer(query, context.texts.gone)
    else:
        context.wake()
        await answer(query, said.sending)


async def _stop(update: Update, services: Services) -> db.Broadcast | None:
    """Cancels it, whether it was begun or not; None: that is for somebody else to say."""
    query = update.callback_query
    if query is None or query.message is None or not await _is_admins(query, update, services):
        return None
    return await services.database.cancel_broadcast(
        db.CancelBroadcastRequest(
            bot_id=query.get_bot().id,
            user_id=query.from_user.id,
            message_id=query.message.message_id,
        )
    )


async def _tell_stopped(update: Update, context: Context) -> None:
    query, stopped, said = update.callback_query, context.outcome, context.texts.broadcast
    if query is None or query.message is None:
        return
    if stopped is None:
        await answer(query, context.texts.not_yours)
    elif stopped.state != db.BROADCAST_STATE_CANCELLED:
        await answer(query, context.texts.gone)
    elif stopped.source_message_id:
        context.wake()
        await answer(query, said.stopping)
    else:  # it was never begun
        await answer(query)
        place = query.message.chat.id, query.message.message_id
        await context.services.messenger.rewrite(*place, said.not_sent)
