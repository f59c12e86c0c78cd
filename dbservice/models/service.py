"""What the service keeps for itself."""

from datetime import date, datetime

from sqlalchemy import Date, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from dbservice.models.base import Base


class Epoch(Base):
    """The epoch of the process that was the last to begin to get a bot's updates.

    With an address, it is shared by all processes behind that.
    """

    __tablename__ = "epochs"

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    address: Mapped[str] = mapped_column(default="")


class Bot(Base):
    """A process that shares its bot's epoch; a bit for each shard of chats that it has."""

    __tablename__ = "bots"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    holder: Mapped[str] = mapped_column(primary_key=True)
    alive_until: Mapped[datetime]
    waits_until: Mapped[datetime]  # it takes nothing over before
    shards: Mapped[int] = mapped_column(default=0)


class Claim(Base):
    """What one of several processes does alone."""

    __tablename__ = "claims"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    ends_at: Mapped[datetime]


class PendingDeletion(Base):
    """Bytes whose row is deleted and that are still to be deleted themselves."""

    __tablename__ = "pending_deletions"

    key: Mapped[str] = mapped_column(primary_key=True)


class ForgottenKey(Base):
    """One row: by which key the forgotten are named, where several homes share the database."""

    __tablename__ = "forgotten_keys"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))


class KeptOfAll(Base):
    """One row: how much is kept of all users."""

    __tablename__ = "kept_of_all"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    bytes: Mapped[int]


class DayTotals(Base):
    """What a bot has done in a day of the machine's; it names nobody."""

    __tablename__ = "day_totals"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    photos: Mapped[int] = mapped_column(default=0)
    pictures: Mapped[int] = mapped_column(default=0)
    refusals: Mapped[int] = mapped_column(default=0)
    captions: Mapped[int] = mapped_column(default=0)


class WallClock(Base):
    """One row: what the clock said last, and for how long it is still doubted."""

    __tablename__ = "wall_clock"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    seen_at: Mapped[datetime]
    doubt_seconds: Mapped[float]
