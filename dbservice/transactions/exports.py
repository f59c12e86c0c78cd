"""Exports: all that is kept of a user, sent to them by the bot, part after part.

An export is a row until its last part has come, and for a day after it was asked for.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, exists, func, select

from dbservice import messages
from dbservice.errors import not_found
from dbservice.models import Export, Generation, Member, Photo
from dbservice.store import Transaction
from dbservice.transactions import access, limits, queries, settings, shares
from dbservice.transactions.positions import Position, photos_from
from dbservice.transitions import DELIVERED, FINISHED
from protos.lookalike.db.v1 import db_pb2 as db

PAUSE: Final = timedelta(days=1)
"""From one export that was asked for to the next."""

_MOST_EXPORTS: Final = 1000
_PAGE: Final = 50  # entries, of up to 30 KB each

Page = tuple[db.ReadExportResponse, Mapping[int, str]]
"""A response, and the keys of the bytes of its entries, by their place."""


def begin(transaction: Transaction, request: db.BeginExportRequest) -> db.BeginExportResponse:
    """Records that a user is to get an export.

    Raises:
        ServiceError: BEING_FORGOTTEN.
    """
    session, now = transaction.session, transaction.now
    limits.refuse_forgotten(transaction, request.bot_id, request.user_id)
    row = session.get(Export, (request.bot_id, request.user_id))
    if row is not None:
        if row.message_id == request.message_id:
            return db.BeginExportResponse(answer=db.EXPORT_ANSWER_BEGUN)
        if row.ended_at is None:
            return db.BeginExportResponse(answer=db.EXPORT_ANSWER_UNDER_WAY)
        next_at = row.asked_at + PAUSE
        if row.asked_at <= now < next_at:  # one that was asked for later is of a wrong clock
            too_soon = db.EXPORT_ANSWER_TOO_SOON
            return db.BeginExportResponse(answer=too_soon, next_at=next_at)
        session.delete(row)
        session.flush()
    chosen = settings.chosen(transaction, request.bot_id, request.user_id)
    session.add(
        Export(
            bot_id=request.bot_id,
            user_id=request.user_id,
            message_id=request.message_id,
            language_code=chosen.language or request.language_code,
            asked_at=now,
            after=request.message_id,
            until=session.scalar(select(func.max(Generation.number))) or 0,
        )
    )
    return db.BeginExportResponse(answer=db.EXPORT_ANSWER_BEGUN)


def under_way(transaction: Transaction, request: db.ListExportsRequest) -> db.ListExportsResponse:
    """Whom the bot is to send an export, or that process of it which asks."""
    session = transaction.session
    rows = select(Export).where(Export.bot_id == request.bot_id, Export.ended_at.is_(None))
    mine = shares.of(transaction, request.bot_id, request.holder)
    these = (row for row in session.scalars(rows) if shares.has(mine, row.user_id))
    in_turns = sorted(these, key=lambda row: (row.parts, row.asked_at))
    response = db.ListExportsResponse()
    for row in in_turns[:_MOST_EXPORTS]:
        response.exports.add(
            user_id=row.user_id,
            message_id=row.message_id,
            language_code=row.language_code,
            asked_at=row.asked_at,
            parts=row.parts,
            cursor=row.cursor,
            shown_message_id=row.shown_message_id,
            lost=row.lost,
            after=row.after,
            sending=row.sending,
            abandoned=queries.is_being_forgotten(session, row.bot_id, row.user_id),
        )
    return response


def read(transaction: Transaction, request: db.ReadExportRequest) -> Page:
    """A page of what is kept of a user: photos as they came, each with its generations.

    Raises:
        ServiceError: NOT_FOUND, or INVALID_ARGUMENT for a cursor that is none of ours.
    """
    export = _get(transaction, request)
    response, keys = db.ReadExportResponse(), dict[int, str]()
    if not request.cursor:
        response.about.CopyFrom(_about(transaction, export))
    for place, (row, after) in enumerate(
        _entries(transaction, export, Position.parse(request.cursor))
    ):
        if isinstance(row, Photo):
            entry = response.entries.add(photo=messages.photo(row), cursor=str(after))
        else:
            entry = response.entries.add(generation=messages.generation(row), cursor=str(after))
        if row.image_key is not None:
            keys[place] = row.image_key
        else:
            entry.missing = _has_lost_bytes(row)
    if len(response.entries) == _PAGE:
        response.cursor = response.entries[-1].cursor
    return response, keys


def advance(transaction: Transaction, request: db.AdvanceExportRequest) -> db.AdvanceExportResponse:
    """Records how far an export is; the same part again changes nothing.

    Raises:
        ServiceError: NOT_FOUND.
    """
    row, part = _get(transaction, request), request.part
    if row.message_id != request.message_id:
        raise not_found("export")
    if request.HasField("sending_after"):
        row.after, row.sending = request.sending_after, True
    elif request.HasField("shown_message_id"):
        row.shown_message_id, row.sending = request.shown_message_id or None, False
        row.after = max(row.after, request.shown_message_id)
        row.lost += row.shown_message_id is None
    elif part.number == row.parts + 1:
        row.parts, row.cursor = part.number, part.cursor
        row.shown_message_id, row.lost = None, 0
        row.ended_at = transaction.now if part.last else None
    return db.AdvanceExportResponse()


def end(transaction: Transaction, request: db.EndExportRequest) -> db.EndExportResponse:
    """Gives an export up; again changes nothing."""
    key = (request.bot_id, request.user_id)
    row = transaction.session.get(Export, key, with_for_update=True)
    if row is not None and row.message_id == request.message_id and row.ended_at is None:
        transaction.session.delete(row)
    return db.EndExportResponse()


def forget(transaction: Transaction, bot_id: int, user_id: int) -> None:
    """Deletes that a user has asked for an export."""
    theirs = delete(Export).filter_by(bot_id=bot_id, user_id=user_id)
    transaction.session.execute(theirs)


def is_under_way(transaction: Transaction, bot_id: int, user_id: int) -> bool:
    """Whether the bot has still to end an export of this user."""
    row = transaction.session.get(Export, (bot_id, user_id))
    return row is not None and row.ended_at is None


def remove_old(transaction: Transaction) -> None:
    """Deletes those that keep nobody from asking again."""
    old = delete(Export).where(
        Export.ended_at.is_not(None), Export.asked_at <= transaction.now - PAUSE
    )
    transaction.session.execute(old)


def _get(
    transaction: Transaction, request: db.ReadExportRequest | db.AdvanceExportRequest
) -> Export:
    """The user's export, if it is under way."""
    session = transaction.session
    row = session.get(Export, (request.bot_id, request.user_id), with_for_update=True)
    if row is None or row.ended_at is not None:
        raise not_found("export")
    if queries.is_being_forgotten(session, request.bot_id, request.user_id):
        raise not_found("export")
    return row


