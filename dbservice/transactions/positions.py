"""Where a reader is in what is kept of a user, which is read in the order in which it came."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from sqlalchemy import ColumnElement, tuple_

from dbservice.errors import unknown_cursor
from dbservice.models import Photo

_CURSOR: Final = re.compile(r"([0-9]{1,17})\.([0-9a-f-]{36})\.(-1|[0-9]{1,15})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class Position:
    """A photo, or with it one of its generations; as a text it is a cursor.

    Attributes:
        received_at: when the photo came.
        photo_id: its id.
        n: the generation's number of those of the photo; -1: the photo itself.
    """

    received_at: datetime = _EPOCH
    photo_id: str = ""
    n: int = -1

    def __str__(self) -> str:
        return f"{(self.received_at - _EPOCH) // _MICROSECOND}.{self.photo_id}.{self.n}"

    @classmethod
    def parse(cls, cursor: str) -> Self:
        """The position that a cursor says; the beginning, if it is empty.

        Raises:
            ServiceError: INVALID_ARGUMENT, for a cursor that is none of ours.
        """
        if not cursor:
            return cls()
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise unknown_cursor()
        return cls(_EPOCH + int(match[1]) * _MICROSECOND, match[2], int(match[3]))


def photos_from(
    bot_id: int, user_id: int, position: Position
) -> tuple[ColumnElement[bool], ColumnElement[bool], ColumnElement[bool]]:
    """The conditions that make them the user's photos from the one at the position on."""
    here = tuple_(Photo.received_at, Photo.id) >= (position.received_at, position.photo_id)
    return Photo.bot_id == bot_id, Photo.user_id == user_id, here
