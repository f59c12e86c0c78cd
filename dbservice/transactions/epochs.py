"""Which process polls for a bot: the last to begin; those before it are superseded."""

from sqlalchemy import update

from dbservice.errors import Reason, ServiceError
from dbservice.models import Epoch, Generation
from dbservice.store import Transaction
from protos.lookalike.db.v1 import db_pb2 as db


def begin(transaction: Transaction, request: db.BeginEpochRequest) -> db.BeginEpochResponse:
    """Begins an epoch and frees what is leased; whose it was shows in the rows (`leases.lease`).

    Epochs follow the clock where it goes on, so that one of a database that was restored from a
    copy is later than those which began after the copy was made.
    """
    session = transaction.session
    row = session.get(Epoch, request.bot_id, with_for_update=True)
    if row is None:
        row = Epoch(bot_id=request.bot_id, epoch=0)
        session.add(row)
    row.epoch = max(row.epoch + 1, int(transaction.now.timestamp() * 1000))
    session.execute(
        update(Generation)
        .where(
            Generation.bot_id == request.bot_id,
            Generation.closed_at.is_(None),
            Generation.lease_expires_at.is_not(None),
        )
        .values(lease_expires_at=None)
    )
    return db.BeginEpochResponse(epoch=row.epoch)


def confirm(transaction: Transaction, request: db.ConfirmEpochRequest) -> db.ConfirmEpochResponse:
    """Answers if the epoch is its bot's latest.

    Raises:
        ServiceError: SUPERSEDED.
    """
    check(transaction, request.bot_id, request.epoch)
    return db.ConfirmEpochResponse()


def check(transaction: Transaction, bot_id: int, epoch: int) -> None:
    """Makes sure that no later epoch of the bot has begun, nor does before the transaction's end.

    Raises:
        ServiceError: SUPERSEDED.
    """
    row = transaction.session.get(Epoch, bot_id, with_for_update={"read": True})
    if row is not None and epoch < row.epoch:
        raise ServiceError(Reason.SUPERSEDED, "A newer process polls for this bot.")
