"""Between the contract's messages and rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dbservice.models import Generation, Invite, Photo, StoredImage, photo_id
from protos.lookalike.db.v1 import db_pb2 as db

_MAX_ERROR = 1000  # characters; the message is for the log, and no reason to lose the record


def new_photo(request: db.ReceivePhotoRequest, now: datetime) -> Photo:
    """The row of a photo that has arrived."""
    row = _sent(request, now, request.user_id if request.of_another else None)
    row.file_id, row.file_size = request.file_id, request.file_size
    row.user_text = request.user_text
    row.media_group_id = request.media_group_id or None
    row.channel_post = request.channel_post
    return row


def new_words(request: db.CreateGenerationRequest, now: datetime) -> Photo:
    """The row of words that have arrived alone."""
    row = _sent(request, now)
    row.file_id, row.file_size = "", 0
    row.user_text = request.recipe.words
    return row


def _sent(
    request: db.ReceivePhotoRequest | db.CreateGenerationRequest,
    now: datetime,
    asker: int | None = None,
) -> Photo:
    return Photo(
        id=photo_id(request.bot_id, request.chat_id, request.message_id, asker),
        bot_id=request.bot_id,
        chat_id=request.chat_id,
        message_id=request.message_id,
        user_id=request.user_id,
        language_code=request.language_code,
        message_thread_id=_given(request, "message_thread_id"),
        received_at=now,
    )


def new_generation(
    key: str,
    photo: Photo,
    n: int,
    state: db.GenerationState,
    request: db.ReceivePhotoRequest | db.CreateGenerationRequest,
    now: datetime,
) -> Generation:
    """The row of a photo's n-th generation, as it is asked for."""
    parameters, recipe = request.parameters, request.recipe
    return Generation(
        id=key,
        photo=photo,
        bot_id=photo.bot_id,
        chat_id=photo.chat_id,
        user_id=photo.user_id,
        n=n,
        state=state,
        dial=recipe.dial or db.DIAL_DREAM,
        style=recipe.style,
        words=recipe.words,
        prompt=parameters.prompt,
        negative_prompt=parameters.negative_prompt,
        preset=parameters.preset,
        width=_given(parameters, "width"),
        height=_given(parameters, "height"),
        steps=_given(parameters, "steps"),
        guidance_scale=_given(parameters, "guidance_scale"),
        seed=_given(parameters, "seed"),
        created_at=now,
    )


def new_member(of: Generation, key: str, place: int, now: datetime) -> Generation:
    """The row of a set's picture that ends just now; how is still to be said."""
    return Generation(
        id=key,
        photo=of.photo,
        **{column: getattr(of, column) for column in _SHARED},
        place=place,
        created_at=now,
        closed_at=now,
    )


def next_n(session: Session, photo: str) -> int:
    """The number of the photo's next generation."""
    following = select(func.coalesce(func.max(Generation.n) + 1, 0))
    return session.scalars(following.where(Generation.photo_id == photo)).one()


def set_image(row: StoredImage, image: db.ImageInfo, key: str) -> None:
    """Names the row's bytes and describes them."""
    row.image_key = key
    row.image_media_type = image.media_type
    row.image_width = image.width
    row.image_height = image.height
    row.image_size = image.size
    row.image_sha256 = image.sha256


def set_picture(row: Generation, picture: db.Picture, key: str) -> None:
    """Names the picture's bytes and says how it was made."""
    set_image(row, picture.image, key)
    row.picture_seed = picture.seed
    row.picture_model = picture.model
    row.picture_file_id = ""


def set_caption(row: Photo, caption: db.Caption) -> None:
    """Says what the photo shows."""
    row.caption_text = caption.text
    row.caption_confidence = _given(caption, "confidence")
    row.caption_captioner = caption.captioner
    row.caption_model = caption.model
    row.caption_guesses = [*caption.guesses] or None


def set_error(row: Generation, error: db.Error) -> None:
    """Says why the generation has no picture, or why nobody got it."""
    row.error_code = error.code
    row.error_message = error.message[:_MAX_ERROR]
    row.goes_on_at = error.goes_on_at or None


_SHARED: Final = (
    "bot_id",
    "chat_id",
    "user_id",
    "state",
    "dial",
    "style",
    "words",
    "prompt",
    "negative_prompt",
    "preset",
    "width",
    "height",
    "steps",
    "guidance_scale",
    "parent_id",
    "reply_to_message_id",
)
"""What a member of a set has from it."""


_PATCHED: Final[Mapping[str, str]] = {
    "prompt": "prompt",
    "negative_prompt": "negative_prompt",
    "ending_message_id": "ending_message_id",
    "choices_message_id": "choices_message_id",
    "result_message_id": "result_message_id",
    "result_file_id": "picture_file_id",
    "user_notified": "user_notified",
    "attempts": "attempts",
}
"""Which field of the patch goes to which column."""


