"""How Telegram says no: its many errors become the few that a stage acts on."""

import datetime as dt
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, cast

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from bot.sending import NotSent

TOO_BIG: Final = "file is too big"
"""What Telegram says of a file that bots may not download."""

_WRONG_FILE = ("wrong file", "file identifier", TOO_BIG)
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class TelegramUnavailable(Exception):
    """Telegram cannot be reached or asks us to wait; the same call may succeed later.

    Attributes:
        code: for observers: whether it asks us to wait, or cannot be reached.
        retry_after: seconds it asked to wait, if it did.
        not_done: what was asked has certainly not been done.
    """

    def __init__(
        self, reason: str, retry_after: float | None = None, *, not_done: bool = False
    ) -> None:
        super().__init__(reason)
        self.code = "telegram-unavailable" if retry_after is None else "too-many-requests"
        self.retry_after = retry_after
        self.not_done = not_done


class CannotDeliver(Exception):
    """This chat takes no message from us: blocked, kicked, or gone."""


class NotTaken(CannotDeliver):
    """Telegram does not take this message; another one may fare better."""


class SourceGone(Exception):
    """What is to be copied is not there any more."""


class Moved(Exception):
    """The group has become a supergroup with another id."""

    def __init__(self, chat_id: int) -> None:
        super().__init__(str(chat_id))
        self.chat_id = chat_id


class WrongFile(Exception):
    """Telegram does not take this file_id any more."""

    @property
    def code(self) -> str:
        """What its user is told: a code that the texts know."""
        return "file-too-large" if "too big" in str(self) else "file-gone"


@asynccontextmanager
async def translated() -> AsyncGenerator[None, None]:
    """Has what the library raises be one of these."""
    try:
        yield
    except RetryAfter as error:
        # PTB_TIMEDELTA is set: it is a timedelta.
        wait = cast("dt.timedelta", error.retry_after).total_seconds()
        raise TelegramUnavailable("Telegram asks us to wait", wait, not_done=True) from None
    except ChatMigrated as error:
        raise Moved(error.new_chat_id) from None
    except Forbidden as error:
        raise CannotDeliver(error.message) from None
    except BadRequest as error:
        message = error.message.lower()
        if any(sign in message for sign in _WRONG_FILE):
            raise WrongFile(error.message) from None
        raise NotTaken(error.message) from None
    except InvalidToken as error:
        # Whether it is revoked is found out by whoever waits for updates.
        raise TelegramUnavailable(error.message, not_done=True) from error
    except TelegramError as error:
        not_done = isinstance(error, NotSent) or isinstance(error.__cause__, _UNSENT)
        raise TelegramUnavailable(
            error.message or type(error).__name__, not_done=not_done
        ) from None
