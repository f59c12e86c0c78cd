"""A generation's way from its making to its closing."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from dbservice import messages
from dbservice.errors import Reason, ServiceError, invalid, not_found, not_owner
from dbservice.models import Generation, Photo, generation_id, photo_id
from dbservice.store import Transaction
from dbservice.transactions import leases, limits, queries, sent, users
from dbservice.transactions.limits import Limits
from dbservice.transitions import (
    CANCELLED,
    CAPTIONED,
    ENDED,
    FAILED,
    FINISHED,
    REFUSED,
    WITH_BYTES,
    check,
    is_allowed,
    name,
    not_allowed,
)
from protos.lookalike.db.v1 import db_pb2 as db

_BATCH = 100  # generations in a transaction, which holds up all others

_NO_CAPTION = "The photo has no caption yet."


def create(
    transaction: Transaction, request: db.CreateGenerationRequest, allowed: Limits
) -> db.CreateGenerationResponse:
    """Makes generation n of a photo, once.

    Raises:
        ServiceError: NOT_FOUND, NOT_OWNER, NOT_CAPTIONED; INVALID_ARGUMENT for an n that leaves a
            gap; as `limits.refusal`.
    """
    session = transaction.session
    photo = session.get(Photo, request.photo_id)
    if photo is None:
        raise not_found("photo")
    if photo.user_id != request.user_id:
        raise not_owner("photo")
    if known := queries.find(session, generation_id(photo.id, request.n)):
        return db.CreateGenerationResponse(item=messages.item(known), created=False)
    if photo.caption_text is None:
        raise ServiceError(Reason.NOT_CAPTIONED, _NO_CAPTION)
    last = session.scalar(select(func.max(Generation.n)).where(Generation.photo_id == photo.id))
    if request.n != (last or 0) + 1:
        raise invalid(("n", "must be at most one more than the photo's last"))
    if (refusal := limits.refusal(transaction, photo, allowed)) is not None:
        raise refusal
    row = messages.new_generation(photo, request.n, CAPTIONED, request.parameters, transaction.now)
    if not row.prompt:
        row.prompt = queries.get(session, generation_id(photo.id, 0)).prompt
    session.add(row)
    session.flush()
    return db.CreateGenerationResponse(item=messages.item(row), created=True)


def get(transaction: Transaction, request: db.GetGenerationRequest) -> db.GetGenerationResponse:
    """One of the user's generations in the chat.

    Raises:
        ServiceError: NOT_FOUND or NOT_OWNER.
    """
    row = queries.get(transaction.session, request.generation_id)
    if (row.photo.bot_id, row.photo.chat_id) != (request.bot_id, request.chat_id):
        raise not_found("generation")
    if row.photo.user_id != request.user_id:
        raise not_owner("generation")
    return db.GetGenerationResponse(item=messages.item(row))


def advance(
    transaction: Transaction, request: db.AdvanceGenerationRequest
) -> db.AdvanceGenerationResponse:
    """Compares and sets the state, and applies the patch.

    A row that is in `to_state` already is accepted too: the response to the first attempt may
    have been lost, and since then only this holder could write.

    Raises:
        ServiceError: as `leases.held`; TRANSITION_NOT_ALLOWED; MESSAGE_TAKEN; NOT_CAPTIONED, for
            a row that would be captioned without a caption.
    """
    row = leases.held(transaction, request.generation_id, request.fence)
    if row.state not in (request.from_state, request.to_state):
        raise not_allowed(row.state, request.to_state)
    if request.from_state != request.to_state:
        if request.to_state in WITH_BYTES:
            raise not_allowed(request.from_state, request.to_state)
        check(request.from_state, request.to_state)
        row.state = request.to_state
    sent.take(transaction, row, request.patch)
    messages.apply_patch(row, request.patch)
    if request.patch.HasField("chat_id") and request.patch.chat_id != row.chat_id:
        _move_rest(transaction, row.photo, request.patch.chat_id)
    if row.state == CAPTIONED and row.photo.caption_text is None:
        raise ServiceError(Reason.NOT_CAPTIONED, _NO_CAPTION)
    return db.AdvanceGenerationResponse(item=messages.item(row))


def move_closed(transaction: Transaction, request: db.AdvanceGenerationRequest) -> bool:
    """Has some closed generations of the group follow it; the rest does so with the advance.

    Again and again until there are none: all of a group's years at once would hold up everybody.
    Whoever is interrupted begins anew, for the generation that is to advance is still there.

    Returns:
        Whether there may be more.

    Raises:
        ServiceError: as `leases.held`.
    """
    row = leases.held(transaction, request.generation_id, request.fence)
    if request.patch.chat_id == row.chat_id:
        return False
    closed = select(Generation.number).where(
        *_in_chat(row.photo), Generation.closed_at.is_not(None)
    )
    numbers = transaction.session.scalars(closed.limit(_BATCH)).all()
    _move(transaction, request.patch.chat_id, Generation.number.in_(numbers))
    return len(numbers) == _BATCH


def _move_rest(transaction: Transaction, photo: Photo, chat_id: int) -> None:
    """The group became a supergroup: its photos are there now, its status messages are not.

    Nor is there anything to look for: the ids of its messages are counted anew.
    """
    gone = {
        "status_message_id": None,
        "sending": None,
        "sending_after": None,
        "sending_unseen": 0,
    }
    _move(transaction, chat_id, *_in_chat(photo), **gone)


def _in_chat(photo: Photo) -> tuple[ColumnElement[bool], ...]:
    return Generation.bot_id == photo.bot_id, Generation.chat_id == photo.chat_id


def _move(
    transaction: Transaction, chat_id: int, *which: ColumnElement[bool], **values: Any
) -> None:
    session = transaction.session
    of_these = Photo.id.in_(select(Generation.photo_id).where(*which))
    session.execute(update(Photo).where(of_these).values(chat_id=chat_id))
    session.execute(update(Generation).where(*which).values(chat_id=chat_id, **values))


def finish(
    transaction: Transaction, info: db.FinalizeGenerationRequest.Info, key: str
) -> tuple[db.FinalizeGenerationResponse, str | None]:
    """Names the picture's bytes in the row; the same bytes again change nothing.

    Returns:
        The response, and the key whose bytes no row names: the given one, if the generation has
        these bytes already, or the one that it replaces.

    Raises:
        ServiceError: as `leases.held`, and TRANSITION_NOT_ALLOWED.
    """
    row = leases.held(transaction, info.generation_id, info.fence)
    unnamed: str | None = key
    if row.image_sha256 != info.picture.image.sha256:
        check(row.state, FINISHED)
        row.state = FINISHED
        unnamed = row.image_key
        change = info.picture.image.size - (row.image_size or 0)
        limits.count(transaction, row.bot_id, row.user_id, change)
        messages.set_picture(row, info.picture, key)
    return db.FinalizeGenerationResponse(item=messages.item(row)), unnamed


def fail(
    transaction: Transaction, info: db.FinalizeGenerationRequest.Info
) -> db.FinalizeGenerationResponse:
    """Records why there is no picture; the same outcome again changes nothing.

    Raises:
        ServiceError: as `leases.held`, and TRANSITION_NOT_ALLOWED.
    """
    row = leases.held(transaction, info.generation_id, info.fence)
    target, error = (FAILED, info.failed) if info.HasField("failed") else (REFUSED, info.refused)
    if row.state != target:
        check(row.state, target)
        row.state = target
        messages.set_error(row, error)
    return db.FinalizeGenerationResponse(item=messages.item(row))


def close(
    transaction: Transaction, request: db.CloseGenerationRequest
) -> db.CloseGenerationResponse:
    """Closes a generation that has ended; with the fence that closed it, as often as asked.

    Raises:
        ServiceError: NOT_FOUND, LEASE_LOST, or TRANSITION_NOT_ALLOWED, if it has not ended.
    """
    row = queries.get(transaction.session, request.generation_id)
    if row.closed_at is None or row.fence != request.fence:
        leases.check(transaction, row, request.fence)
        if row.state not in ENDED:
            message = f"A generation that is {name(row.state)} cannot be closed."
            raise ServiceError(Reason.TRANSITION_NOT_ALLOWED, message)
        row.closed_at = transaction.now
    return db.CloseGenerationResponse(item=messages.item(row))


def cancel(
    transaction: Transaction, request: db.CancelGenerationsRequest
) -> db.CancelGenerationsResponse:
    """Cancels one generation, or all unfinished ones of the user in the chat, up to a message.

    One that was cancelled before counts as cancelled, so that a repeated call is answered like the
    first.

    Raises:
        ServiceError: NOT_FOUND or NOT_OWNER, for a given generation.
    """
    if request.generation_id:
        row = queries.get(transaction.session, request.generation_id)
        if row.photo.bot_id != request.bot_id:
            raise not_found("generation")
        if row.photo.user_id != request.user_id:
            raise not_owner("generation")
        rows: Iterable[Generation] = [row]
    else:
        theirs = queries.with_photo(*users.unclosed(request)).order_by(Generation.number)
        rows = transaction.session.scalars(theirs)
        if request.HasField("before_message_id"):
            rows = [row for row in rows if _is_before(request.before_message_id, row.photo)]
    response = db.CancelGenerationsResponse()
    for row in rows:
        if is_allowed(row.state, CANCELLED):
            row.state = CANCELLED
        if row.state == CANCELLED:
            response.cancelled_count += 1
            listed = response.cancelled
        else:
            response.too_late_count += 1
            listed = response.too_late
        if len(listed) < users.MOST_ITEMS:
            listed.append(messages.item(row))
    return response


def _is_before(message_id: int, photo: Photo) -> bool:
    """Whether a photo was sent before the message of this id in its chat.

    All were that have followed a group that became a supergroup, which counts anew.
    """
    has_moved = photo.id != photo_id(photo.bot_id, photo.chat_id, photo.message_id)
    return has_moved or photo.message_id < message_id
