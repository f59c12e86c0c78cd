"""What one user has: under way, of old, and at once; and the end of all of it."""

import re
from collections.abc import Sequence

from sqlalchemy import delete, func, select

from dbservice import messages
from dbservice.errors import Reason, ServiceError, invalid
from dbservice.models import Generation, Photo
from dbservice.store import Transaction
from dbservice.transactions import deletions
from dbservice.transactions.queries import of_user_in_chat
from dbservice.transitions import ENDED
from protos.lookalike.db.v1 import db_pb2 as db

MOST_ITEMS = 50
"""How many a response lists; a chat is told of fewer."""

TOO_MANY = "The user has too many unfinished generations."

_PAGE_SIZE = 10
_CURSOR = re.compile(r"([no])([0-9a-f]{1,15})")


def has_too_many(transaction: Transaction, photo: Photo, limit: int) -> bool:
    """Whether the photo's user has as many unfinished generations as they may have."""
    unfinished = transaction.session.scalar(
        select(func.count())
        .select_from(Generation)
        .join(Generation.photo)
        .where(
            Photo.bot_id == photo.bot_id,
            Photo.user_id == photo.user_id,
            Generation.closed_at.is_(None),
            Generation.state.not_in(ENDED),
        )
    )
    return (unfinished or 0) >= limit


def unclosed(
    transaction: Transaction, request: db.CancelGenerationsRequest | db.GetStatusRequest
) -> Sequence[Generation]:
    """The user's unclosed generations in the chat, oldest first."""
    query = of_user_in_chat(request).where(Generation.closed_at.is_(None))
    return transaction.session.scalars(query.order_by(Generation.number)).all()


def status(transaction: Transaction, request: db.GetStatusRequest) -> db.GetStatusResponse:
    """The user's unclosed generations in the chat, oldest first."""
    rows = unclosed(transaction, request)
    return db.GetStatusResponse(items=map(messages.item, rows[:MOST_ITEMS]), count=len(rows))


def history(transaction: Transaction, request: db.ListHistoryRequest) -> db.ListHistoryResponse:
    """A page of the user's generations in the chat, newest first.

    A cursor is a direction and a number: what comes and goes meanwhile shifts no page. A page
    towards newer ones that would not be full is the newest page instead.

    Raises:
        ServiceError: INVALID_ARGUMENT, for a cursor that is none of ours.
    """
    session = transaction.session
    theirs = of_user_in_chat(request)
    size = request.page_size or _PAGE_SIZE
    towards, bound = _parse_cursor(request.cursor)
    newest = theirs.order_by(Generation.number.desc()).limit(size)
    rows: Sequence[Generation] = ()
    if towards == "n":
        newer = theirs.where(Generation.number > bound).order_by(Generation.number).limit(size)
        rows = session.scalars(newer).all()[::-1]
    elif towards == "o":
        rows = session.scalars(newest.where(Generation.number < bound)).all()
    if towards != "o" and len(rows) < size:
        rows = session.scalars(newest).all()
    response = db.ListHistoryResponse(items=map(messages.item, rows))
    if rows:
        first, last = rows[0].number, rows[-1].number
        if session.scalar(theirs.where(Generation.number > first).limit(1)):
            response.newer_cursor = f"n{first:x}"
        if session.scalar(theirs.where(Generation.number < last).limit(1)):
            response.older_cursor = f"o{last:x}"
    return response


def forget(transaction: Transaction, request: db.ForgetUserRequest) -> db.ForgetUserResponse:
    """Deletes the user's rows and notes their bytes, which are to follow.

    Raises:
        ServiceError: NOT_CLOSED, while any generation of the user is unclosed.
    """
    session = transaction.session
    theirs = (Photo.bot_id == request.bot_id, Photo.user_id == request.user_id)
    of_theirs = Generation.photo_id.in_(select(Photo.id).where(*theirs))
    unclosed = select(Generation.id).where(of_theirs, Generation.closed_at.is_(None)).limit(1)
    if session.scalar(unclosed):
        message = "The user has unfinished generations; cancel and close them first."
        raise ServiceError(Reason.NOT_CLOSED, message)
    generations = session.scalars(select(Generation.image_key).where(of_theirs)).all()
    photos = session.scalars(select(Photo.image_key).where(*theirs)).all()
    deletions.note(transaction, [key for key in (*generations, *photos) if key is not None])
    session.execute(delete(Generation).where(of_theirs))
    session.execute(delete(Photo).where(*theirs))
    return db.ForgetUserResponse(photos=len(photos), generations=len(generations))


def _parse_cursor(cursor: str) -> tuple[str, int]:
    """The direction (n: newer, o: older, empty: the newest page) and the number it starts from."""
    if not cursor:
        return "", 0
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise invalid(("cursor", "is not one of an earlier response"))
    return match[1], int(match[2], 16)
