"""What all tables are made of: times, names of the contract's values, and indexes of some rows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from sqlalchemy import BigInteger, DateTime, String, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from protos.lookalike.db.v1 import db_pb2 as db


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


class BroadcastState(_Named):
    """How a broadcast is."""

    cache_ok = True
    values = cast("EnumTypeWrapper", db.BroadcastState)
    prefix = "BROADCAST_STATE_"


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {  # noqa: RUF012, SQLAlchemy's own way to declare it
        datetime: UtcDateTime,
        int: BigInteger,
    }


def where(condition: str) -> Mapping[str, Any]:
    """What makes an index one of some rows alone."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def given(column: str) -> Mapping[str, Any]:
    """What makes an index one of the rows that have this."""
    return where(f"{column} IS NOT NULL")
