"""Photos that arrive, and the bytes that are kept of them and of their pictures."""

from collections.abc import Sequence

from sqlalchemy import and_, func, or_, select

from dbservice import messages
from dbservice.errors import not_found, not_owner
from dbservice.models import Generation, Photo, generation_id
from dbservice.store import Transaction
from dbservice.transactions import (
    cancellations,
    deletions,
    leases,
    limits,
    queries,
    quotas,
    settings,
)
from dbservice.transactions.limits import Limits
from dbservice.transactions.quotas import Quotas
from dbservice.transitions import CANCELLED, RECEIVED, STORED, check
from protos.lookalike.db.v1 import db_pb2 as db

_ALBUM = 10  # photos, at most, as Telegram's sendMediaGroup takes them


def receive(
    transaction: Transaction,
    request: db.ReceivePhotoRequest,
    allowed: Limits,
    bounds: Quotas,
    traceparent: str,
) -> db.ReceivePhotoResponse:
    """Records a photo with its generation 0, once per message and who asks about it.

    Nothing can follow from one that has ended without a caption, or whose pictures are all deleted:
    whoever asks about it again begins anew.

    An album that has begun is let in whole: half of one is nothing that its sender asked for. A
    quota alone holds for each of its photos.

    Raises:
        ServiceError: as `limits.refusal` and `quotas.begin`, and BEING_FORGOTTEN; NOT_FOUND, for
            its album.
    """
    session = transaction.session
    limits.take_turn(transaction, request.bot_id, request.user_id)
    photo = messages.new_photo(request, transaction.now)
    album = _album(transaction, photo)
    if request.only_with_album and not album:  # it is not for the bot, whoever has sent it
        raise not_found("album")
    limits.refuse_forgotten(transaction, request.bot_id, request.user_id)
    key = generation_id(photo.id)
    if known := queries.find(session, key):
        if row := _to_follow(transaction, known, request):
            return db.ReceivePhotoResponse(item=messages.item(row), created=False)
        deletions.delete_photos(transaction, [photo.id])
    refusal = limits.refusal(transaction, photo, allowed)
    if refusal is not None and not 0 < len(album) < _ALBUM:
        raise refusal
    _share_words(transaction, [photo, *album])
    is_asked = request.HasField("asking_message_id")
    asked_by = request.asking_message_id if is_asked else request.message_id
    whose = request.bot_id, request.chat_id, request.user_id
    state = CANCELLED if cancellations.include(transaction, *whose, asked_by) else RECEIVED
    row = messages.new_generation(key, photo, 0, state, request, transaction.now)
    row.traceparent = traceparent or None
    if is_asked:
        row.reply_to_message_id = asked_by
    chosen = settings.in_chat(transaction, photo.bot_id, photo.user_id, photo.chat_id)
    photo.language_code = chosen.language or photo.language_code
    row.dial = chosen.dial or row.dial
    row.style = chosen.style or row.style
    row.pictures = limits.several(transaction, photo, allowed, chosen.pictures)
    quotas.begin(transaction, row, bounds, exempt=request.exempt)
    quotas.totals(transaction, photo.bot_id).photos += 1
    session.add(row)
    session.flush()
    return db.ReceivePhotoResponse(item=messages.item(row), created=True)


def _to_follow(
    transaction: Transaction, known: Generation, request: db.ReceivePhotoRequest
) -> Generation | None:
    """What this request has made already, or what another picture of its photo follows from.

    None: nothing can follow. A message that comes again after a later one has asked begins nothing
    anew.
    """
    if not request.HasField("asking_message_id"):
        return known
    session, photo_id = transaction.session, known.photo_id
    goes_on = or_(
        Generation.closed_at.is_(None),
        and_(Photo.caption_text.is_not(None), Generation.deleted_at.is_(None)),
    )
    rows = queries.with_photo(
        Generation.photo_id == photo_id, Generation.set_id.is_(None), goes_on
    ).order_by(Generation.number)
    if first := session.scalars(rows.limit(1)).one_or_none():
        return first
    asked = select(func.max(Generation.reply_to_message_id)).where(Generation.photo_id == photo_id)
    return None if request.asking_message_id > (session.scalar(asked) or 0) else known


def _album(transaction: Transaction, photo: Photo) -> Sequence[Photo]:
    """The photos of its album that are recorded, as many as one may have."""
    if photo.media_group_id is None:
        return ()
    album = select(Photo).where(
        Photo.bot_id == photo.bot_id,
        Photo.user_id == photo.user_id,
        Photo.media_group_id == photo.media_group_id,
    )
    return transaction.session.scalars(album.limit(_ALBUM)).all()


def _share_words(transaction: Transaction, album: Sequence[Photo]) -> None:
    """Says to each photo of an album what was written with one of them, and when it grew last."""
    if album[0].media_group_id is None:
        return
    text = next((photo.user_text for photo in album if photo.user_text), "")
    for photo in album:
        photo.album_text = text
        photo.album_newest_at = transaction.now


def note_first_caption(transaction: Transaction, photo: Photo) -> None:
    """Notes whether the caption that is about to be told is the first that its user is told."""
    others = select(Photo.id).where(
        Photo.bot_id == photo.bot_id,
        Photo.user_id == photo.user_id,
        Photo.caption_text.is_not(None),
        Photo.id != photo.id,
    )
    if transaction.session.scalar(others.limit(1)) is None:
        photo.first_caption = True  # and stays so: the message may be looked for, and sent again


def store(
    transaction: Transaction, info: db.StorePhotoRequest.Info, key: str
) -> tuple[db.StorePhotoResponse, str | None]:
    """Names the photo's bytes in its row; the same bytes again change nothing.

    Returns:
        The response, and the key whose bytes no row names: the given one, if the photo has these
        bytes already, or the one that it replaces.

    Raises:
        ServiceError: as `leases.held`, and TRANSITION_NOT_ALLOWED.
    """
    row = leases.held(transaction, info.generation_id, info.fence)
    photo = row.photo
    unnamed: str | None = key
    if photo.image_sha256 != info.image.sha256:
        check(row.state, STORED)
        row.state = STORED
        unnamed = photo.image_key
        change = info.image.size - (photo.image_size or 0)
        limits.count(transaction, photo.bot_id, photo.user_id, change)
        messages.set_image(photo, info.image, key)
    return db.StorePhotoResponse(item=messages.item(row)), unnamed


def image(transaction: Transaction, request: db.GetImageRequest) -> tuple[str, db.ImageInfo]:
    """The key and the description of stored bytes.

    Raises:
        ServiceError: NOT_FOUND or NOT_OWNER.
    """
    session = transaction.session
    row: Photo | Generation | None
    if request.HasField("photo_id"):
        row = photo = session.get(Photo, request.photo_id)
    else:
        row = generation = queries.find(session, request.generation_id)
        photo = generation.photo if generation else None
    info = messages.image_info(row) if row else None
    if row is None or photo is None or info is None or row.image_key is None:
        raise not_found("image")
    if queries.is_being_forgotten(session, photo.bot_id, photo.user_id):
        raise not_found("image")
    if request.user_id and photo.user_id != request.user_id:
        raise not_owner("image")
    return row.image_key, info
