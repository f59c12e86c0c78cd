"""A generation's way from its making to its closing."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, select, update

from dbservice import messages
from dbservice.errors import Reason, ServiceError, not_found, not_owner
from dbservice.models import Generation, Photo, SentMessage, generation_id, photo_id
from dbservice.store import Transaction
from dbservice.transactions import (
    cancellations,
    chats,
    deletions,
    leases,
    limits,
    photos,
    queries,
    quotas,
    sent,
    sets,
    users,
)
from dbservice.transactions.quotas import Quotas
from dbservice.transitions import (
    CANCELLED,
    CAPTIONED,
    ENDED,
    FAILED,
    FINISHED,
    RECEIVED,
    REFUSED,
    RUNNING,
    WITH_BYTES,
    check,
    is_allowed,
    name,
    not_allowed,
)
from protos.lookalike.db.v1 import db_pb2 as db

_BATCH = 100  # generations in a transaction, which holds up all others
_MOST_MESSAGES = 50  # in a response


def get(transaction: Transaction, request: db.GetGenerationRequest) -> db.GetGenerationResponse:
    """One of the user's generations in the chat.

    Raises:
        ServiceError: NOT_FOUND or NOT_OWNER.
    """
    session, key, kind = transaction.session, request.generation_id, db.MESSAGE_KIND_UNSPECIFIED
    if request.HasField("message_id"):
        message = (request.bot_id, request.chat_id, request.message_id)
        if about := session.get(SentMessage, message):
            key, kind = session.scalars(_id_of(about.generation)).one(), about.kind
        else:
            asked = generation_id(photo_id(*message, request.user_id))
            is_asked = queries.find(session, asked) is not None
            key = asked if is_asked else generation_id(photo_id(*message))
    row = queries.owned(session, key, request, administrator=request.administrator)
    return db.GetGenerationResponse(item=messages.item(row), kind=kind)


def _id_of(number: int) -> Select[str]:
    return select(Generation.id).where(Generation.number == number)


def star(transaction: Transaction, request: db.StarGenerationRequest) -> db.StarGenerationResponse:
    """Gives a picture a star, or takes it away; a deleted one gets none.

    Raises:
        ServiceError: NOT_FOUND or NOT_OWNER.
    """
    row = queries.owned(transaction.session, request.generation_id, request)
    if row.deleted_at is not None:
        raise not_found("generation")
    row.starred = request.starred
    return db.StarGenerationResponse(item=messages.item(row))


def delete(
    transaction: Transaction, request: db.DeleteGenerationRequest
) -> db.DeleteGenerationResponse:
    """Deletes a picture, and leaves its row; again changes nothing.

    Raises:
        ServiceError: NOT_FOUND, NOT_OWNER, or NOT_CLOSED, also while its set is unfinished.
    """
    session, key = transaction.session, request.generation_id
    row = queries.owned(session, key, request, administrator=request.administrator)
    if row.closed_at is None or sets.is_unfinished(transaction, row.set_id):
        raise ServiceError(Reason.NOT_CLOSED, "The generation is unfinished.")
    if row.deleted_at is None:
        deletions.delete_picture(transaction, row)
    return db.DeleteGenerationResponse(
        item=messages.item(row), message_ids=sent.showing(transaction, row, _MOST_MESSAGES)
    )


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
        if row.state != request.to_state == RUNNING:
            row.painting_at = transaction.now
        row.state = request.to_state
    if request.patch.sending.kind == db.MESSAGE_KIND_CAPTION:
        photos.note_first_caption(transaction, row.photo)
    sent.take(transaction, row, request.patch)
    sets.take_album(transaction, row, request.patch)
    messages.apply_patch(row, request.patch)
    sets.follow(transaction, row)
    _settle_waiting(transaction, row)
    if request.patch.HasField("chat_id") and request.patch.chat_id != row.chat_id:
        _move_rest(transaction, row.photo, request.patch.chat_id)
    if row.state == CAPTIONED and row.photo.file_id and row.photo.caption_text is None:
        raise ServiceError(Reason.NOT_CAPTIONED, "The photo has no caption yet.")
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
    chats.follow(transaction, photo.bot_id, photo.chat_id, chat_id)
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
    target = sets.target(transaction, row, info.place)
    unnamed: str | None = key
    if target.image_sha256 != info.picture.image.sha256:
        check(target.state, FINISHED)
        target.state = FINISHED
        target.finished_at = transaction.now
        unnamed = target.image_key
        change = info.picture.image.size - (target.image_size or 0)
        limits.count(transaction, row.bot_id, row.user_id, change)
        messages.set_picture(target, info.picture, key)
        _settle(transaction, row)
    return db.FinalizeGenerationResponse(item=messages.item(row)), unnamed


def fail(
    transaction: Transaction, info: db.FinalizeGenerationRequest.Info
) -> db.FinalizeGenerationResponse:
    """Records why there is no picture; the same outcome again changes nothing.

    Raises:
        ServiceError: as `leases.held`, and TRANSITION_NOT_ALLOWED.
    """
    row = leases.held(transaction, info.generation_id, info.fence)
    target = sets.target(transaction, row, info.place)
    state, error = (FAILED, info.failed) if info.HasField("failed") else (REFUSED, info.refused)
    if target.state != state:
        check(target.state, state)
        target.state = state
        messages.set_error(target, error)
        _settle(transaction, row)
        _settle_waiting(transaction, row)
    return db.FinalizeGenerationResponse(item=messages.item(row))


def _settle(transaction: Transaction, row: Generation) -> None:
    """Ends a set of which every picture has ended, and notes when there is a picture."""
    sets.settle(row)
    if row.state == FINISHED:
        row.finished_at = transaction.now


def _settle_waiting(transaction: Transaction, row: Generation) -> None:
    """What waits for the photo's caption goes on once it is there, or ends if it will not be."""
    photo = row.photo
    if row.id != generation_id(photo.id):
        return
    if photo.caption_text is None and row.state not in ENDED:
        return
    waiting = select(Generation).where(
        Generation.photo_id == photo.id, Generation.n > 0, Generation.state == RECEIVED
    )
    for other in transaction.session.scalars(waiting):
        if photo.caption_text is None:
            other.state = FAILED
            messages.set_error(other, db.Error(code="no-caption", message="The photo has none."))
        else:
            other.state = CAPTIONED


