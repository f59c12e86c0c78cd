"""Groups that became supergroups: what is kept under the id that one had follows it."""

from sqlalchemy import update

from dbservice.models import Ban, UserSettings
from dbservice.store import Transaction
from protos.lookalike.db.v1 import db_pb2 as db


def move(transaction: Transaction, request: db.MoveChatRequest) -> db.MoveChatResponse:
    """Has what a group has chosen, and its ban, follow it; again changes nothing."""
    follow(transaction, request.bot_id, request.from_chat_id, request.to_chat_id)
    return db.MoveChatResponse()


def follow(transaction: Transaction, bot_id: int, chat_id: int, successor: int) -> None:
    """Does so; what the supergroup has already stays as it is."""
    session = transaction.session
    for table in (UserSettings, Ban):
        old = session.get(table, (bot_id, chat_id))
        if old is None:
            continue
        if session.get(table, (bot_id, successor)) is None:
            kept = update(table).filter_by(bot_id=bot_id, user_id=chat_id)
            session.execute(kept.values(user_id=successor))
        else:
            session.delete(old)
