"""Generations that somebody asks for: by a button, by words in reply, or by words alone."""

from datetime import timedelta
from typing import Final

from dbservice import messages
from dbservice.errors import Reason, ServiceError, invalid, not_found
from dbservice.models import Generation, Photo, asked_id, generation_id
from dbservice.store import Transaction
from dbservice.transactions import cancellations, limits, queries, quotas, settings
from dbservice.transactions.limits import Limits
from dbservice.transactions.quotas import Quotas
from dbservice.transitions import CANCELLED, CAPTIONED, ENDED, RECEIVED
from protos.lookalike.db.v1 import db_pb2 as db

_SAME_PRESS: Final = timedelta(seconds=5)
"""A button that is pressed again so soon was meant once."""


def create(
    transaction: Transaction,
    request: db.CreateGenerationRequest,
    allowed: Limits,
    bounds: Quotas,
    traceparent: str,
) -> db.CreateGenerationResponse:
    """Makes the generation that is asked for, once.

    Raises:
        ServiceError: NOT_FOUND, also for a parent that is deleted; NOT_OWNER; NOT_CAPTIONED, if
            its photo has no caption and gets none; BEING_FORGOTTEN; as `limits.refusal` and
            `quotas.begin`.
    """
    limits.refuse_forgotten(transaction, request.bot_id, request.user_id)
    if request.parent_id:
        row, created = _from_parent(transaction, request, allowed, bounds)
    else:
        row, created = _from_words(transaction, request, allowed, bounds)
    if created:
        row.traceparent = traceparent or None
    return db.CreateGenerationResponse(item=messages.item(row), created=created)


def _from_words(
    transaction: Transaction, request: db.CreateGenerationRequest, allowed: Limits, bounds: Quotas
) -> tuple[Generation, bool]:
    photo = messages.new_words(request, transaction.now)
    key = generation_id(photo.id)
    if known := queries.find(transaction.session, key):
        return known, False
    return _add(transaction, request, key, photo, allowed, bounds), True


def _from_parent(
    transaction: Transaction, request: db.CreateGenerationRequest, allowed: Limits, bounds: Quotas
) -> tuple[Generation, bool]:
    parent = queries.owned(transaction.session, request.parent_id, request)
    photo = parent.photo
    count = parent.presses if request.button else 0
    key = asked_id(photo.id, request.chat_id, request.message_id, count)
    if known := _known(transaction, request, key):
        return known, False
    if parent.deleted_at is not None:
        raise not_found("generation")
    if request.HasField("caption"):
        if not photo.file_id:
            raise invalid(("caption", "must be absent for words alone"))
        guesses = photo.caption_guesses or ()  # buttons offer them still
        said = db.Caption(text=request.caption, captioner="user", guesses=guesses)
        messages.set_caption(photo, said)
    row = _add(transaction, request, key, photo, allowed, bounds)
    row.parent_id = parent.id
    row.request_id = request.request_id or None
    if request.button:
        parent.presses += 1
        row.button = request.button
    else:
        row.reply_to_message_id = request.message_id
    transaction.session.flush()
    return row, True


def _known(
    transaction: Transaction, request: db.CreateGenerationRequest, key: str
) -> Generation | None:
    """What this request has made already, or the button's picture that is under way."""
    if request.request_id:
        of_request = Generation.request_id == request.request_id
        same = queries.with_photo(Generation.bot_id == request.bot_id, of_request)
        if known := transaction.session.scalars(same).one_or_none():
            return known
    if not request.button:
        return queries.find(transaction.session, key)
    children = queries.with_photo(
        Generation.parent_id == request.parent_id, Generation.button == request.button
    )
    newest = children.order_by(Generation.number.desc()).limit(1)
    last = transaction.session.scalars(newest).one_or_none()
    if last is not None and (
        last.closed_at is None or timedelta() <= transaction.now - last.created_at < _SAME_PRESS
    ):
        return last
    return None


def _add(
    transaction: Transaction,
    request: db.CreateGenerationRequest,
    key: str,
    photo: Photo,
    allowed: Limits,
    bounds: Quotas,
) -> Generation:
    if (refusal := limits.refusal(transaction, photo, allowed)) is not None:
        raise refusal
    state = CAPTIONED
    if photo.file_id and photo.caption_text is None:
        state = RECEIVED  # until the photo's own generation is captioned
        if queries.get(transaction.session, generation_id(photo.id)).state in ENDED:
            raise ServiceError(Reason.NOT_CAPTIONED, "The photo has no caption and gets none.")
    whose = request.bot_id, request.chat_id, request.user_id
    if not request.button and cancellations.include(transaction, *whose, request.message_id):
        state = CANCELLED
    n = messages.next_n(transaction.session, photo.id)
    row = messages.new_generation(key, photo, n, state, request, transaction.now)
    chosen = settings.in_chat(transaction, photo.bot_id, photo.user_id, photo.chat_id)
    photo.language_code = chosen.language or request.language_code or photo.language_code
    wanted = chosen.pictures if request.several else 1
    row.pictures = limits.several(transaction, photo, allowed, wanted)
    quotas.begin(transaction, row, bounds, exempt=request.exempt)
    transaction.session.add(row)
    transaction.session.flush()
    return row
