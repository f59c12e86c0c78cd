"""What is kept of people: what they have chosen, how much, who may use a bot, who is forgotten."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from dbservice.models.base import Base, DialStep
from protos.lookalike.db.v1 import db_pb2 as db


class UserSettings(Base):
    """What a user has chosen for all of their pictures, or a group for all that is sent there."""

    __tablename__ = "user_settings"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    dial: Mapped[db.Dial] = mapped_column(DialStep, default=db.DIAL_UNSPECIFIED)
    pictures: Mapped[int] = mapped_column(default=0)
    language: Mapped[str] = mapped_column(default="")
    time_zone: Mapped[str] = mapped_column(default="")
    news: Mapped[bool] = mapped_column(default=True)
    style: Mapped[str] = mapped_column(default="")


class KeptOfUser(Base):
    """How much is kept of a user's photos and pictures, in bytes: the sum of their image_size."""

    __tablename__ = "kept_of_users"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    bytes: Mapped[int]


class QuotaShare(Base):
    """How much of the day's quota a user or a group has had: see `dbservice.tombstones` for who.

    It says of nobody who they are, and so outlives `ForgetUser` until its day ends.
    """

    __tablename__ = "quota_shares"
    __table_args__ = (
        Index("ix_quota_shares_end", "ends_at"),
        {"sqlite_with_rowid": False},
    )

    who: Mapped[str] = mapped_column(String(64), primary_key=True)
    pictures: Mapped[int]
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]


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


class Export(Base):
    """All that is kept of a user, on its way to them; ended, it says when it was asked for.

    The parts that have come hold all up to the cursor, of what there was up to the number `until`.
    """

    __tablename__ = "exports"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[int]
    language_code: Mapped[str]
    asked_at: Mapped[datetime]
    until: Mapped[int]
    parts: Mapped[int] = mapped_column(default=0)
    cursor: Mapped[str] = mapped_column(default="")
    shown_message_id: Mapped[int | None]
    lost: Mapped[int] = mapped_column(default=0)
    after: Mapped[int]
    sending: Mapped[bool] = mapped_column(default=False)
    ended_at: Mapped[datetime | None]


class Cancellation(Base):
    """The newest message with which a user has cancelled all of theirs in a chat.

    What they asked for before it may be recorded after it, where several processes get updates.
    """

    __tablename__ = "cancellations"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[int]
    cancelled_at: Mapped[datetime]


class Tombstone(Base):
    """That somebody was forgotten, for whoever has the key: see `dbservice.tombstones`."""

    __tablename__ = "tombstones"
    __table_args__ = ({"sqlite_with_rowid": False},)

    who: Mapped[str] = mapped_column(String(64), primary_key=True)
    asked_at: Mapped[datetime]
    question: Mapped[str | None] = mapped_column(String(64))
