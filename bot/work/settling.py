"""What is done about that which stopped a stage."""

import logging

from telegram.error import TelegramError

from bot.clients.errors import Conflict, DatabaseError, DatabaseUnavailable, LeaseLost, NotFound
from bot.messenger import Messenger
from bot.refusals import CannotDeliver, Moved, TelegramUnavailable
from bot.work import status_message
from bot.work.item import RetryLater, WorkItem
from bot.work.room import NoRoom
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db

_log = logging.getLogger(__name__)

_MOST_ERRORS = 5  # unexpected ones of one item in a row, before it is failed


async def settle(item: WorkItem, messenger: Messenger, error: Exception) -> bool:
    """Settles what stopped an item. An error that is not expected is logged with its traceback.

    Returns:
        Whether the item goes on at once; else a later tick takes it up.
    """
    match error:
        case RetryLater():
            item.memory.backoff.put_off(error.retry_after)
            if error.code is not None and item.memory.backoff.tries > 1:
                await _say(item, messenger, error.code)
        case NoRoom():
            if error.lasts:
                await _say(item, messenger, error.code)
        case TelegramUnavailable():
            _log.info("Telegram is unavailable; %s will be retried: %s", item.id, error)
            item.memory.backoff.put_off(error.retry_after)
        case DatabaseUnavailable():
            _log.info("dbservice is unavailable; %s will be retried: %s", item.id, error)
            item.memory.backoff.put_off()
        case LeaseLost() | Conflict() | NotFound():
            # Cancelled, forgotten, or another's by now: the next tick brings what is true.
            _log.info("Leaving %s alone: %s", item.id, error)
        case Moved():
            return await _move(item, error.chat_id)
        case CannotDeliver():
            return await _give_up(item, error)
        case _:
            _log.error("Unexpected error in state %s of %s", item.state, item.id, exc_info=error)
            return await _count_error(item)
    return False


async def _say(item: WorkItem, messenger: Messenger, code: str) -> None:
    """Says what is waited for; a hiccup, which has passed at the next try, is not worth it."""
    try:
        await status_message.show(item, messenger, item.texts.waiting(code))
    except (DatabaseError, TelegramUnavailable, TelegramError, CannotDeliver, Moved) as error:
        _log.info("The status message of %s has to wait: %s", item.id, error)


async def _move(item: WorkItem, chat_id: int) -> bool:
    try:
        await item.record(chat_id=chat_id)
    except DatabaseError as error:
        _log.info("The move of chat %d has to wait: %s", item.photo.chat_id, error)
        return False
    return True


async def _give_up(item: WorkItem, reason: CannotDeliver) -> bool:
    _log.info("The chat of %s takes no message: %s", item.id, reason)
    try:
        await item.advance(
            db.GENERATION_STATE_UNDELIVERABLE,
            error=db.Error(code="undeliverable", message=printable(str(reason))),
        )
    except DatabaseError as error:
        _log.info("Giving up %s has to wait: %s", item.id, error)
        return False
    return True


async def _count_error(item: WorkItem) -> bool:
    backoff = item.memory.backoff
    backoff.put_off()
    backoff.errors += 1
    if backoff.errors < _MOST_ERRORS:
        return False
    try:
        await item.fail("internal-error", "unexpected errors in a row; see the log")
    except DatabaseError as error:
        _log.warning("%s cannot be failed either: %s", item.id, error)
        return False
    backoff.reset()  # so that errors of telling it are put off like any others
    return True
