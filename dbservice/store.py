"""Every database action: one method, one transaction."""

import errno
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Engine, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from dbservice import messages, queries
from dbservice.errors import Reason, ServiceError, invalid, not_found, not_owner
from dbservice.models import Generation, Photo, Removal, generation_id, photo_id
from dbservice.transitions import (
    CANCELLED,
    CAPTIONED,
    ENDED,
    FAILED,
    FINISHED,
    RECEIVED,
    REFUSED,
    STORED,
    WITH_BYTES,
    is_allowed,
)
from lookalike.transactions import Transactional, atomic
from protos.lookalike.db.v1 import db_pb2 as db

_R = TypeVar("_R")

LEASE = timedelta(seconds=30)
"""How long a holder may go without asking again."""

_RENEW_BELOW = LEASE * 2 / 3
_MAX_LEASES = 500
_MAX_ANSWER = 3 * 1024 * 1024  # bytes; gRPC's clients refuse an answer over 4 MiB
_MOST_ITEMS = 50  # a chat is told of fewer
_NO_CAPTION = "The photo has no caption yet."
_TOO_MANY = "The user has too many unfinished generations."

Publish = Callable[[str], None]
"""Puts bytes in place under this key. It is called within the transaction, after every check and
before the commit: a row never speaks of bytes that are not there, and a write that is refused
leaves the bytes of others alone."""


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