def apply_patch(row: Generation, patch: db.GenerationPatch) -> None:
    """Applies the patch to a generation and its photo; a new chat id concerns others as well."""
    if patch.HasField("caption"):
        set_caption(row.photo, patch.caption)
    if patch.HasField("caption_message_id"):
        row.photo.caption_message_id = patch.caption_message_id
    for field, column in _PATCHED.items():
        if patch.HasField(field):
            setattr(row, column, getattr(patch, field))
    if patch.HasField("status_message_id"):
        row.status_message_id = patch.status_message_id or None
    if patch.HasField("sending"):
        row.sending = patch.sending.kind or None
        row.sending_after = patch.sending.after if row.sending else None
        row.sending_unseen = patch.sending.unseen
    if patch.HasField("error"):
        set_error(row, patch.error)


def image_info(row: StoredImage) -> db.ImageInfo | None:
    """What is known of the row's bytes; None while there are none."""
    if row.image_sha256 is None:
        return None
    return db.ImageInfo(
        media_type=row.image_media_type,
        width=row.image_width,
        height=row.image_height,
        size=row.image_size,
        sha256=row.image_sha256,
    )


def item(row: Generation) -> db.Item:
    """A generation with its photo, and a set with its members."""
    members = map(generation, row.members) if row.pictures > 1 else ()
    return db.Item(photo=photo(row.photo), generation=generation(row), members=members)


def invite(row: Invite) -> db.Invite:
    """An invite, without its secret."""
    return db.Invite(id=row.number, max_uses=row.max_uses, uses=row.uses, expires_at=row.expires_at)


def photo(row: Photo) -> db.Photo:
    """What was sent."""
    caption = None
    if row.caption_text is not None:
        caption = db.Caption(
            text=row.caption_text,
            confidence=row.caption_confidence,
            captioner=row.caption_captioner,
            model=row.caption_model,
            guesses=row.caption_guesses or (),
        )
    return db.Photo(
        id=row.id,
        bot_id=row.bot_id,
        chat_id=row.chat_id,
        message_id=row.message_id,
        user_id=row.user_id,
        language_code=row.language_code,
        file_id=row.file_id,
        file_size=row.file_size,
        user_text=row.user_text,
        received_at=row.received_at,
        image=image_info(row),
        caption=caption,
        caption_message_id=row.caption_message_id,
        message_thread_id=row.message_thread_id,
        album_text=row.album_text or "",
        album_newest_at=row.album_newest_at,
        first_caption=row.first_caption,
        channel_post=row.channel_post,
    )


def generation(row: Generation) -> db.Generation:
    """A generation, without its photo."""
    picture = error = sending = None
    if image := image_info(row):
        picture = db.Picture(
            image=image,
            seed=row.picture_seed,
            model=row.picture_model,
            file_id=row.picture_file_id,
        )
    if row.error_code is not None:
        error = db.Error(
            code=row.error_code, message=row.error_message, goes_on_at=row.goes_on_at or ""
        )
    if row.sending is not None:
        sending = db.Sending(
            kind=row.sending,
            after=row.sending_after,
            unseen=row.sending_unseen,
        )
    return db.Generation(
        id=row.id,
        photo_id=row.photo_id,
        state=row.state,
        recipe=db.Recipe(dial=row.dial, style=row.style, words=row.words),
        parent_id=row.parent_id or "",
        reply_to_message_id=row.reply_to_message_id,
        starred=row.starred,
        deleted_at=row.deleted_at,
        parameters=db.Parameters(
            prompt=row.prompt,
            negative_prompt=row.negative_prompt,
            preset=row.preset,
            width=row.width,
            height=row.height,
            steps=row.steps,
            guidance_scale=row.guidance_scale,
            seed=row.seed,
        ),
        status_message_id=row.status_message_id,
        ending_message_id=row.ending_message_id,
        result_message_id=row.result_message_id,
        user_notified=row.user_notified,
        picture=picture,
        error=error,
        created_at=row.created_at,
        closed_at=row.closed_at,
        attempts=row.attempts,
        sending=sending,
        pictures=row.pictures,
        set_id=row.set_id or "",
        place=row.place,
        choices_message_id=row.choices_message_id,
        traceparent=row.traceparent or "",
    )


def _given(
    message: db.Parameters | db.Caption | db.ReceivePhotoRequest | db.CreateGenerationRequest,
    field: str,
) -> Any:
    """The value of an optional field; None if it is absent."""
    return getattr(message, field) if message.HasField(field) else None
