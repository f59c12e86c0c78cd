"""What polling shows of Telegram: whether it answers, a second poller, a token that was revoked."""

import logging
import math
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from telegram.error import Conflict, NetworkError, TelegramError
from telegram.request import HTTPXRequest

_log = logging.getLogger(__name__)

CONFLICT = "another program polls with this token"
"""In the bot's health check and in its log."""

_CONFLICT_SECONDS = 60.0


class Polling(HTTPXRequest):
    """The transport of getUpdates, which sees every answer."""

    def __init__(
        self, give_up: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`give_up` is called with a sentence when polling has no future; `clock` gives seconds."""
        super().__init__(connection_pool_size=1)
        self._give_up = give_up
        self._clock = clock
        self._first_conflict: float | None = None
        self._last_conflict = 0.0
        self._trouble = ""
        self.last_success = -math.inf
        """When Telegram last answered a poll, in seconds of the clock."""

    @property
    def in_conflict(self) -> bool:
        """Whether another poller was there within the last minute."""
        return (
            self._first_conflict is not None
            and self._clock() - self._last_conflict < _CONFLICT_SECONDS
        )

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Passes the request on and looks at the status of the answer."""
        status, payload = await super().do_request(*args, **kwargs)
        self.observe(status)
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}:
            # The library would take either for a wrong token, and end its polling for good.
            raise NetworkError(f"{status} {HTTPStatus(status).phrase}")
        return status, payload

    def observe(self, status: int) -> None:
        """Takes in the HTTP status of an answer to a poll."""
        now = self._clock()
        if status == HTTPStatus.OK:
            self.last_success = now
            if self._trouble:
                _log.info("Telegram is back.")
            self._trouble = ""
        elif status == HTTPStatus.UNAUTHORIZED:
            self._give_up("Telegram does not take TELEGRAM_BOT_TOKEN any more; was it revoked?")
        elif status == HTTPStatus.CONFLICT:
            # Two pollers throw each other out in turn, so polls succeed in between; a pause as
            # long as this means that the other one has gone.
            if self._first_conflict is None or now - self._last_conflict > _CONFLICT_SECONDS:
                self._first_conflict = now
            self._last_conflict = now
            if now - self._first_conflict >= _CONFLICT_SECONDS:
                self._give_up(
                    "Another program polls Telegram with the same TELEGRAM_BOT_TOKEN; stop one of "
                    "the two."
                )

    def on_error(self, error: TelegramError) -> None:
        """Logs an error of polling, once until it is over."""
        words = (
            f"{CONFLICT}; I give up if that goes on for a minute"
            if isinstance(error, Conflict)
            else f"{type(error).__name__}: {error.message}"
        )
        if words != self._trouble:
            _log.warning("Polling Telegram: %s", words)
        self._trouble = words