class Store(Transactional):
    """The rows. Requests and answers are the contract's messages, already validated.

    Every write of a holder raises ServiceError LEASE_LOST for a fence that is not the row's or a
    lease that ran out, NOT_FOUND for a row that is not there, and TRANSITION_NOT_ALLOWED for what
    `transitions.py` forbids.
    """

    def __init__(
        self,
        engine: Engine,
        user_max_unfinished: int,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(engine)
        self._user_max_unfinished = user_max_unfinished
        self._clock = clock

    async def run(self, work: Callable[[Session], _R]) -> _R:
        """Says in the contract's words, as ServiceError, what is wrong with the database."""
        try:
            return await super().run(work)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise ServiceError(Reason.DISK_FULL, "The database's disk is full.") from error
            words = "The database cannot be reached."
            raise ServiceError(Reason.STORAGE_UNAVAILABLE, words) from error

    @atomic
    def receive(self, session: Session, request: db.ReceivePhotoRequest) -> db.ReceivePhotoResponse:
        """Records a photo with its generation 0, once per message."""
        key = photo_id(request.bot_id, request.chat_id, request.message_id)
        if known := queries.find(session, generation_id(key, 0)):
            return db.ReceivePhotoResponse(item=messages.item(known), created=False)
        now = self._clock()
        photo = messages.new_photo(request, now)
        row = messages.new_generation(photo, 0, RECEIVED, request.parameters, now)
        if self._has_too_many(session, photo):
            row.state = FAILED
            messages.set_error(row, db.Error(code="too-many-unfinished", message=_TOO_MANY))
        session.add(row)
        session.flush()
        return db.ReceivePhotoResponse(item=messages.item(row), created=True)

    @atomic
    def add(
        self, session: Session, info: db.StorePhotoRequest.Info, publish: Publish
    ) -> db.StorePhotoResponse:
        """Records the photo's bytes; the same bytes again change nothing."""
        row = self._held(session, info.generation_id, info.fence)
        if row.photo.image_sha256 != info.image.sha256:
            self._enter(row, STORED)
            messages.set_image(row.photo, info.image)
            publish(row.photo.id)
        return db.StorePhotoResponse(item=messages.item(row))

    @atomic
    def advance(
        self, session: Session, request: db.AdvanceGenerationRequest
    ) -> db.AdvanceGenerationResponse:
        """Compares and sets the state, and applies the patch.

        A row that is in `to_state` already is accepted too: the answer to the first attempt may
        have been lost, and since then only this holder could write.

        Raises:
            ServiceError: also NOT_CAPTIONED, for a row that would be captioned without a caption.
        """
        row = self._held(session, request.generation_id, request.fence)
        if row.state not in (request.from_state, request.to_state):
            raise _not_allowed(row.state, request.to_state)
        if request.from_state != request.to_state:
            if request.to_state in WITH_BYTES or not is_allowed(
                request.from_state, request.to_state
            ):
                raise _not_allowed(request.from_state, request.to_state)
            row.state = request.to_state
        messages.apply_patch(row, request.patch)
        if request.patch.HasField("chat_id"):
            self._move_chat(session, row.photo, request.patch.chat_id)
        if row.state == CAPTIONED and row.photo.caption_text is None:
            raise ServiceError(Reason.NOT_CAPTIONED, _NO_CAPTION)
        return db.AdvanceGenerationResponse(item=messages.item(row))

    def _move_chat(self, session: Session, photo: Photo, chat_id: int) -> None:
        """The group became a supergroup: its photos are there now, its status messages are not."""
        same_chat = (Photo.bot_id == photo.bot_id, Photo.chat_id == photo.chat_id)
        session.execute(
            update(Generation)
            .where(Generation.photo_id.in_(select(Photo.id).where(*same_chat)))
            .values(status_message_id=None, status_after=None)
        )
        session.execute(update(Photo).where(*same_chat).values(chat_id=chat_id))

    @atomic
    def again(
        self, session: Session, request: db.CreateGenerationRequest
    ) -> db.CreateGenerationResponse:
        """Makes generation n of a photo, once.

        Raises:
            ServiceError: NOT_FOUND, NOT_OWNER, NOT_CAPTIONED, TOO_MANY_UNFINISHED, or
                INVALID_ARGUMENT for an n that leaves a gap.
        """
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
        if self._has_too_many(session, photo):
            raise ServiceError(Reason.TOO_MANY_UNFINISHED, _TOO_MANY)
        row = messages.new_generation(
            photo, request.n, CAPTIONED, request.parameters, self._clock()
        )
        if not row.prompt:
            first = queries.get(session, generation_id(photo.id, 0))
            row.prompt = first.prompt
        session.add(row)
        session.flush()
        return db.CreateGenerationResponse(item=messages.item(row), created=True)

    @atomic
    def lease_unfinished(
        self, session: Session, request: db.LeaseGenerationsRequest
    ) -> db.LeaseGenerationsResponse:
        """Leases what is free, ran out or is this holder's; a tick that finds all well only reads.

        The answer stays under gRPC's bound on a message; what did not fit waits its turn.
        """
        now = self._clock()
        # Users take turns, so that one who floods the bot keeps nobody else out of the window.
        turn = func.row_number().over(partition_by=Photo.user_id, order_by=Generation.number)
        rows = session.scalars(
            queries.with_photo(
                Photo.bot_id == request.bot_id,
                Generation.closed_at.is_(None),
                or_(
                    Generation.lease_holder.is_(None),
                    Generation.lease_holder == request.holder,
                    Generation.lease_expires_at <= now,
                ),
            )
            .order_by(turn, Generation.number)
            .limit(request.limit or _MAX_LEASES)
        )
        response = db.LeaseGenerationsResponse()
        size = 0
        for row in rows:
            item = messages.item(row)
            size += item.ByteSize()
            if size > _MAX_ANSWER:
                break
            expires_at = row.lease_expires_at or now
            held = row.lease_holder == request.holder and expires_at > now
            if not held or request.starting:
                row.lease_holder = request.holder
                row.fence += 1
                expires_at = now + LEASE
            elif expires_at - now < _RENEW_BELOW:
                expires_at = now + LEASE
            row.lease_expires_at = expires_at
            response.leases.add(item=item, fence=row.fence, expires_at=expires_at)
        return response

    @atomic
    def finalize(
        self, session: Session, info: db.FinalizeGenerationRequest.Info, publish: Publish
    ) -> db.FinalizeGenerationResponse:
        """Records how the work ended; the same outcome again changes nothing."""
        row = self._held(session, info.generation_id, info.fence)
        if info.HasField("picture"):
            if row.image_sha256 != info.picture.image.sha256:
                self._enter(row, FINISHED)
                messages.set_image(row, info.picture.image)
                row.picture_seed = info.picture.seed
                row.picture_model = info.picture.model
                row.picture_file_id = ""
                publish(row.id)
        else:
            target, error = (
                (FAILED, info.failed) if info.HasField("failed") else (REFUSED, info.refused)
            )
            if row.state != target:
                self._enter(row, target)
                messages.set_error(row, error)
        return db.FinalizeGenerationResponse(item=messages.item(row))

    @atomic
    def close_generation(
        self, session: Session, request: db.CloseGenerationRequest
    ) -> db.CloseGenerationResponse:
        """Closes a generation that has ended; with the fence that closed it, as often as asked."""
        row = queries.get(session, request.generation_id)
        if row.closed_at is None or row.fence != request.fence:
            self._check_lease(row, request.fence)
            if row.state not in ENDED:
                words = f"A generation that is {_name(row.state)} cannot be closed."
                raise ServiceError(Reason.TRANSITION_NOT_ALLOWED, words)
            row.closed_at = self._clock()
        return db.CloseGenerationResponse(item=messages.item(row))

    @atomic
    def cancel(
        self, session: Session, request: db.CancelGenerationsRequest
    ) -> db.CancelGenerationsResponse:
        """Cancels one generation, or all unfinished ones of the user in the chat.

        One that was cancelled before counts as cancelled, so that a repeated call is answered
        like the first.

        Raises:
            ServiceError: NOT_FOUND or NOT_OWNER, for a given generation.
        """
        if request.generation_id:
            row = queries.get(session, request.generation_id)
            if row.photo.bot_id != request.bot_id:
                raise not_found("generation")
            if row.photo.user_id != request.user_id:
                raise not_owner("generation")
            rows: Iterable[Generation] = [row]
        else:
            rows = queries.unclosed(session, request)
        response = db.CancelGenerationsResponse()
        for row in rows:
            if is_allowed(row.state, CANCELLED):
                self._enter(row, CANCELLED)
            if row.state == CANCELLED:
                response.cancelled_count += 1
                named = response.cancelled
            else:
                response.too_late_count += 1
                named = response.too_late
            if len(named) < _MOST_ITEMS:
                named.append(messages.item(row))
        return response

    @atomic
    def status(self, session: Session, request: db.GetStatusRequest) -> db.GetStatusResponse:
        """The user's unclosed generations in the chat, oldest first."""
        rows = queries.unclosed(session, request)
        return db.GetStatusResponse(items=map(messages.item, rows[:_MOST_ITEMS]), count=len(rows))

    @atomic
    def history(self, session: Session, request: db.ListHistoryRequest) -> db.ListHistoryResponse:
        """A page of the user's generations in the chat, newest first.

        Raises:
            ServiceError: INVALID_ARGUMENT, for a cursor that is none of ours.
        """
        return queries.history(session, request)

    @atomic
    def get_generation(
        self, session: Session, request: db.GetGenerationRequest
    ) -> db.GetGenerationResponse:
        """One of the user's generations in the chat.

        Raises:
            ServiceError: NOT_FOUND or NOT_OWNER.
        """
        row = queries.get(session, request.generation_id)
        if (row.photo.bot_id, row.photo.chat_id) != (request.bot_id, request.chat_id):
            raise not_found("generation")
        if row.photo.user_id != request.user_id:
            raise not_owner("generation")
        return db.GetGenerationResponse(item=messages.item(row))

    @atomic
    def image(self, session: Session, request: db.GetImageRequest) -> tuple[str, db.ImageInfo]:
        """The key and the description of stored bytes.

        Raises:
            ServiceError: NOT_FOUND or NOT_OWNER.
        """
        row: Photo | Generation | None
        if request.HasField("photo_id"):
            row = photo = session.get(Photo, request.photo_id)
        else:
            row = generation = queries.find(session, request.generation_id)
            photo = generation.photo if generation else None
        info = messages.image_info(row) if row else None
        if row is None or photo is None or info is None:
            raise not_found("image")
        if request.user_id and photo.user_id != request.user_id:
            raise not_owner("image")
        return row.id, info

    @atomic
    def forget(self, session: Session, request: db.ForgetUserRequest) -> db.ForgetUserResponse:
        """Removes the user's rows and notes the bytes that are to follow.

        Raises:
            ServiceError: NOT_CLOSED, while any generation of the user is unclosed.
        """
        photos = select(Photo.id).where(
            Photo.bot_id == request.bot_id, Photo.user_id == request.user_id
        )
        generations = select(Generation.id).where(Generation.photo_id.in_(photos))
        if session.scalar(generations.where(Generation.closed_at.is_(None)).limit(1)):
            words = "The user has unfinished generations; cancel and close them first."
            raise ServiceError(Reason.NOT_CLOSED, words)
        photo_ids = [*session.scalars(photos)]
        generation_ids = [*session.scalars(generations)]
        if keys := [*photo_ids, *generation_ids]:
            session.execute(insert(Removal), [{"key": key} for key in keys])
        session.execute(delete(Generation).where(Generation.photo_id.in_(photos)))
        session.execute(
            delete(Photo).where(Photo.bot_id == request.bot_id, Photo.user_id == request.user_id)
        )
        return db.ForgetUserResponse(photos=len(photo_ids), generations=len(generation_ids))

    @atomic
    def removals(self, session: Session) -> list[str]:
        """The keys of bytes that nothing refers to any more."""
        return [*session.scalars(select(Removal.key))]

    @atomic
    def removed(self, session: Session, keys: list[str]) -> None:
        """Notes that these bytes are gone."""
        connection = session.connection()
        gone = delete(Removal).where(Removal.key == bindparam("gone"))
        connection.execute(gone, [{"gone": key} for key in keys])

    def _has_too_many(self, session: Session, photo: Photo) -> bool:
        unfinished = session.scalar(
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
        return (unfinished or 0) >= self._user_max_unfinished

    def _held(self, session: Session, key: str, fence: int) -> Generation:
        """The row that this fence may write to."""
        row = queries.get(session, key)
        self._check_lease(row, fence)
        if row.closed_at is not None:
            words = "The generation is closed."
            raise ServiceError(Reason.TRANSITION_NOT_ALLOWED, words)
        return row

    def _check_lease(self, row: Generation, fence: int) -> None:
        expires_at = row.lease_expires_at
        if row.fence != fence or expires_at is None or expires_at <= self._clock():
            raise ServiceError(Reason.LEASE_LOST, "The lease ran out or is another's.")

    def _enter(self, row: Generation, target: db.GenerationState) -> None:
        if not is_allowed(row.state, target):
            raise _not_allowed(row.state, target)
        row.state = target


def _name(state: db.GenerationState) -> str:
    return db.GenerationState.Name(state).removeprefix("GENERATION_STATE_").lower()


def _not_allowed(source: db.GenerationState, target: db.GenerationState) -> ServiceError:
    words = f"A generation that is {_name(source)} cannot become {_name(target)}."
    return ServiceError(Reason.TRANSITION_NOT_ALLOWED, words)
