"""What one of several processes does alone: whoever claims it first, while it lives."""

from datetime import timedelta

from sqlalchemy import delete

from dbservice.models import Claim
from dbservice.store import Transaction
from dbservice.transactions import shares
from protos.lookalike.db.v1 import db_pb2 as db


def claim(transaction: Transaction, request: db.ClaimRequest) -> db.ClaimResponse:
    """Gives a process what it claims, or takes it back; again changes nothing."""
    session, now, bot_id = transaction.session, transaction.now, request.bot_id
    row = session.get(Claim, (bot_id, request.name), with_for_update=True)
    if row is not None and row.holder != request.holder:
        if row.ends_at > now and shares.is_alive(transaction, bot_id, row.holder):
            return db.ClaimResponse(yours=False)
        row.holder = request.holder
    if row is None:
        row = Claim(bot_id=bot_id, name=request.name, holder=request.holder)
        session.add(row)
    row.ends_at = now + timedelta(seconds=request.seconds)
    return db.ClaimResponse(yours=True)


def remove_old(transaction: Transaction) -> None:
    """Deletes what nobody has any more."""
    transaction.session.execute(delete(Claim).where(Claim.ends_at <= transaction.now))
