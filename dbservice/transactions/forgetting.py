"""Forgetting a user: begun at once, carried through by the bot, and never undone.

While a user is being forgotten nothing of theirs can be read, and nothing new is taken.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, exists, select, update

from dbservice.errors import Reason, ServiceError
from dbservice.models import Forgetting, Generation, Photo, Tombstone
from dbservice.store import Transaction
from dbservice.transactions import exports, limits, queries, settings, shares
from dbservice.transactions.positions import Position, photos_from
from dbservice.transitions import DELIVERED, UNDELIVERABLE
from protos.lookalike.db.v1 import db_pb2 as db

_PAGE: Final = 1000  # checksums


def begin(
    transaction: Transaction, request: db.BeginForgettingRequest, who: str, question: str
) -> Tombstone | None:
    """Records that a user is to be forgotten, and ends their work.

    Args:
        transaction: all of it happens in it.
        request: who asks, and where.
        who: how tombstones name the user.
        question: how they name the message that was answered.

    Returns:
        The user's tombstone; None: by this question they were forgotten before, or by another
        one they are being forgotten.
    """
    session = transaction.session
    limits.take_turn(transaction, request.bot_id, request.user_id)
    tombstone = session.get(Tombstone, who)
    pending = queries.is_being_forgotten(session, request.bot_id, request.user_id)
    if tombstone is not None and tombstone.question == question:
        return tombstone if pending else None
    if pending:
        return None  # by another question, which will say how it ended
    chosen = settings.in_chat(transaction, request.bot_id, request.user_id, request.chat_id)
    row = Forgetting(
        bot_id=request.bot_id,
        user_id=request.user_id,
        chat_id=request.chat_id,
        message_id=request.message_id,
        language_code=chosen.language or request.language_code,
        asked_at=transaction.now,
    )
    session.merge(row)
    buried = Tombstone(who=who, asked_at=transaction.now, question=question)
    tombstone = session.merge(buried)
    settings.forget(transaction, request.bot_id, request.user_id)
    # Nobody is told how it ends: what is left to do is to tidy up.
    given_up = update(Generation).where(
        *_unclosed(request.bot_id, request.user_id),
        Generation.state.not_in((DELIVERED, UNDELIVERABLE)),
    )
    error = {"error_code": "undeliverable", "error_message": "The user is being forgotten."}
    session.execute(given_up.values(state=UNDELIVERABLE, attempts=0, **error))
    return tombstone


def pending(
    transaction: Transaction, request: db.ListForgettingsRequest
) -> db.ListForgettingsResponse:
    """Who is being forgotten, whoever asked first first.

    Several processes each have a home of their own, in which something may be of them. So each has
    as long as a lease lasts to see that they are.
    """
    session = transaction.session
    rows = select(Forgetting).where(Forgetting.bot_id == request.bot_id)
    mine = shares.of(transaction, request.bot_id, request.holder)
    several = shares.count(transaction, request.bot_id) > 1
    response = db.ListForgettingsResponse()
    for row in sorted(session.scalars(rows), key=lambda row: row.asked_at):
        unclosed = select(Generation.number).where(*_unclosed(row.bot_id, row.user_id))
        unfinished = (
            (several and timedelta() <= transaction.now - row.asked_at < shares.LEASE)
            or session.scalar(unclosed.limit(1)) is not None
            or exports.is_under_way(transaction, row.bot_id, row.user_id)
        )
        response.forgettings.add(
            user_id=row.user_id,
            chat_id=row.chat_id,
            message_id=row.message_id,
            language_code=row.language_code,
            unfinished=unfinished,
            elsewhere=not shares.has(mine, row.chat_id),
        )
    return response


def uploads(transaction: Transaction, request: db.ListUploadsRequest) -> db.ListUploadsResponse:
    """The checksums of photos that the generator may have been sent; it keeps them for a day.

    Raises:
        ServiceError: INVALID_ARGUMENT, for a cursor that is none of ours.
    """
    position = Position.parse(request.cursor)
    page = (
        select(Photo.received_at, Photo.id, Photo.image_sha256)
        .where(
            *photos_from(request.bot_id, request.user_id, position),
            Photo.id != position.photo_id,
            Photo.image_sha256.is_not(None),
            exists().where(Generation.photo_id == Photo.id, Generation.dial != db.DIAL_DREAM),
        )
        .order_by(Photo.received_at, Photo.id)
        .limit(_PAGE)
    )
    rows = transaction.session.execute(page).all()
    response = db.ListUploadsResponse(image_sha256=dict.fromkeys(row.image_sha256 for row in rows))
    if len(rows) == _PAGE:
        response.cursor = str(Position(rows[-1].received_at, rows[-1].id))
    return response


def end(transaction: Transaction, request: db.EndForgettingRequest) -> db.EndForgettingResponse:
    """The user may begin anew; again changes nothing.

    Raises:
        ServiceError: NOT_CLOSED, while anything of the user is left.
    """
    session = transaction.session
    limits.take_turn(transaction, request.bot_id, request.user_id)
    left = select(Photo.id).where(Photo.bot_id == request.bot_id, Photo.user_id == request.user_id)
    row = session.get(Forgetting, (request.bot_id, request.user_id))
    if row is not None and session.scalar(left.limit(1)) is not None:
        raise ServiceError(Reason.NOT_CLOSED, "Something of the user is left.")
    if row is not None:
        session.delete(row)
    return db.EndForgettingResponse()


def _unclosed(bot_id: int, user_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Generation.bot_id == bot_id,
        Generation.user_id == user_id,
        Generation.closed_at.is_(None),
    )
