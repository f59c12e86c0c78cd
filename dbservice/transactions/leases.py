"""Who works on a generation: leases, and the fences that every write of a holder carries."""

from collections import Counter
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from dbservice import messages
from dbservice.errors import Reason, ServiceError
from dbservice.models import Broadcast, Export, Forgetting, Generation
from dbservice.store import Transaction
from dbservice.transactions import epochs, queries, shares
from dbservice.transactions.shares import LEASE, RENEW_BELOW, Share
from dbservice.validation.work import MAX_LEASES
from protos.lookalike.db.v1 import db_pb2 as db

_LATE = timedelta(seconds=30)
"""By more, no transaction is behind another that began after it: lock and statement time out."""

_MAX_RESPONSE = 3 * 1024 * 1024  # bytes; gRPC's clients refuse a response over 4 MiB


def _unclosed(rows: type[Generation]) -> tuple[ColumnElement[bool], ...]:
    return rows.bot_id == bindparam("bot_id"), rows.closed_at.is_(None)


def _may_be_leased(rows: type[Generation]) -> ColumnElement[bool]:
    """They are free, ran out or are this holder's, in one of its chats."""
    return and_(
        shares.is_in(rows.chat_id, bindparam("shards", type_=BigInteger)),
        or_(
            rows.lease_expires_at.is_(None),
            rows.lease_holder == bindparam("holder"),
            rows.lease_expires_at <= bindparam("now"),
            # Nobody leases for longer: it is of before the clock was set back, and not of a
            # transaction that began a moment later and was faster.
            rows.lease_expires_at > bindparam("latest"),
        ),
    )


def _users() -> CTE:
    """Who has anything unclosed, by one look into the index each, however many rows they have.

    That is a loose index scan (wiki.postgresql.org/wiki/Loose_indexscan), which neither database
    does of its own. The last row is null.
    """
    first = select(func.min(Generation.user_id).label("user_id")).where(*_unclosed(Generation))
    users = first.cte("users", recursive=True)
    others = aliased(Generation)
    later = others.user_id > users.c.user_id
    following = select(func.min(others.user_id)).where(*_unclosed(others), later)
    return users.union_all(select(following.scalar_subquery()).where(users.c.user_id.is_not(None)))


def _oldest() -> Select[int, int]:
    """Of each user the oldest that may be leased."""
    users, theirs = _users(), aliased(Generation)
    numbers = (
        select(theirs.number)
        .where(
            *_unclosed(theirs),
            theirs.user_id == users.c.user_id,
            _may_be_leased(theirs),
        )
        .order_by(theirs.number)
        .limit(bindparam("turns"))
    )
    found = Generation.number.in_(numbers)
    return select(users.c.user_id, Generation.number).join(Generation, found)


# Made once: SQLAlchemy takes longer to put them together than SQLite to run them.
_USERS: Final = select(func.count(_users().c.user_id))
_OLDEST: Final = _oldest()
_THESE: Final = queries.to_write(
    queries.with_photo(
        Generation.number.in_(bindparam("numbers", expanding=True)),
        # Again: with a window over all users no row can be locked, so another process may have
        # leased it since. What one writes to just now waits for the next tick.
        Generation.closed_at.is_(None),
        _may_be_leased(Generation),
    ),
    skip_locked=True,
)
_OTHERS: Final = select(
    exists().where(Broadcast.bot_id == bindparam("bot_id"), Broadcast.closed_at.is_(None)),
    exists().where(Export.bot_id == bindparam("bot_id"), Export.ended_at.is_(None)),
    exists().where(Forgetting.bot_id == bindparam("bot_id")),
)


def lease(
    transaction: Transaction, request: db.LeaseGenerationsRequest
) -> db.LeaseGenerationsResponse:
    """Leases what is free, ran out or is this holder's; a tick that finds all well only reads.

    The response stays under gRPC's bound on a message; what did not fit waits its turn.

    Raises:
        ServiceError: SUPERSEDED or LAPSED.
    """
    now, share = transaction.now, Share()
    is_shared = request.HasField("epoch") and epochs.is_shared(
        transaction, request.bot_id, request.epoch
    )
    if request.stopping:
        shares.leave(transaction, request)
        _release(transaction, request)
        return db.LeaseGenerationsResponse()
    if is_shared:
        share = shares.take_part(transaction, request)
    known = _known(transaction, request, share)
    numbers = _waiting(transaction, request, known)
    rows = transaction.session.scalars(_THESE, {**known, "numbers": numbers})
    by_number = {row.number: row for row in rows}
    others = transaction.session.execute(_OTHERS, {"bot_id": request.bot_id}).one()
    has_broadcast, has_exports, has_forgettings = others
    response = db.LeaseGenerationsResponse(
        bots=share.bots,
        has_broadcast=has_broadcast,
        has_exports=has_exports,
        has_forgettings=has_forgettings,
    )
    size = 0
    for row in (by_number[number] for number in numbers if number in by_number):
        item = messages.item(row)
        size += item.ByteSize()
        if size > _MAX_RESPONSE:
            break
        expires_at = row.lease_expires_at or now
        if row.lease_holder != request.holder or expires_at <= now:
            if row.lease_holder not in (None, request.holder, *share.others):
                # Its holder died, maybe of this work.
                row.attempts = item.generation.attempts = max(row.attempts, 1)
            row.lease_holder = request.holder
            row.fence += 1
            expires_at = now + LEASE
        elif not RENEW_BELOW <= expires_at - now <= LEASE:
            expires_at = now + LEASE
        row.lease_expires_at = expires_at
        response.leases.add(item=item, fence=row.fence, expires_at=expires_at)
    return response


def _release(transaction: Transaction, request: db.LeaseGenerationsRequest) -> None:
    """Frees what the holder held; it is not to blame for the end of its process."""
    transaction.session.execute(
        update(Generation)
        .where(
            Generation.bot_id == request.bot_id,
            Generation.closed_at.is_(None),
            Generation.lease_holder == request.holder,
        )
        .values(lease_holder=None, lease_expires_at=None, attempts=0)
    )


def _waiting(
    transaction: Transaction, request: db.LeaseGenerationsRequest, known: dict[str, Any]
) -> list[int]:
    """The numbers of what this holder may lease, as many as are asked for.

    Users take turns, the oldest generation first within a turn, so that one who floods the bot
    keeps nobody else out. Of each user only so many rows are read as can have a turn: a fair share
    of the response, and twice as many again and again while others have less than theirs.
    """
    session, limit = transaction.session, request.limit or MAX_LEASES
    users = session.scalar(_USERS, {"bot_id": request.bot_id})
    if not users:
        return []
    turns = max(1, limit // users)
    while True:
        found = []
        turn_of = Counter[int]()
        oldest = session.execute(_OLDEST, {**known, "bot_id": request.bot_id, "turns": turns})
        for user_id, number in sorted(oldest):
            turn_of[user_id] += 1
            found.append((turn_of[user_id], number))
        if len(found) >= limit or max(turn_of.values(), default=0) < turns:
            return [number for _, number in sorted(found)[:limit]]
        turns *= 2


def _known(
    transaction: Transaction, request: db.LeaseGenerationsRequest, share: Share
) -> dict[str, Any]:
    """What `_may_be_leased` is asked with."""
    now = transaction.now
    return {
        "holder": request.holder,
        "now": now,
        "latest": now + LEASE + _LATE,
        "shards": share.shards,
    }


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
