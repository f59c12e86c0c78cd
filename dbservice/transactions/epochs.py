"""Which processes get a bot's updates: the last to begin, with those that share its address."""

from sqlalchemy import update

from dbservice.errors import Reason, ServiceError
from dbservice.models import Epoch, Generation
from dbservice.store import Transaction
from dbservice.transactions import shares
from protos.lookalike.db.v1 import db_pb2 as db


def begin(transaction: Transaction, request: db.BeginEpochRequest) -> db.BeginEpochResponse:
    """Begins an epoch and frees what is leased; whose it was shows in the rows (`leases.lease`).

    Whoever comes to the address of the latest one joins it and frees nothing.

    Epochs follow the clock where it goes on, so that one of a database that was restored from a
    copy is later than those which began after the copy was made.
    """
    session = transaction.session
    row = session.get(Epoch, request.bot_id, with_for_update=True)
    if row is None:
        row = Epoch(bot_id=request.bot_id, epoch=0, address="")
        session.add(row)
    if not request.address or request.address != row.address:
        row.epoch = max(row.epoch + 1, int(transaction.now.timestamp() * 1000))
        row.address = request.address
        session.execute(
            update(Generation)
            .where(
                Generation.bot_id == request.bot_id,
                Generation.closed_at.is_(None),
                Generation.lease_expires_at.is_not(None),
            )
            .values(lease_expires_at=None)
        )
        shares.dissolve(transaction, request.bot_id)
    if request.address:
        shares.join(transaction, request)
    return db.BeginEpochResponse(epoch=row.epoch)


def confirm(transaction: Transaction, request: db.ConfirmEpochRequest) -> db.ConfirmEpochResponse:
    """Answers if the epoch is its bot's latest, and the process has a part in it.

    Raises:
        ServiceError: SUPERSEDED or LAPSED.
    """
    if is_shared(transaction, request.bot_id, request.epoch):
        shares.confirm(transaction, request)
    return db.ConfirmEpochResponse()


def is_shared(transaction: Transaction, bot_id: int, epoch: int) -> bool:
    """Whether an epoch is shared. It is the bot's latest, and stays so to the transaction's end.

    Raises:
        ServiceError: SUPERSEDED, if there is a later one.
    """
    row = transaction.session.get(Epoch, bot_id, with_for_update={"read": True})
    if row is not None and epoch < row.epoch:
        raise ServiceError(Reason.SUPERSEDED, "A newer process gets this bot's updates.")
    return row is not None and bool(row.address)
