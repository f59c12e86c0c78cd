"""Photos, the pictures generated for them, and the messages about these."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship, remote, validates

from dbservice.models.base import Base, DialStep, Kind, State, given, where
from protos.lookalike.db.v1 import db_pb2 as db


class StoredImage:
    """What is known of stored bytes, and the key that they have; all of it or nothing is there."""

    image_key: Mapped[str | None]
    image_media_type: Mapped[str | None]
    image_width: Mapped[int | None]
    image_height: Mapped[int | None]
    image_size: Mapped[int | None]
    image_sha256: Mapped[str | None]


def _by_key(table: str) -> Index:
    """How the sweep finds out whether a row names a key."""
    return Index(f"ix_{table}_image_key", "image_key", **given("image_key"))


def _of_unclosed(name: str, *columns: str) -> Index:
    """How unclosed generations are found, however many are closed."""
    return Index(name, *columns, **where("closed_at IS NULL"))


class Photo(StoredImage, Base):
    """What somebody sent: a photo, or words alone, which have no file.

    Its chat and message are not unique: a group that becomes a supergroup counts its messages
    anew, and its photos follow it under the id they had.
    """

    __tablename__ = "photos"
    __table_args__ = (
        Index("ix_photos_user", "bot_id", "user_id", "media_group_id"),
        Index("ix_photos_export", "bot_id", "user_id", "received_at", "id"),
        _by_key(__tablename__),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    bot_id: Mapped[int]
    chat_id: Mapped[int]
    message_id: Mapped[int]
    user_id: Mapped[int]
    language_code: Mapped[str]
    file_id: Mapped[str]
    file_size: Mapped[int]
    user_text: Mapped[str]
    received_at: Mapped[datetime]
    caption_text: Mapped[str | None]
    caption_confidence: Mapped[float | None]
    caption_captioner: Mapped[str | None]
    caption_model: Mapped[str | None]
    caption_guesses: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    caption_message_id: Mapped[int | None]
    message_thread_id: Mapped[int | None]
    media_group_id: Mapped[str | None]
    album_text: Mapped[str | None]
    album_newest_at: Mapped[datetime | None]
    first_caption: Mapped[bool] = mapped_column(default=False)
    channel_post: Mapped[bool] = mapped_column(default=False)


class Generation(StoredImage, Base):
    """One picture generated for a photo, its image, and the lease on its work; or a set of them.

    Whose it is, and where, is the photo's, repeated here: an index is of one table, and what is
    asked of a year of history has to be found through one (docs/decisions/0033-indexes.md).
    """

    __tablename__ = "generations"
    __table_args__ = (
        UniqueConstraint("photo_id", "n"),
        Index("ix_generations_request", "bot_id", "request_id", unique=True, **given("request_id")),
        Index("ix_generations_parent", "parent_id", "button", **given("parent_id")),
        _of_unclosed("ix_generations_unclosed", "bot_id", "user_id", "number"),
        # With closed_at, though it is always null: else SQLite takes the history's for as good.
        _of_unclosed(
            "ix_generations_status", "bot_id", "chat_id", "user_id", "closed_at", "number"
        ),
        Index("ix_generations_history", "bot_id", "chat_id", "user_id", "number"),
        Index(
            "ix_generations_pictures",
            "bot_id",
            "chat_id",
            "user_id",
            "number",
            **given("image_key"),
        ),
        Index("ix_generations_of_user", "bot_id", "user_id", "number", **given("image_key")),
        Index("ix_generations_set", "set_id", "place", **given("set_id")),
        Index("ix_generations_created", "bot_id", "created_at", "user_id"),
        _by_key(__tablename__),
        {"sqlite_autoincrement": True},
    )

    # Counts up and is never used twice: the order of pages and queues.
    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), unique=True)
    photo_id: Mapped[str] = mapped_column(ForeignKey("photos.id"))
    bot_id: Mapped[int]
    chat_id: Mapped[int]
    user_id: Mapped[int]
    n: Mapped[int]
    state: Mapped[db.GenerationState] = mapped_column(State)
    prompt: Mapped[str]
    negative_prompt: Mapped[str]
    preset: Mapped[str]
    width: Mapped[int | None]
    height: Mapped[int | None]
    steps: Mapped[int | None]
    guidance_scale: Mapped[float | None]
    seed: Mapped[int | None]
    sending: Mapped[db.MessageKind | None] = mapped_column(Kind)
    sending_after: Mapped[int | None]
    sending_unseen: Mapped[int] = mapped_column(default=0)
    status_message_id: Mapped[int | None]
    ending_message_id: Mapped[int | None]
    result_message_id: Mapped[int | None]
    user_notified: Mapped[bool] = mapped_column(default=False)
    picture_seed: Mapped[int | None]
    picture_model: Mapped[str | None]
    picture_file_id: Mapped[str | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    lease_holder: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    dial: Mapped[db.Dial] = mapped_column(DialStep, default=db.DIAL_DREAM)
    style: Mapped[str] = mapped_column(default="")
    words: Mapped[str] = mapped_column(default="")
    parent_id: Mapped[str | None] = mapped_column(String(36))
    button: Mapped[str | None]
    request_id: Mapped[str | None]
    presses: Mapped[int] = mapped_column(default=0)
    reply_to_message_id: Mapped[int | None]
    starred: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None]
    pictures: Mapped[int] = mapped_column(default=1)
    set_id: Mapped[str | None] = mapped_column(String(36))
    place: Mapped[int] = mapped_column(default=0)
    choices_message_id: Mapped[int | None]
    painting_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    in_share: Mapped[bool] = mapped_column(default=False)
    goes_on_at: Mapped[str | None]
    traceparent: Mapped[str | None]  # of what asked for it, as W3C Trace Context has it

    photo: Mapped[Photo] = relationship(lazy="joined", innerjoin=True)
    members: Mapped[list["Generation"]] = relationship(
        primaryjoin=lambda: Generation.id == remote(foreign(Generation.set_id)),
        order_by=lambda: Generation.place,
    )

    @validates("state")
    def _begin_anew(self, _key: str, state: db.GenerationState) -> db.GenerationState:
        self.attempts = 0  # what a process died of, if it did, was the state before
        return state


class SentMessage(Base):
    """A message of the bot's about a generation: its id is one row's alone.

    It stays with the chat that the message was sent to: a group that becomes a supergroup counts
    anew.
    """

    __tablename__ = "sent_messages"
    __table_args__ = (
        Index("ix_sent_messages_generation", "generation"),
        {"sqlite_with_rowid": False},
    )

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey("generations.number", ondelete="CASCADE"),
    )
    kind: Mapped[db.MessageKind] = mapped_column(Kind)
