"""The data of inline buttons: short, stable over restarts, at most 64 bytes.

    c:<generation>          cancel
    h:<owner>:<cursor>      a page of the owner's history
    o:<owner>:<generation>  open a picture of the owner's history

An owner is a user, or a group in whose name somebody wrote. A generation's id is written without
its hyphens.
"""

import contextlib
import re
import uuid
from typing import Final

from telegram import CallbackQuery
from telegram.error import TelegramError

_ID = "[0-9a-f]{32}"

CANCEL: Final = re.compile(rf"^c:({_ID})$")
HISTORY: Final = re.compile(r"^h:(-?[0-9]{1,16}):(\S*)$")
OPEN: Final = re.compile(rf"^o:(-?[0-9]{{1,16}}):({_ID})$")


def cancel_data(generation_id: str) -> str:
    """Cancels this generation."""
    return f"c:{uuid.UUID(generation_id).hex}"


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
