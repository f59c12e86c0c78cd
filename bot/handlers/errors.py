"""A handler that fails tells the user, and is logged once."""

import logging

from telegram import Update
from telegram.error import BadRequest, TelegramError

from bot.clients.dbservice import DatabaseUnavailable
from bot.context import Context
from bot.messenger import CannotDeliver, Moved, TelegramUnavailable

_log = logging.getLogger(__name__)

_EXPECTED = (CannotDeliver, DatabaseUnavailable, Moved, TelegramUnavailable, TelegramError)


async def tell(update: object, context: Context) -> None:
    """The application's error handler."""
    error, texts = context.error, context.texts
    if isinstance(error, _EXPECTED):
        _log.warning("A request could not be answered: %s: %s", type(error).__name__, error)
    else:
        _log.error("A handler failed", exc_info=error)
    if not isinstance(update, Update):
        return
    text = texts.went_wrong
    if isinstance(error, DatabaseUnavailable):
        text = texts.database_unavailable
    try:
        await _say(update, text)
    except TelegramError as second:
        _log.warning("The user could not be told either: %s", second)


async def _say(update: Update, text: str) -> None:
    if update.callback_query is not None:
        try:
            await update.callback_query.answer(text)
        except BadRequest:
            pass  # it was answered before the handler failed; a message says it then
        else:
            return
    if update.effective_message is not None:
        await update.effective_message.reply_text(text)
