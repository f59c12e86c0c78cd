"""Which generations: the selections that the store is built from."""

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, contains_eager

from dbservice import messages
from dbservice.errors import invalid, not_found
from dbservice.models import Generation, Photo
from protos.lookalike.db.v1 import db_pb2 as db

_PAGE_SIZE = 10
_CURSOR = re.compile(r"([no])([0-9a-f]{1,15})")


def with_photo(*conditions: ColumnElement[bool]) -> Select[Generation]:
    """Generations with their photos, by conditions on both."""
    return (
        select(Generation)
        .join(Generation.photo)
        .options(contains_eager(Generation.photo))
        .where(*conditions)
    )


def find(session: Session, key: str) -> Generation | None:
    """The generation of this id, if there is one."""
    return session.scalars(with_photo(Generation.id == key)).one_or_none()


def get(session: Session, key: str) -> Generation:
    """The generation of this id.

    Raises:
        ServiceError: NOT_FOUND.
    """
    row = find(session, key)
    if row is None:
        raise not_found("generation")
    return row


def unclosed(
    session: Session, request: db.CancelGenerationsRequest | db.GetStatusRequest
) -> Sequence[Generation]:
    """The user's unclosed generations in the chat, oldest first."""
    query = _of_user(request).where(Generation.closed_at.is_(None)).order_by(Generation.number)
    return session.scalars(query).all()


def history(session: Session, request: db.ListHistoryRequest) -> db.ListHistoryResponse:
    """A page of the user's generations in the chat, newest first.

    A cursor is a direction and a number: what comes and goes meanwhile shifts no page. A page
    towards newer ones that would not be full is the newest page instead.

    Raises:
        ServiceError: INVALID_ARGUMENT, for a cursor that is none of ours.
    """
    theirs = _of_user(request)
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


def _of_user(
    request: db.CancelGenerationsRequest | db.GetStatusRequest | db.ListHistoryRequest,
) -> Select[Generation]:
    return with_photo(
        Photo.bot_id == request.bot_id,
        Photo.user_id == request.user_id,
        Photo.chat_id == request.chat_id,
    )


def _parse_cursor(cursor: str) -> tuple[str, int]:
    """The direction (n: newer, o: older, empty: the newest page) and the number it starts from."""
    if not cursor:
        return "", 0
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise invalid(("cursor", "is not one of an earlier answer"))
    return match[1], int(match[2], 16)
