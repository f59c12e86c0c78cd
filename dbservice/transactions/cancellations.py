"""What is cancelled before it is recorded: it comes to one process, and /cancel to another."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete

from dbservice.models import Cancellation
from dbservice.store import Transaction
from dbservice.transactions import limits, queries
from protos.lookalike.db.v1 import db_pb2 as db

_KEPT: Final = timedelta(days=1)
"""So long Telegram keeps what nobody has taken."""


def note(transaction: Transaction, request: db.CancelGenerationsRequest) -> None:
    """Notes that all is cancelled which a user has asked for in a chat, up to a message."""
    limits.take_turn(transaction, request.bot_id, request.user_id)
    if queries.is_being_forgotten(transaction.session, request.bot_id, request.user_id):
        return
    key = (request.bot_id, request.chat_id, request.user_id)
    row = transaction.session.get(Cancellation, key, with_for_update=True)
    if row is None:
        row = Cancellation(
            bot_id=request.bot_id, chat_id=request.chat_id, user_id=request.user_id, message_id=0
        )
        transaction.session.add(row)
    row.message_id = max(row.message_id, request.before_message_id)
    row.cancelled_at = transaction.now


def include(
    transaction: Transaction, bot_id: int, chat_id: int, user_id: int, message_id: int
) -> bool:
    """Whether what this message asks for is cancelled already."""
    row = transaction.session.get(Cancellation, (bot_id, chat_id, user_id))
    return row is not None and message_id < row.message_id


def forget(transaction: Transaction, bot_id: int, user_id: int) -> None:
    """Deletes what names a user."""
    theirs = delete(Cancellation).filter_by(bot_id=bot_id, user_id=user_id)
    transaction.session.execute(theirs)


def remove_old(transaction: Transaction) -> None:
    """Deletes what nothing can come before any more."""
    old = delete(Cancellation).where(Cancellation.cancelled_at <= transaction.now - _KEPT)
    transaction.session.execute(old)
