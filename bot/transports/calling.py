"""The Bot API as transports call it: within bounds, and again and again while it fails."""

import asyncio
import contextlib
import json
import logging
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final, NoReturn

import httpx

from bot.readiness import STUCK_SECONDS
from bot.transports.base import NotNow
from lookalike.errors import StartError
from lookalike.waiting import unless

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of one answer; what is longer is cut off, and so cannot be decoded."""

REVOKED_SECONDS: Final = 60.0
"""How long Telegram has to refuse our token before we believe it."""

_ANSWER_SECONDS = 5.0  # Telegram's, when it has something to say
_WHOLE_SECONDS = 15.0  # and all of its answer
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_MOST_CHARACTERS = 200  # of what Telegram says

_log = logging.getLogger(__name__)


class Failed(Exception):
    """A request came to nothing.

    Attributes:
        status: what Telegram answered; 0: nothing.
        retry_after: seconds that it asked to wait.
    """

    def __init__(self, message: str, status: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class Superseded(Exception):
    """A newer process of ours gets the updates."""


class Caller:
    """Calls methods of the Bot API, and believes after a minute that the token is revoked."""

    def __init__(self, bot_url: str, proxy: str | None, clock: Callable[[], float]) -> None:
        """Calls nothing yet.

        Args:
            bot_url: the Bot API's address with the token.
            proxy: that to Telegram, if there is one.
            clock: gives seconds.
        """
        self._url = bot_url
        self._proxy = proxy
        self._clock = clock
        self._http: httpx.AsyncClient | None = None
        self._refused_since: float | None = None

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncGenerator[None, None]:
        """Calls can be made while the context lasts."""
        async with httpx.AsyncClient(proxy=self._proxy, trust_env=False) as self._http:
            yield

    async def call(self, method: str, seconds: int = 0, **parameters: Any) -> bytes:
        """Calls a method that may take some seconds; gives the answer's body, cut off if need be.

        Raises:
            Failed: Telegram does not do it.
        """
        assert self._http is not None  # noqa: S101, it is connected
        timeout = httpx.Timeout(_ANSWER_SECONDS, read=_ANSWER_SECONDS + seconds)
        try:
            async with (
                asyncio.timeout(_WHOLE_SECONDS + seconds),
                self._http.stream(
                    "POST",
                    f"{self._url}/{method}",
                    json=parameters,
                    timeout=timeout,
                    headers={"Accept-Encoding": "identity"},
                ) as response,
            ):
                body = await _body_of(response)
        except (httpx.HTTPError, OSError) as error:  # TimeoutError among them
            raise Failed(f"Telegram does not answer: {type(error).__name__}") from error
        if response.status_code != HTTPStatus.OK:
            raise _failed(response.status_code, body)
        self._refused_since = None
        return body

    async def explain(self, error: Failed) -> str:
        """What has gone wrong, for the log.

        Raises:
            StartError: the token is revoked.
        """
        if error.status == HTTPStatus.UNAUTHORIZED and await self._is_unknown():
            return "Telegram does not take our token; giving up if that goes on for a minute"
        return str(error)

    async def _is_unknown(self) -> bool:
        """Whether getMe is refused, too; one refusal alone may be an accident of Telegram's."""
        try:
            await self.call("getMe")
        except Failed as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                return False
        else:
            return False
        now = self._clock()
        if self._refused_since is None:
            self._refused_since = now
        if now - self._refused_since >= REVOKED_SECONDS:
            raise StartError("Telegram no longer accepts TELEGRAM_BOT_TOKEN; was it revoked?")
        return True


class Attempts:
    """What a transport does again and again, with pauses that grow while it comes to nothing."""

    def __init__(
        self,
        is_newest: Callable[[], Awaitable[bool | None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Attempts nothing yet.

        Args:
            is_newest: says whether we are the newest process of ours that gets this bot's updates,
                and makes us so the first time; None: nobody can say.
            clock: gives seconds.
        """
        self._is_newest = is_newest
        self._clock = clock
        self._has_begun = False
        self._problem = ""
        self._stuck_after = math.inf

    async def run(
        self,
        attempt: Callable[[], Awaitable[None]],
        explain: Callable[[Failed], Awaitable[str]],
        stop: asyncio.Event,
    ) -> bool:
        """Attempts until `stop` is set.

        Args:
            attempt: raises NotNow where an update cannot be taken, and Failed.
            explain: says what has gone wrong.
            stop: ends it.

        Returns:
            Whether it was; else a newer process of ours gets the updates.

        Raises:
            StartError: there is no point in going on.
        """
        self.get_on()
        try:
            await unless(stop, self._go_on(attempt, explain))
        except Superseded:
            return False
        return True

    async def begin(self) -> None:
        """Makes us the newest process the first time.

        Raises:
            Failed: nobody can say whether we are.
        """
        if not self._has_begun:
            if not await self.ask_if_newest():
                raise Failed("dbservice does not say whether another process gets them")
            self._has_begun = True
            self.get_on()

    async def ask_if_newest(self) -> bool:
        """Whether we are the newest process; False: nobody can say.

        Raises:
            Superseded: we are not.
        """
        newest = await self._is_newest()
        if newest is False:
            raise Superseded
        return bool(newest)

    def get_on(self, seconds: float = 0.0) -> None:
        """There is progress, or there could not be any, for a reason that is none of ours.

        Args:
            seconds: how long none is to be expected.
        """
        self._stuck_after = self._clock() + seconds + STUCK_SECONDS

    @property
    def are_stuck(self) -> bool:
        """Whether there could be progress, and is none."""
        return self._clock() > self._stuck_after

    async def _go_on(
        self, attempt: Callable[[], Awaitable[None]], explain: Callable[[Failed], Awaitable[str]]
    ) -> NoReturn:
        pause = _FIRST_PAUSE
        while True:
            try:
                await attempt()
            except NotNow as error:
                self._has_failed(f"an update cannot be taken: {error}")
                wait, could = pause, await self.ask_if_newest()  # so dbservice answers
            except Failed as error:
                self.get_on()
                self._has_failed(await explain(error))
                wait, could = max(pause, error.retry_after), False
            else:
                if self._problem:
                    _log.info("Updates come in again.")
                self._problem, pause = "", _FIRST_PAUSE
                continue
            if not could:
                self.get_on(wait)
            await asyncio.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _has_failed(self, problem: str) -> None:
        """Says what is wrong, once until it is over."""
        if problem != self._problem:
            _log.warning("Updates do not come in: %s", problem)
        self._problem = problem


async def _body_of(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_raw():  # as it came: unpacked it may be any size
        body += part
        if len(body) >= MOST_BYTES:
            break
    return bytes(body[:MOST_BYTES])


def _failed(status: int, body: bytes) -> Failed:
    """What Telegram says of a call that it does not perform."""
    try:
        answer = json.loads(body)
        said = " ".join(str(answer["description"]).split())[:_MOST_CHARACTERS]
    except (ValueError, TypeError, KeyError, RecursionError):
        return Failed(f"Telegram answers {status}", status)
    try:
        retry_after = float(answer["parameters"]["retry_after"])
    except (ValueError, TypeError, KeyError):
        retry_after = 0.0
    return Failed(f"Telegram answers {status}: {said}", status, retry_after)
