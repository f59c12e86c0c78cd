"""A leased generation, and the writes that its stages make."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from telegram import Message

from bot import texts
from bot.answering import answered_by, topic_of
from bot.clients.dbservice import DatabaseClient
from bot.texts.texts import Texts
from bot.work.memory import Memory
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db

_KINDS: Final = (
    db.MESSAGE_KIND_CAPTION,
    db.MESSAGE_KIND_STATUS,
    db.MESSAGE_KIND_ENDING,
    db.MESSAGE_KIND_PICTURE,
    db.MESSAGE_KIND_CHOICES,
)

CAPTIONS_USED_UP: Final = "captions-used-up"
"""How a photo ends that nobody may be asked about today."""

_FIELDS: Final = {
    db.MESSAGE_KIND_CAPTION: "caption_message_id",
    db.MESSAGE_KIND_STATUS: "status_message_id",
    db.MESSAGE_KIND_ENDING: "ending_message_id",
    db.MESSAGE_KIND_PICTURE: "result_message_id",
    db.MESSAGE_KIND_CHOICES: "choices_message_id",
}
"""The field of the patch for each kind's id."""


@dataclass(frozen=True)
class Part:
    """One picture that a generation makes: all of it, or a member of a set.

    Attributes:
        id: the job's, and the member's.
        place: in the set, from 1; 0: it is no set.
    """

    id: str
    place: int = 0


