"""What one user has: under way, of old, and at once; and the end of all of it."""

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select

from dbservice import messages
from dbservice.errors import Reason, ServiceError, unknown_cursor
from dbservice.models import Generation, Photo
from dbservice.store import Transaction
from dbservice.transactions import (
    access,
    broadcasts,
    cancellations,
    deletions,
    exports,
    limits,
    quotas,
    settings,
)
from dbservice.transactions.limits import Limits
from dbservice.transactions.queries import of_user_in_chat, with_photo
from dbservice.transactions.quotas import Quotas
from protos.lookalike.db.v1 import db_pb2 as db

MOST_ITEMS = 50
"""How many a response lists; a chat is told of fewer."""

_PAGE_SIZE = 10
_BATCH = 100  # photos in a transaction, which holds up all others
_CURSOR = re.compile(r"([no])([0-9a-f]{1,15})")


def unclosed(
    request: db.CancelGenerationsRequest | db.GetStatusRequest,
) -> tuple[ColumnElement[bool], ...]:
    """The conditions that make them the user's unclosed generations in the chat."""
    return *of_user_in_chat(request), Generation.closed_at.is_(None)


def status(
    transaction: Transaction, request: db.GetStatusRequest, allowed: Limits, bounds: Quotas
) -> db.GetStatusResponse:
    """The user's unclosed generations in the chat, oldest first; what is kept, and what left."""
    theirs = unclosed(request)
    oldest = with_photo(*theirs).order_by(Generation.number).limit(MOST_ITEMS)
    left = quotas.left(transaction, request, bounds)
    return db.GetStatusResponse(
        pictures_left=None if left is None else left.pictures,
        goes_on_at="" if left is None or left.pictures else left.goes_on_at,
        items=map(messages.item, transaction.session.scalars(oldest)),
        count=transaction.session.scalar(select(func.count(Generation.number)).where(*theirs)),
        kept_bytes=limits.kept_of_user(transaction, request.bot_id, request.user_id),
        max_kept_bytes=allowed.user_max_bytes,
        retention_days=allowed.retention_days,
    )


def history(transaction: Transaction, request: db.ListHistoryRequest) -> db.ListHistoryResponse:
    """A page of the user's pictures in the chat, newest first.

    A cursor is a direction and a number: what comes and goes meanwhile shifts no page. A page
    towards newer ones that would not be full is the newest page instead. So is one of a generation
    that has no row any more.

    Raises:
        ServiceError: INVALID_ARGUMENT, for a cursor that is none of ours.
    """
    session = transaction.session
    pictures = (*of_user_in_chat(request), Generation.image_key.is_not(None))
    theirs = with_photo(*pictures)
    size = request.page_size or _PAGE_SIZE
    newest = theirs.order_by(Generation.number.desc()).limit(size)
    rows: Sequence[Generation] = ()
    towards, bound = _parse_cursor(request.cursor)
    if request.generation_id:
        of_this = select(Generation.number).where(Generation.id == request.generation_id)
        if number := session.scalar(of_this):
            rows = session.scalars(newest.where(Generation.number <= number)).all()
            towards, bound = "o" if rows else "n", number
    elif towards == "o":
        rows = session.scalars(newest.where(Generation.number < bound)).all()
    if towards == "n":
        newer = theirs.where(Generation.number > bound).order_by(Generation.number).limit(size)
        rows = session.scalars(newer).all()[::-1]
    if towards != "o" and len(rows) < size:
        rows = session.scalars(newest).all()
    response = db.ListHistoryResponse(items=map(messages.item, rows))
    if rows:
        first, last = rows[0].number, rows[-1].number
        count = select(func.count(Generation.number)).where(*pictures)
        response.count = session.scalar(count) or 0
        response.newer_count = session.scalar(count.where(Generation.number > first)) or 0
        if response.newer_count:
            response.newer_cursor = f"n{first:x}"
        if response.newer_count + len(rows) < response.count:
            response.older_cursor = f"o{last:x}"
    return response


def forget(transaction: Transaction, request: db.ForgetUserRequest) -> db.ForgetUserResponse:
    """Deletes some of the user's rows and notes their bytes, which are to follow.

    Again and again until it deletes none: all of a user's years at once would hold up everybody.

    Raises:
        ServiceError: NOT_CLOSED, while any generation of the user is unclosed.
    """
    limits.take_turn(transaction, request.bot_id, request.user_id)
    unclosed = select(Generation.number).where(
        Generation.bot_id == request.bot_id,
        Generation.user_id == request.user_id,
        Generation.closed_at.is_(None),
    )
    if transaction.session.scalar(unclosed.limit(1)):
        message = "The user has unfinished generations; cancel and close them first."
        raise ServiceError(Reason.NOT_CLOSED, message)
    theirs = (Photo.bot_id == request.bot_id, Photo.user_id == request.user_id)
    some = transaction.session.scalars(select(Photo.id).where(*theirs).limit(_BATCH)).all()
    deleted = deletions.delete_photos(transaction, some)
    settings.forget(transaction, request.bot_id, request.user_id)
    access.forget(transaction, request.bot_id, request.user_id)
    broadcasts.forget(transaction, request.bot_id, request.user_id)
    cancellations.forget(transaction, request.bot_id, request.user_id)
    exports.forget(transaction, request.bot_id, request.user_id)
    return db.ForgetUserResponse(photos=deleted.photos, generations=deleted.generations)


def _parse_cursor(cursor: str) -> tuple[str, int]:
    """The direction (n: newer, o: older, empty: the newest page) and the number it starts from."""
    if not cursor:
        return "", 0
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise unknown_cursor()
    return match[1], int(match[2], 16)
