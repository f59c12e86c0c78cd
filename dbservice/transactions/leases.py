"""Who works on a generation: leases, and the fences that every write of a holder carries."""

from datetime import timedelta

from sqlalchemy import func, or_, update

from dbservice import messages
from dbservice.errors import Reason, ServiceError
from dbservice.models import Generation, Photo
from dbservice.store import Transaction
from dbservice.transactions import queries
from dbservice.validation import MAX_LEASES
from protos.lookalike.db.v1 import db_pb2 as db

_LEASE = timedelta(seconds=30)
"""How long a holder may go without asking again."""

_RENEW_BELOW = _LEASE * 2 / 3
_MAX_RESPONSE = 3 * 1024 * 1024  # bytes; gRPC's clients refuse a response over 4 MiB


def lease(
    transaction: Transaction, request: db.LeaseGenerationsRequest
) -> db.LeaseGenerationsResponse:
    """Leases what is free, ran out or is this holder's; a tick that finds all well only reads.

    The response stays under gRPC's bound on a message; what did not fit waits its turn.
    """
    now = transaction.now
    if request.stopping:
        _release(transaction, request)
        return db.LeaseGenerationsResponse()
    # Users take turns, so that one who floods the bot keeps nobody else out of the window.
    turn = func.row_number().over(partition_by=Photo.user_id, order_by=Generation.number)
    rows = transaction.session.scalars(
        queries.with_photo(
            Photo.bot_id == request.bot_id,
            Generation.closed_at.is_(None),
            or_(
                Generation.lease_holder.is_(None),
                Generation.lease_holder == request.holder,
                Generation.lease_expires_at <= now,
            ),
        )
        .order_by(turn, Generation.number)
        .limit(request.limit or MAX_LEASES)
    )
    response = db.LeaseGenerationsResponse()
    size = 0
    for row in rows:
        item = messages.item(row)
        size += item.ByteSize()
        if size > _MAX_RESPONSE:
            break
        expires_at = row.lease_expires_at or now
        held = row.lease_holder == request.holder and expires_at > now
        if not held or request.starting:
            if row.lease_holder and (request.starting or row.lease_holder != request.holder):
                # Its holder died, maybe of this work.
                row.attempts = item.generation.attempts = max(row.attempts, 1)
            row.lease_holder = request.holder
            row.fence += 1
            expires_at = now + _LEASE
        elif expires_at - now < _RENEW_BELOW:
            expires_at = now + _LEASE
        row.lease_expires_at = expires_at
        response.leases.add(item=item, fence=row.fence, expires_at=expires_at)
    return response


def _release(transaction: Transaction, request: db.LeaseGenerationsRequest) -> None:
    """Frees what the holder held; it is not to blame for the end of its process."""
    transaction.session.execute(
        update(Generation)
        .where(Generation.lease_holder == request.holder, Generation.closed_at.is_(None))
        .values(lease_holder=None, lease_expires_at=None, attempts=0)
    )


def held(transaction: Transaction, generation_id: str, fence: int) -> Generation:
    """The generation that this fence may write to.

    Raises:
        ServiceError: NOT_FOUND; LEASE_LOST, for a fence that is not the row's or a lease that ran
            out; TRANSITION_NOT_ALLOWED, if it is closed.
    """
    row = queries.get(transaction.session, generation_id)
    check(transaction, row, fence)
    if row.closed_at is not None:
        raise ServiceError(Reason.TRANSITION_NOT_ALLOWED, "The generation is closed.")
    return row


def check(transaction: Transaction, row: Generation, fence: int) -> None:
    """Makes sure that this fence holds the row.

    Raises:
        ServiceError: LEASE_LOST.
    """
    expires_at = row.lease_expires_at
    if row.fence != fence or expires_at is None or expires_at <= transaction.now:
        raise ServiceError(Reason.LEASE_LOST, "The lease ran out or is another's.")