def close(
    transaction: Transaction, request: db.CloseGenerationRequest, bounds: Quotas
) -> db.CloseGenerationResponse:
    """Closes a generation that has ended; with the fence that closed it, as often as asked.

    What was not painted is given back to its day.

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
        quotas.give_back(transaction, row, bounds)
    return db.CloseGenerationResponse(item=messages.item(row))


def cancel(
    transaction: Transaction, request: db.CancelGenerationsRequest
) -> db.CancelGenerationsResponse:
    """Cancels one generation, or all unfinished ones of the user in the chat, up to a message.

    Of these, what is recorded later is cancelled as well.

    One that was cancelled before counts as cancelled, so that a repeated call is answered like the
    first.

    Raises:
        ServiceError: NOT_FOUND or NOT_OWNER, for a given generation.
    """
    rows = _given if request.generation_id else _all_before
    response = db.CancelGenerationsResponse()
    for row in rows(transaction, request):
        if is_allowed(row.state, CANCELLED):
            row.state = CANCELLED
            sets.follow(transaction, row)
            _settle_waiting(transaction, row)
        if row.state == CANCELLED:
            response.cancelled_count += row.pictures
            listed = response.cancelled
        else:
            response.too_late_count += row.pictures
            listed = response.too_late
        if len(listed) < users.MOST_ITEMS:
            listed.append(messages.item(row))
    return response


def _given(transaction: Transaction, request: db.CancelGenerationsRequest) -> Iterable[Generation]:
    row = queries.get(transaction.session, request.generation_id)
    if row.photo.bot_id != request.bot_id:
        raise not_found("generation")
    if queries.is_being_forgotten(transaction.session, row.bot_id, row.user_id):
        raise not_found("generation")
    if row.photo.user_id != request.user_id:
        raise not_owner("generation")
    return [row]


def _all_before(
    transaction: Transaction, request: db.CancelGenerationsRequest
) -> Iterable[Generation]:
    is_bounded = request.HasField("before_message_id")
    if is_bounded:
        cancellations.note(transaction, request)
    theirs = queries.with_photo(*users.unclosed(request)).order_by(Generation.number)
    rows = transaction.session.scalars(queries.to_write(theirs))
    return [row for row in rows if not is_bounded or _is_before(request.before_message_id, row)]


def _is_before(message_id: int, row: Generation) -> bool:
    """Whether a picture was asked for before the message of this id in its chat.

    All were that have followed a group that became a supergroup, which counts anew.
    """
    photo = row.photo
    message = (photo.bot_id, photo.chat_id, photo.message_id)
    has_moved = photo.id not in (photo_id(*message), photo_id(*message, photo.user_id))
    return has_moved or (row.reply_to_message_id or photo.message_id) < message_id