class RetryLater(Exception):
    """The stage cannot go on now; it is tried again.

    Attributes:
        code: what it waits for, a code that the texts know; None says nothing to the user.
        retry_after: seconds to wait; None leaves it to the backoff.
    """

    def __init__(self, code: str | None, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


class WorkItem:
    """A leased generation and its photo, as of the last write.

    Every write carries the lease's fence and may raise any `DatabaseError`.

    Attributes:
        memory: what this process remembers of it.
    """

    def __init__(
        self, database: DatabaseClient, lease: db.LeaseGenerationsResponse.Lease, memory: Memory
    ) -> None:
        self._database = database
        self._fence = lease.fence
        self.memory = memory
        self._take(lease.item)

    @property
    def id(self) -> str:
        """The generation's id."""
        return self._item.generation.id

    @property
    def photo(self) -> db.Photo:
        """The photo it belongs to."""
        return self._item.photo

    @property
    def generation(self) -> db.Generation:
        """The generation."""
        return self._item.generation

    @property
    def state(self) -> db.GenerationState:
        """The generation's state."""
        return self._item.generation.state

    @property
    def closed(self) -> bool:
        """Whether nothing is left to do."""
        return self._item.generation.HasField("closed_at")

    @property
    def thread_id(self) -> int | None:
        """The topic that the photo is in, and its answers; None: none."""
        return topic_of(self.photo)

    @property
    def is_own(self) -> bool:
        """Whether it is the photo's own, which looks after the photo; the others wait for it."""
        return not self._item.generation.parent_id

    @property
    def has_status(self) -> bool:
        """Whether a status message shows how far it is.

        In a group a reaction says that a photo is taken, and in a channel nothing does.
        """
        photo = self.photo
        is_photo = self.is_own and bool(photo.file_id)
        return not (photo.channel_post or (photo.chat_id < 0 and is_photo))

    @property
    def reply_to(self) -> int:
        """The message that it answers."""
        return answered_by(self._item)

    @property
    def row(self) -> db.Item:
        """The generation and its photo."""
        return self._item

    @property
    def is_set(self) -> bool:
        """Whether it makes several pictures."""
        return self.generation.pictures > 1

    @property
    def parts(self) -> Sequence[Part]:
        """Its pictures, each of which is a job of the generator's."""
        if not self.is_set:
            return [Part(self.id)]
        of, count = uuid.UUID(self.id), self.generation.pictures
        return [Part(str(uuid.uuid5(of, str(place))), place) for place in range(1, count + 1)]

    @property
    def open_parts(self) -> Sequence[Part]:
        """Those that have not ended."""
        ended = {member.place for member in self._item.members}
        return [part for part in self.parts if part.place not in ended]

    @property
    def shown(self) -> Sequence[db.Item]:
        """The pictures that there are of it."""
        if not self.is_set:
            return [self._item]
        photo = self.photo
        members = [each for each in self._item.members if each.HasField("picture")]
        return [db.Item(photo=photo, generation=member) for member in members]

    @property
    def owner(self) -> str:
        """Whose it is, as the generator and the log are told."""
        return f"telegram:{self._item.photo.user_id}"

    @property
    def texts(self) -> Texts:
        """What the bot says to its user."""
        return texts.of(self._item.photo.language_code)

    def text_of(self, kind: db.MessageKind) -> str:
        """What a message of this kind says; a status message says another thing each time."""
        texts = self.texts
        if kind == db.MESSAGE_KIND_CAPTION:
            return texts.caption(self.photo.caption)
        if kind == db.MESSAGE_KIND_PICTURE:
            return texts.pictures.picture(self.shown[0])
        if kind == db.MESSAGE_KIND_CHOICES:
            return texts.pictures.choices
        if self.state == db.GENERATION_STATE_CANCELLED:
            return texts.cancelled
        error = self.generation.error
        if error.goes_on_at:
            return texts.quotas.captions_used_up(error.goes_on_at)
        return texts.ending(error.code)

    def message_id(self, kind: db.MessageKind) -> int:
        """The id of its message of this kind, the first of an album; 0: none is recorded."""
        if kind == db.MESSAGE_KIND_CAPTION:
            return self.photo.caption_message_id
        if kind == db.MESSAGE_KIND_PICTURE and self._item.members:
            return next(filter(None, (each.result_message_id for each in self._item.members)), 0)
        message_id: int = getattr(self.generation, _FIELDS[kind])
        return message_id

    def sent(self, kind: db.MessageKind, messages: Sequence[Message]) -> dict[str, Any]:
        """What is recorded of messages of this kind: one, or an album, as far as it was seen.

        The ids of an album follow one another.
        """
        first = messages[0].message_id
        if kind != db.MESSAGE_KIND_PICTURE:
            return {_FIELDS[kind]: first}
        files = {message.message_id: message.photo[-1].file_id for message in messages}
        if not self.is_set:
            return {_FIELDS[kind]: first, "result_file_id": files[first]}
        album = [
            db.SentPicture(
                generation_id=shown.generation.id, message_id=at, file_id=files.get(at, "")
            )
            for at, shown in enumerate(self.shown, start=first)
        ]
        return {"album": album}

    async def advance(self, to_state: db.GenerationState, **patch: Any) -> None:
        """Moves the generation to a state; `patch` are fields of `GenerationPatch`."""
        item = await self._database.advance_generation(
            db.AdvanceGenerationRequest(
                generation_id=self.id,
                fence=self._fence,
                from_state=self.state,
                to_state=to_state,
                patch=db.GenerationPatch(**patch),
            )
        )
        self._take(item)

    async def record(self, **patch: Any) -> None:
        """Patches the generation and leaves its state as it is."""
        await self.advance(self.state, **patch)

    async def fail(self, code: str, message: str, goes_on_at: str = "") -> None:
        """Ends the generation with an error; the close stage tells the user.

        Args:
            code: one that the texts know.
            message: for the log.
            goes_on_at: when the quota goes on that is used up, as the contract has it.
        """
        error = db.Error(code=code, message=printable(message), goes_on_at=goes_on_at)
        await self.advance(db.GENERATION_STATE_FAILED, error=error)

    async def store_photo(self, image: db.ImageInfo, data: bytes) -> None:
        """Stores the photo's bytes."""
        info = db.StorePhotoRequest.Info(generation_id=self.id, fence=self._fence, image=image)
        self._take(await self._database.store_photo(info, data))

    async def count_caption(self, *, exempt: bool) -> None:
        """Counts a caption that is about to be asked for. Raises QuotaUsedUp: it may not be."""
        await self._database.count_caption(
            db.CountCaptionRequest(generation_id=self.id, fence=self._fence, exempt=exempt)
        )

    async def finalize(self, part: Part, data: bytes = b"", **outcome: Any) -> None:
        """Ends the work on a part: with `picture` and its bytes, or with `failed` or `refused`."""
        info = db.FinalizeGenerationRequest.Info(
            generation_id=self.id, fence=self._fence, place=part.place, **outcome
        )
        self._take(await self._database.finalize_generation(info, data))

    async def close(self) -> None:
        """Marks the generation as closed."""
        request = db.CloseGenerationRequest(generation_id=self.id, fence=self._fence)
        self._take(await self._database.close_generation(request))

    def _take(self, item: db.Item) -> None:
        """The row is this now; whose the messages are that it names is settled."""
        self._item = item
        photo = item.photo
        recorded = [self.message_id(kind) for kind in _KINDS]
        for message_id in (photo.message_id, *recorded):
            if message_id:
                self.memory.ids.settle(photo.chat_id, message_id)
