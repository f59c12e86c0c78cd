"""What goes to everybody, and to whom it is just being sent."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from dbservice.models.base import Base, BroadcastState, where
from protos.lookalike.db.v1 import db_pb2 as db


class Broadcast(Base):
    """A broadcast, by the question that began it: all private chats of a bot share one count."""

    __tablename__ = "broadcasts"
    __table_args__ = (
        Index("ix_broadcasts_unclosed", "bot_id", unique=True, **where("closed_at IS NULL")),
        {"sqlite_with_rowid": False},
    )

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int]
    source_message_id: Mapped[int] = mapped_column(default=0)
    language_code: Mapped[str] = mapped_column(default="")
    state: Mapped[db.BroadcastState] = mapped_column(BroadcastState)
    total: Mapped[int] = mapped_column(default=0)
    sent: Mapped[int] = mapped_column(default=0)
    blocked: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    left_out: Mapped[int] = mapped_column(default=0)
    step: Mapped[int] = mapped_column(default=0)
    after: Mapped[int] = mapped_column(default=0)
    last_user_id: Mapped[int] = mapped_column(default=0)  # whose turn has come; 0: nobody's
    begun_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class InFlight(Base):
    """Somebody to whom the bot's open broadcast is being sent, or may have been."""

    __tablename__ = "broadcasts_in_flight"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
