"""Which message is whose: what is found in a chat by its text alone is one row's and no other's."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from dbservice.errors import Reason, ServiceError
from dbservice.models import Generation, SentMessage
from dbservice.store import Transaction
from dbservice.transactions import queries
from protos.lookalike.db.v1 import db_pb2 as db

_TAKEN: Final = {
    "caption_message_id": db.MESSAGE_KIND_CAPTION,
    "ending_message_id": db.MESSAGE_KIND_ENDING,
    "choices_message_id": db.MESSAGE_KIND_CHOICES,
    "result_message_id": db.MESSAGE_KIND_PICTURE,
}
"""Fields of the patch. A status message is known by its button; it goes, or is the ending."""


def note(transaction: Transaction, request: db.NoteMessageRequest) -> db.NoteMessageResponse:
    """Notes that a message is about a generation; again changes nothing.

    Raises:
        ServiceError: NOT_FOUND, NOT_OWNER, or MESSAGE_TAKEN.
    """
    row = queries.owned(transaction.session, request.generation_id, request)
    take_message(transaction, row, request.message_id, request.kind)
    return db.NoteMessageResponse()


def take(transaction: Transaction, row: Generation, patch: db.GenerationPatch) -> None:
    """Notes that the messages which the patch names are this generation's; again changes nothing.

    Raises:
        ServiceError: MESSAGE_TAKEN, if one of them is another's, or of another kind.
    """
    for field, kind in _TAKEN.items():
        if patch.HasField(field):
            take_message(transaction, row, getattr(patch, field), kind)


def showing(transaction: Transaction, row: Generation, most: int) -> Sequence[int]:
    """The newest messages that show a picture in its chat."""
    of_it = select(SentMessage.message_id).where(
        SentMessage.generation == row.number,
        SentMessage.bot_id == row.bot_id,
        SentMessage.chat_id == row.chat_id,
        SentMessage.kind == db.MESSAGE_KIND_PICTURE,
    )
    newest = of_it.order_by(SentMessage.message_id.desc()).limit(most)
    return transaction.session.scalars(newest).all()


def take_message(
    transaction: Transaction, row: Generation, message_id: int, kind: db.MessageKind
) -> None:
    """Notes that a message is this generation's; again changes nothing.

    Raises:
        ServiceError: MESSAGE_TAKEN, if it is another's, or of another kind.
    """
    known = transaction.session.get(SentMessage, (row.bot_id, row.chat_id, message_id))
    if known is None:
        transaction.session.add(
            SentMessage(
                bot_id=row.bot_id,
                chat_id=row.chat_id,
                message_id=message_id,
                generation=row.number,
                kind=kind,
            )
        )
    elif (known.generation, known.kind) != (row.number, kind):
        raise ServiceError(Reason.MESSAGE_TAKEN, "The message is another one already.")
