"""Which message is whose: what is found in a chat by its text alone is one row's and no other's."""

from typing import Final

from dbservice.errors import Reason, ServiceError
from dbservice.models import Generation, SentMessage
from dbservice.store import Transaction
from protos.lookalike.db.v1 import db_pb2 as db

_TAKEN: Final = {
    "caption_message_id": db.MESSAGE_KIND_CAPTION,
    "ending_message_id": db.MESSAGE_KIND_ENDING,
    "result_message_id": db.MESSAGE_KIND_PICTURE,
}
"""Fields of the patch. A status message is known by its button, and goes in the end."""


def take(transaction: Transaction, row: Generation, patch: db.GenerationPatch) -> None:
    """Notes that the messages which the patch names are this generation's; again changes nothing.

    Raises:
        ServiceError: MESSAGE_TAKEN, if one of them is another's, or of another kind.
    """
    for field, kind in _TAKEN.items():
        if not patch.HasField(field):
            continue
        message = (row.bot_id, row.chat_id, getattr(patch, field))
        known = transaction.session.get(SentMessage, message)
        if known is None:
            bot_id, chat_id, message_id = message
            transaction.session.add(
                SentMessage(
                    bot_id=bot_id,
                    chat_id=chat_id,
                    message_id=message_id,
                    generation=row.number,
                    kind=kind,
                )
            )
        elif (known.generation, known.kind) != (row.number, kind):
            raise ServiceError(Reason.MESSAGE_TAKEN, "The message is another one already.")
