"""The data of inline buttons: short, stable over restarts, at most 64 bytes.

    c:<generation>          cancel
    p:<action>:<generation> something about this picture: one of `Action`
    q:<generation>          ask what the photo shows whose own picture this is
    g:<number>:<generation> the same picture, as if its captioner had guessed this; the best is 0
    s:<style>:<generation>  the same picture in this style; without a name: in none
    d:<dial>:<owner>        the dial of the owner's photos
    w                       paint the words that the message with the button replies to
    h:<owner>:<cursor>      a page of the owner's history
    o:<owner>:<generation>  open a picture of the owner's history

An owner is a user, or a group in whose name somebody wrote. A generation's id is written without
its hyphens.
"""

import contextlib
import re
import uuid
from enum import StrEnum
from typing import Final

from telegram import CallbackQuery
from telegram.error import TelegramError

_ID = "[0-9a-f]{32}"

CANCEL: Final = re.compile(rf"^c:({_ID})$")
HISTORY: Final = re.compile(r"^h:(-?[0-9]{1,16}):(\S*)$")
PICTURE: Final = re.compile(rf"^p:([a-z-]{{1,16}}):({_ID})$")
ASK: Final = re.compile(rf"^(q):({_ID})$")
GUESS: Final = re.compile(rf"^g:([0-4]):({_ID})$")
STYLE: Final = re.compile(rf"^s:([a-z-]{{0,24}}):({_ID})$")
DIAL: Final = re.compile(r"^d:([a-z]{1,16}):(-?[0-9]{1,16})$")
WORDS: Final = re.compile(r"^w$")
OPEN: Final = re.compile(rf"^o:(-?[0-9]{{1,16}}):({_ID})$")


def cancel_data(generation_id: str) -> str:
    """Cancels this generation."""
    return f"c:{uuid.UUID(generation_id).hex}"


class Action(StrEnum):
    """What a button under a picture does."""

    AGAIN = "again"
    CLOSER = "closer"
    FREER = "freer"
    STYLES = "styles"
    FULL_SIZE = "full-size"
    RECIPE = "recipe"
    DELETE = "delete"
    DELETE_FOR_GOOD = "delete-for-good"
    BACK = "back"


def pattern_of(*actions: Action) -> re.Pattern[str]:
    """Matches buttons that do one of these."""
    return re.compile(rf"^p:({'|'.join(actions)}):({_ID})$")


def picture_data(action: Action, generation_id: str) -> str:
    """Does this with this picture."""
    return f"p:{action}:{uuid.UUID(generation_id).hex}"


def ask_data(generation_id: str) -> str:
    """Asks what the photo of this picture shows."""
    return f"q:{uuid.UUID(generation_id).hex}"


def guess_data(number: int, generation_id: str) -> str:
    """Paints this photo by one of its captioner's guesses."""
    return f"g:{number}:{uuid.UUID(generation_id).hex}"


def style_data(style: str, generation_id: str) -> str:
    """Paints this picture in this style."""
    return f"s:{style}:{uuid.UUID(generation_id).hex}"


def dial_data(dial: str, user_id: int) -> str:
    """Sets this user's dial."""
    return f"d:{dial}:{user_id}"


def is_about(data: object, generation_id: str) -> bool:
    """Whether a button does something with this picture."""
    match = PICTURE.match(data) if isinstance(data, str) else None
    return match is not None and match[2] == uuid.UUID(generation_id).hex


def history_data(user_id: int, cursor: str) -> str:
    """Turns to a page of this user's history."""
    return f"h:{user_id}:{cursor}"


def open_data(user_id: int, generation_id: str) -> str:
    """Opens this picture of this user's history."""
    return f"o:{user_id}:{uuid.UUID(generation_id).hex}"


def generation_id(text: str) -> str:
    """The id with its hyphens again."""
    return str(uuid.UUID(text))


async def answer(query: CallbackQuery, text: str | None = None) -> None:
    """Answers a pressed button if Telegram still takes that; the work is done all the same."""
    with contextlib.suppress(TelegramError):
        await query.answer(text)
