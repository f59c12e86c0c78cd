"""Updates by long polling, and what that shows of Telegram: a second poller, a revoked token."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from telegram.error import Conflict, NetworkError, TelegramError
from telegram.ext import Application
from telegram.request import HTTPXRequest

from bot.readiness import NotReady, is_recent
from bot.transports.base import UPDATES
from lookalike.errors import StartError
from lookalike.waiting import any_of

_log = logging.getLogger(__name__)

_CONFLICT_SECONDS = 60.0
_STOP_SECONDS = 2.0


class Polls(HTTPXRequest):
    """Makes the requests of getUpdates, and looks at every answer.

    Attributes:
        last_success: when Telegram last answered a poll, in seconds of the clock.
        hopeless: set when polling has no future.
        sentence: why, then.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, proxy: str | None = None
    ) -> None:
        """`clock` gives seconds; `proxy` is that to Telegram, if there is one."""
        super().__init__(connection_pool_size=1, proxy=proxy, httpx_kwargs={"trust_env": False})
        self._clock = clock
        self._first_conflict: float | None = None
        self._last_conflict = 0.0
        self._problem = ""
        self.last_success = -math.inf
        self.hopeless = asyncio.Event()
        self.sentence = ""

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
            if self._problem:
                _log.info("Telegram is back.")
            self._problem = ""
        elif status == HTTPStatus.UNAUTHORIZED:
            self._give_up("Telegram no longer accepts TELEGRAM_BOT_TOKEN; was it revoked?")
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
        problem = (
            f"{NotReady.POLLING_CONFLICT}; giving up if that goes on for a minute"
            if isinstance(error, Conflict)
            else f"{type(error).__name__}: {error.message}"
        )
        if problem != self._problem:
            _log.warning("Polling Telegram: %s", problem)
        self._problem = problem

    def _give_up(self, sentence: str) -> None:
        self.sentence = sentence
        self.hopeless.set()


class PollingTransport:
    """Long polling; see `Transport`.

    Attributes:
        polls: what the application's bot makes its getUpdates requests with.
    """

    def __init__(self, proxy: str | None = None) -> None:
        """`proxy` is that to Telegram, if there is one."""
        self.polls = Polls(proxy=proxy)

    async def receive(
        self, application: "Application[Any, Any, Any, Any, Any, Any]", stop: asyncio.Event
    ) -> None:
        """Polls until `stop` is set, or until that has no future; see `Transport`."""
        updater = application.updater
        assert updater is not None  # noqa: S101, the builder makes one
        await updater.start_polling(
            bootstrap_retries=-1, allowed_updates=UPDATES, error_callback=self.polls.on_error
        )
        try:
            await any_of(stop, self.polls.hopeless)
        finally:
            # It would sleep through its own back-off, up to half a minute.
            with contextlib.suppress(TimeoutError, TelegramError):
                await asyncio.wait_for(updater.stop(), _STOP_SECONDS)
        if self.polls.hopeless.is_set():
            raise StartError(self.polls.sentence)

    def check(self) -> NotReady | None:
        """Why updates do not come in just now; see `Transport`."""
        if self.polls.in_conflict:
            return NotReady.POLLING_CONFLICT
        return None if is_recent(self.polls.last_success) else NotReady.TELEGRAM_SILENT
