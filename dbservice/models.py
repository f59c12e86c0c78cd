"""The tables. `migrations/` makes them; a test holds the two together."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    foreign,
    mapped_column,
    relationship,
    remote,
    validates,
)
from sqlalchemy.types import TypeDecorator

from protos.lookalike.db.v1 import db_pb2 as db

_IDS = uuid.UUID("a065fd21-2ba3-4d68-9389-88e465a6c10c")
"""The namespace of photo ids. It never changes: it is how a redelivered message is recognised."""


def photo_id(bot_id: int, chat_id: int, message_id: int) -> str:
    """The id of the photo in this message."""
    return str(uuid.uuid5(_IDS, f"{bot_id}:{chat_id}:{message_id}"))


def generation_id(photo: str) -> str:
    """The id of a photo's own generation, the first."""
    return str(uuid.uuid5(uuid.UUID(photo), "0"))


def asked_id(photo: str, chat_id: int, message_id: int, count: int) -> str:
    """The id of the generation that a message asks for, and is the count-th to do so."""
    return str(uuid.uuid5(uuid.UUID(photo), f"{chat_id}:{message_id}:{count}"))


def member_id(set_id: str, place: int) -> str:
    """The id of the member at a place of a set, from 1."""
    return str(uuid.uuid5(uuid.UUID(set_id), str(place)))


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, also where the database knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """To the database."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC)


class _Named(TypeDecorator[int]):
    """A value of the contract's, kept as its name so that a person can read the table."""

    impl = String(16)
    cache_ok = True
    values: ClassVar[EnumTypeWrapper]
    prefix: ClassVar[str]

    def process_bind_param(self, value: int | None, _dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else self.values.Name(value).removeprefix(self.prefix).lower()

    def process_result_value(self, value: str | None, _dialect: Dialect) -> int | None:
        """From the database."""
        return None if value is None else self.values.Value(self.prefix + value.upper())


class State(_Named):
    """A generation's state."""

    cache_ok = True
    values = cast("EnumTypeWrapper", db.GenerationState)
    prefix = "GENERATION_STATE_"


class Kind(_Named):
    """The kind of a message."""

    cache_ok = True
    values = cast("EnumTypeWrapper", db.MessageKind)
    prefix = "MESSAGE_KIND_"


class DialStep(_Named):
    """How much of the photo a picture keeps."""

    cache_ok = True
    values = cast("EnumTypeWrapper", db.Dial)
    prefix = "DIAL_"


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {  # noqa: RUF012, SQLAlchemy's own way to declare it
        datetime: UtcDateTime,
        int: BigInteger,
    }


class StoredImage:
    """What is known of stored bytes, and the key that they have; all of it or nothing is there."""

    image_key: Mapped[str | None]
    image_media_type: Mapped[str | None]
    image_width: Mapped[int | None]
    image_height: Mapped[int | None]
    image_size: Mapped[int | None]
    image_sha256: Mapped[str | None]


def _where(condition: str) -> Mapping[str, Any]:
    """What makes an index one of some rows alone."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _given(column: str) -> Mapping[str, Any]:
    """What makes an index one of the rows that have this."""
    return _where(f"{column} IS NOT NULL")


def _by_key(table: str) -> Index:
    """How the sweep finds out whether a row names a key."""
    return Index(f"ix_{table}_image_key", "image_key", **_given("image_key"))


def _of_unclosed(name: str, *columns: str) -> Index:
    """How unclosed generations are found, however many are closed."""
    return Index(name, *columns, **_where("closed_at IS NULL"))


class Photo(StoredImage, Base):
    """What somebody sent: a photo, or words alone, which have no file.

    Its chat and message are not unique: a group that becomes a supergroup counts its messages
    anew, and its photos follow it under the id they had.
    """

    __tablename__ = "photos"
    __table_args__ = (
        Index("ix_photos_user", "bot_id", "user_id", "media_group_id"),
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


class Generation(StoredImage, Base):
    """One picture generated for a photo, its image, and the lease on its work; or a set of them.

    Whose it is, and where, is the photo's, repeated here: an index is of one table, and what is
    asked of a year of history has to be found through one (docs/decisions/0033-indexes.md).
    """

    __tablename__ = "generations"
    __table_args__ = (
        UniqueConstraint("photo_id", "n"),
        Index(
            "ix_generations_request", "bot_id", "request_id", unique=True, **_given("request_id")
        ),
        Index("ix_generations_parent", "parent_id", "button", **_given("parent_id")),
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
            **_given("image_key"),
        ),
        Index("ix_generations_set", "set_id", "place", **_given("set_id")),
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

    photo: Mapped[Photo] = relationship(lazy="joined", innerjoin=True)
    members: Mapped[list["Generation"]] = relationship(
        primaryjoin=lambda: Generation.id == remote(foreign(Generation.set_id)),
        order_by=lambda: Generation.place,
    )

    @validates("state")
    def _begin_anew(self, _key: str, state: db.GenerationState) -> db.GenerationState:
        self.attempts = 0  # what a process died of, if it did, was the state before
        return state


class UserSettings(Base):
    """What a user has chosen for all of their pictures."""

    __tablename__ = "user_settings"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    dial: Mapped[db.Dial] = mapped_column(DialStep, default=db.DIAL_UNSPECIFIED)
    pictures: Mapped[int] = mapped_column(default=0)
    language: Mapped[str] = mapped_column(default="")
    time_zone: Mapped[str] = mapped_column(default="")


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


class Epoch(Base):
    """The epoch of the process that was the last to begin to poll for a bot."""

    __tablename__ = "epochs"

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]


class PendingDeletion(Base):
    """Bytes whose row is deleted and that are still to be deleted themselves."""

    __tablename__ = "pending_deletions"

    key: Mapped[str] = mapped_column(primary_key=True)


class KeptOfUser(Base):
    """How much is kept of a user's photos and pictures, in bytes: the sum of their image_size."""

    __tablename__ = "kept_of_users"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    bytes: Mapped[int]


class KeptOfAll(Base):
    """One row: how much is kept of all users."""

    __tablename__ = "kept_of_all"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    bytes: Mapped[int]


class WallClock(Base):
    """One row: what the clock said last, and for how long it is still doubted."""

    __tablename__ = "wall_clock"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    seen_at: Mapped[datetime]
    doubt_seconds: Mapped[float]


class Owner(Base):
    """Whose a bot is: the first to claim it."""

    __tablename__ = "owners"

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int]
    claimed_at: Mapped[datetime]


class Member(Base):
    """Somebody who was invited."""

    __tablename__ = "members"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    joined_at: Mapped[datetime]


class Ban(Base):
    """A user who may not use a bot, or a chat in which nobody may. It outlives `ForgetUser`."""

    __tablename__ = "bans"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    banned_at: Mapped[datetime]


class Invite(Base):
    """A link that lets people in; of its secret, a hash is kept."""

    __tablename__ = "invites"
    __table_args__ = (
        Index("ix_invites_bot", "bot_id", "number"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )
    bot_id: Mapped[int]
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    max_uses: Mapped[int]
    uses: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Forgetting(Base):
    """A user who is being forgotten, and the question that is to say so in the end."""

    __tablename__ = "forgettings"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chat_id: Mapped[int]
    message_id: Mapped[int]
    language_code: Mapped[str]
    asked_at: Mapped[datetime]


class Tombstone(Base):
    """That somebody was forgotten, for whoever has the key: see `dbservice.tombstones`."""

    __tablename__ = "tombstones"
    __table_args__ = ({"sqlite_with_rowid": False},)

    who: Mapped[str] = mapped_column(String(64), primary_key=True)
    asked_at: Mapped[datetime]
    question: Mapped[str | None] = mapped_column(String(64))