def _about(transaction: Transaction, export: Export) -> db.ReadExportResponse.About:
    session, bot_id, user_id = transaction.session, export.bot_id, export.user_id
    member = session.get(Member, (bot_id, user_id))
    return db.ReadExportResponse.About(
        settings=settings.chosen(transaction, bot_id, user_id),
        owner=access.owner_of(transaction, bot_id) == user_id,
        joined_at=member.joined_at if member is not None else None,
        kept_bytes=limits.kept_of_user(transaction, bot_id, user_id),
    )


def _has_lost_bytes(row: Photo | Generation) -> bool:
    """Whether a row without bytes had some, which a backup found missing and left out."""
    if isinstance(row, Photo):
        return bool(row.file_id) and row.caption_text is not None
    return row.state in (FINISHED, DELIVERED) and row.pictures == 1


def _entries(
    transaction: Transaction, export: Export, after: Position
) -> Iterator[tuple[Photo | Generation, Position]]:
    """A page of rows after a position, and the position of each."""
    session, left = transaction.session, _PAGE
    asked_for = Generation.number <= export.until
    photos = (
        select(Photo)
        .where(
            *photos_from(export.bot_id, export.user_id, after),
            exists().where(Generation.photo_id == Photo.id, asked_for),
        )
        .order_by(Photo.received_at, Photo.id)
        .limit(_PAGE + 1)  # of the first, all may have been told
    )
    for photo in session.scalars(photos):
        n = after.n
        if photo.id != after.photo_id:
            n = -1
            yield photo, Position(photo.received_at, photo.id, n)
            left -= 1
        of_photo = (Generation.photo_id == photo.id, Generation.n > n, asked_for)
        rows = select(Generation).where(*of_photo, Generation.deleted_at.is_(None))
        for row in session.scalars(rows.order_by(Generation.n).limit(left)):
            yield row, Position(photo.received_at, photo.id, row.n)
            left -= 1
        if not left:
            return
