"""A handler that fails tells the user, and is logged once."""

import logging

from telegram import Update
from telegram.error import BadRequest, TelegramError

from bot.clients.errors import (
    DatabaseUnavailable,
    InvalidRequest,
    NotFound,
    NotOwner,
)
from bot.context import Context
from bot.messages import picture_of
from bot.refusals import CannotDeliver, Moved, TelegramUnavailable
from bot.texts.refusals import why_refused
from bot.texts.texts import Texts

_log = logging.getLogger(__name__)

_EXPECTED = (CannotDeliver, DatabaseUnavailable, Moved, TelegramUnavailable, TelegramError)


async def tell(update: object, context: Context) -> None:
    """The application's error handler."""
    if not isinstance(update, Update) or context.error is None:
        _log.error("The library has a fault", exc_info=context.error)
        return
    error = context.error
    if not isinstance(error, DatabaseUnavailable):
        await context.refresh_data()  # this context is another one than the handler's
    texts = context.texts
    refusal = _refusal(error, update, texts)
    of_button = _about_button(error, texts) if update.callback_query is not None else None
    if refusal is not None and update.callback_query is None:
        chat = update.effective_chat
        if chat is None or not context.bot_data.notices.may_give(chat.id):
            return
    elif of_button is None:
        log(error)
    text = refusal or of_button or texts.went_wrong
    if isinstance(error, DatabaseUnavailable) and refusal is None:
        text = texts.database_unavailable
    try:
        await _say(update, text)
    except TelegramError as second:
        _log.warning("The user could not be told either: %s", second)


def _is_photo(update: Update) -> bool:
    return update.message is not None and picture_of(update.message) is not None


def _refusal(error: Exception, update: Update, texts: Texts) -> str | None:
    """Why nothing is begun, which one notice says for all that comes meanwhile."""
    in_group = update.effective_chat is not None and update.effective_chat.type != "private"
    if (why := why_refused(error, texts, in_group=in_group)) is not None:
        return why
    if isinstance(error, DatabaseUnavailable) and error.is_full and _is_photo(update):
        return texts.no_room
    return None


def _about_button(error: Exception, texts: Texts) -> str | None:
    """What is wrong with a button that was pressed."""
    if isinstance(error, NotOwner):
        return texts.not_yours
    # Nobody but us makes its data: it is an old one, or somebody plays.
    return texts.gone if isinstance(error, NotFound | InvalidRequest) else None


def log(error: Exception) -> None:
    """Notes an error: in a line if it is expected, else with its traceback."""
    if isinstance(error, _EXPECTED):
        _log.warning("A request could not be answered: %s: %s", type(error).__name__, error)
    else:
        _log.error("A handler failed", exc_info=error)


async def _say(update: Update, text: str) -> None:
    if update.callback_query is not None:
        try:
            await update.callback_query.answer(text)
        except BadRequest:
            pass  # it was answered before the handler failed; a message says it then
        else:
            return
    if update.effective_message is not None and update.channel_post is None:
        await update.effective_message.reply_text(text)
