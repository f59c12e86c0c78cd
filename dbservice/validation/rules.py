"""What rules there are for fields; the requests that keep them are registered with `violations`."""

import math
import uuid
from collections.abc import Iterator
from functools import singledispatch
from typing import Protocol

from google.protobuf.message import Message

from protos.lookalike.db.v1 import db_pb2 as db

MAX_NAME = 200  # characters

Violations = Iterator[tuple[str, str]]
"""Each field at fault, and what it must be."""


class InChat(Protocol):
    """A request of a user in a chat."""

    bot_id: int
    chat_id: int
    user_id: int


@singledispatch
def violations(request: Message) -> Violations:
    """What is wrong with a request, by its type."""
    raise TypeError(type(request))


def dial(field: str, dial: db.Dial) -> Violations:
    """It is a step of the dial."""
    if dial not in db.Dial.values():
        yield field, "must be a step of the dial"


def user_in_chat(request: InChat) -> Violations:
    """It says who asks, and where."""
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("chat_id", request.chat_id)
    yield from not_zero("user_id", request.user_id)


def identifier(field: str, value: str) -> Violations:
    """It is the id of a photo or a generation."""
    try:
        canonical = str(uuid.UUID(value)) == value
    except ValueError:
        canonical = False
    if not canonical:
        yield field, "must be a UUID in lower-case letters"


def text(field: str, value: str, most: int, least: int = 0) -> Violations:
    """It has so many characters."""
    if not least <= len(value) <= most:
        yield field, f"must have {least} to {most} characters"


def within(field: str, value: float, least: float, most: float = math.inf) -> Violations:
    """It is in this range."""
    if not least <= value <= most:  # not a number is in no range
        limit = "at least {}" if most == math.inf else "{} to {}"
        yield field, f"must be {limit.format(least, most)}"


def not_zero(field: str, value: int) -> Violations:
    """It is given."""
    if value == 0:
        yield field, "must not be 0"
