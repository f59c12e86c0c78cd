"""A user's pictures of all chats, found by what they say.

No index knows what is said in a sentence, in any language and however it is written: the pictures
are read, the newest first, and a little at a time, since a transaction holds up all others.
"""

import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Row, Select, exists, select

from dbservice import messages
from dbservice.errors import not_found, unknown_cursor
from dbservice.models import Forgetting, Generation, Photo
from dbservice.store import Transaction
from dbservice.transactions import queries
from protos.lookalike.db.v1 import db_pb2 as db

PAGE_SIZE: Final = 50

MOST_CHILDREN: Final = 50
"""Pictures that follow from one, in a response."""

MOST_BATCHES: Final = 100
"""In a response. Whoever asks again goes on with the next."""

_BATCH = 200  # pictures in a transaction
_CURSOR = re.compile(r"[0-9a-f]{1,15}")


def find(
    transaction: Transaction, request: db.FindPicturesRequest, most: int
) -> db.FindPicturesResponse:
    """Looks through some of the user's pictures, and gives up to as many as are wanted.

    Raises:
        ServiceError: INVALID_ARGUMENT, for a cursor that is none of ours.
    """
    wanted = [word.casefold() for word in request.words.split()]
    size = _BATCH if wanted else min(most, _BATCH)
    rows = transaction.session.execute(_told(request).limit(size)).all()
    numbers: list[int] = []
    last = None
    for row in rows:
        last = row.number
        if (row.picture_file_id or request.with_unsent) and _says(row, wanted):
            numbers.append(row.number)
            if len(numbers) == most:
                break
    is_end = len(rows) < size and (not rows or last == rows[-1].number)
    found = queries.with_photo(Generation.number.in_(numbers))
    items = sorted(transaction.session.scalars(found), key=lambda each: -each.number)
    return db.FindPicturesResponse(
        items=map(messages.item, items), cursor="" if is_end else f"{last:x}"
    )


def get(transaction: Transaction, request: db.FindPicturesRequest) -> db.FindPicturesResponse:
    """The picture that is asked for, or those of the set; nothing, if it is another's."""
    row = _of_user(transaction, request)
    if row is None:
        return db.FindPicturesResponse()
    shown = [each for each in _pictures(row) if each.picture_file_id]
    return db.FindPicturesResponse(items=map(messages.item, shown))


def family(transaction: Transaction, request: db.GetFamilyRequest) -> db.GetFamilyResponse:
    """A picture, what it follows from, and what follows from it.

    What follows from a set follows from each of its pictures.

    Raises:
        ServiceError: NOT_FOUND, if there is none, or if it is another's.
    """
    session = transaction.session
    row = _of_user(transaction, request)
    if row is None or row.image_key is None:
        raise not_found("picture")
    response = db.GetFamilyResponse(item=messages.item(row))
    parent = queries.find(session, row.parent_id) if row.parent_id else None
    if parent is not None and (pictures := _pictures(parent)):
        response.parent.CopyFrom(messages.item(pictures[0]))
    parents = [row.id] if row.set_id is None else [row.id, row.set_id]
    following = queries.with_photo(Generation.parent_id.in_(parents)).limit(_BATCH)
    children = sorted(session.scalars(following), key=lambda each: -each.number)
    shown = [each for child in children if not child.set_id for each in _pictures(child)]
    response.children.extend(map(messages.item, shown[:MOST_CHILDREN]))
    return response


def _of_user(
    transaction: Transaction, request: db.FindPicturesRequest | db.GetFamilyRequest
) -> Generation | None:
    """What is asked for by its id, unless it is another's."""
    session, bot_id, user_id = transaction.session, request.bot_id, request.user_id
    row = queries.find(session, request.generation_id)
    if row is None or (row.bot_id, row.user_id) != (bot_id, user_id):
        return None
    return None if queries.is_being_forgotten(session, bot_id, user_id) else row


def _pictures(row: Generation) -> Sequence[Generation]:
    """The picture of a generation, or those of a set, as far as they are there."""
    pictures = row.members if row.pictures > 1 else [row]
    return [each for each in pictures if each.image_key]


def _told(request: db.FindPicturesRequest) -> Select[int, str | None, str, str, str | None, str]:
    """What the user's pictures say, newest first, from the cursor on."""
    columns = select(
        Generation.number,
        Generation.picture_file_id,
        Generation.prompt,
        Generation.words,
        Photo.caption_text,
        Photo.user_text,
    )
    theirs = (
        Generation.bot_id == request.bot_id,
        Generation.user_id == request.user_id,
        Generation.image_key.is_not(None),
        ~exists().where(Forgetting.bot_id == request.bot_id, Forgetting.user_id == request.user_id),
    )
    told = columns.join(Generation.photo).where(*theirs).order_by(Generation.number.desc())
    if not request.cursor:
        return told
    if not _CURSOR.fullmatch(request.cursor):
        raise unknown_cursor()
    return told.where(Generation.number < int(request.cursor, 16))


def _says(row: Row[int, str | None, str, str, str | None, str], wanted: Sequence[str]) -> bool:
    if not wanted:
        return True
    parts = (row.prompt, row.words, row.caption_text, row.user_text)
    said = "\n".join(filter(None, parts)).casefold()
    return all(word in said for word in wanted)
