"""A handler that fails tells the user, and is logged once."""

import logging

from telegram import Update
from telegram.error import BadRequest, TelegramError
from telegram.ext import ContextTypes

from bot.clients.dbservice import DatabaseUnavailable
from bot.messenger import CannotDeliver, Moved, TelegramAway
from bot.texts import en

_log = logging.getLogger(__name__)

_EXPECTED = (CannotDeliver, DatabaseUnavailable, Moved, TelegramAway, TelegramError)


async def tell(update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    """The application's error handler."""
    error = context.error
    if isinstance(error, _EXPECTED):
        _log.warning("A request could not be answered: %s: %s", type(error).__name__, error)
    else:
        _log.error("A handler failed", exc_info=error)
    if not isinstance(update, Update):
        return
    words = en.STORAGE_AWAY if isinstance(error, DatabaseUnavailable) else en.WENT_WRONG
    try:
        await _say(update, words)
    except TelegramError as second:
        _log.warning("Nor could the user be told: %s", second)


async def _say(update: Update, words: str) -> None:
    if update.callback_query is not None:
        try:
            await update.callback_query.answer(words)
        except BadRequest:
            pass  # it was answered before the handler failed; a message says it then
        else:
            return
    if update.effective_message is not None:
        await update.effective_message.reply_text(words)
