"""/cancel for all of one's own unfinished work in this chat, and the button for one picture."""

from typing import Any

from telegram import CallbackQuery, Message, Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler

from bot.callbacks import CANCEL, answer, generation_id
from bot.clients.errors import NotOwner
from bot.context import Context
from bot.handlers.recorded import Recorded
from bot.messages import data_of, sender_of
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the command and the button."""
    return [
        Recorded(CommandHandler("cancel", _tell_all), _cancel_all),
        Recorded(CallbackQueryHandler(_tell_one, pattern=CANCEL), _cancel_one),
    ]


async def _cancel_all(update: Update, services: Services) -> db.CancelGenerationsResponse | None:
    message = update.message
    sender = sender_of(message) if message is not None else None
    if message is None or sender is None:
        return None
    return await services.database.cancel_generations(
        db.CancelGenerationsRequest(
            bot_id=message.get_bot().id,
            chat_id=message.chat_id,
            user_id=sender.id,
            # A crash may have kept Telegram from hearing that we have the command, and so it may
            # come again when there is more to cancel than it meant.
            before_message_id=message.message_id,
        )
    )


async def _tell_all(update: Update, context: Context) -> None:
    message, texts = update.message, context.texts
    outcome: db.CancelGenerationsResponse | None = context.outcome
    if message is None or outcome is None:
        return
    context.wake()
    cancelled, late = outcome.cancelled_count, outcome.too_late_count
    if cancelled:
        text = texts.cancelled_some(cancelled, late)
    else:
        text = texts.too_late if late else texts.no_work
    await message.reply_text(text)


async def _cancel_one(update: Update, services: Services) -> db.CancelGenerationsResponse | None:
    """The outcome; None for somebody else's picture."""
    query = update.callback_query
    if query is None:
        return None
    try:
        return await _cancel(query, services, query.from_user.id)
    except NotOwner:
        return None


async def _cancel(
    query: CallbackQuery, services: Services, owner_id: int
) -> db.CancelGenerationsResponse | None:
    """Cancels the generation that the button names; None: there is no chat that it could be in."""
    match = CANCEL.match(query.data or "")
    if match is None or query.message is None:
        return None
    return await services.database.cancel_generations(
        db.CancelGenerationsRequest(
            bot_id=query.get_bot().id,
            chat_id=query.message.chat.id,
            user_id=owner_id,
            generation_id=generation_id(match.group(1)),
        )
    )


async def _tell_one(update: Update, context: Context) -> None:
    query, services, texts = update.callback_query, context.services, context.texts
    outcome: db.CancelGenerationsResponse | None = context.outcome
    if query is None:
        return
    chat = query.message.chat if query.message is not None else None
    if (
        outcome is None
        and chat is not None
        and (await services.group_admins.include(chat, query.from_user.id))
    ):
        # Only Telegram knows that, and nobody's photo waits for its answer. Should this process die
        # meanwhile, the button is still there.
        outcome = await _cancel(query, services, chat.id)
    if outcome is None or query.message is None:
        await answer(query, texts.not_yours)
        return
    context.wake()
    # The answer says how it went, so it comes right after the one call that decides it.
    await answer(query, texts.cancelled if outcome.cancelled else texts.too_late)
    generation = next(iter((*outcome.cancelled, *outcome.too_late))).generation
    shown = query.message
    is_offered = isinstance(shown, Message) and query.data in data_of(shown)
    is_over = generation.HasField("closed_at") and shown.message_id != generation.ending_message_id
    if is_offered and is_over:
        # A status message that outlived its generation: a crash kept us from recording it.
        await services.messenger.delete(shown.chat.id, shown.message_id, texts.over)
