"""Updates by long polling, and what that shows of Telegram: a second poller, a revoked token.

The loop is our own: python-telegram-bot's gets its updates decoded, all or none, and confirms them
together.
"""

import asyncio
import contextlib
import json
import logging
import math
import re
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import httpx

from bot.readiness import STUCK_SECONDS, NotReady, Stuck, is_recent
from bot.transports.base import UPDATES, Door, Json, NotNow
from lookalike.errors import StartError

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of one answer; what is longer is cut off, and so cannot be decoded."""

REVOKED_SECONDS: Final = 60.0
"""How long Telegram has to refuse our token before we believe it."""

_MOST_UPDATES = 100  # in one answer, as many as Telegram gives
_MOST_UPDATE_ID = 2**63
_LONG_POLL_SECONDS = 10
_ANSWER_SECONDS = 5.0  # Telegram's, when it has something to say
_WHOLE_SECONDS = 15.0  # and all of its answer
_STOP_SECONDS = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_CONFLICT_SECONDS = 60.0
_UPDATE_ID = re.compile(rb'"update_id"\s*:\s*(\d{1,18})\b')

_log = logging.getLogger(__name__)


class _Failed(Exception):
    """A request came to nothing.

    Attributes:
        status: what Telegram answered; 0: nothing.
        retry_after: seconds that it asked to wait.
    """

    def __init__(self, message: str, status: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class _Superseded(Exception):
    """A newer process of ours polls."""


class PollingTransport:
    """Long polling; see `Transport`.

    Attributes:
        last_answer: when Telegram last answered a poll, by the monotonic clock.
        last_progress: when an update was last taken, or there was none to take.
    """

    def __init__(
        self,
        bot_url: str,
        is_newest: Callable[[], Awaitable[bool | None]],
        proxy: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Polls nothing yet.

        Args:
            bot_url: the Bot API's address with the token.
            is_newest: says whether we are the newest process of ours that polls for this bot, and
                makes us so the first time; None: nobody can say.
            proxy: that to Telegram, if there is one.
            clock: gives seconds.
        """
        self._url = bot_url
        self._is_newest = is_newest
        self._has_begun = False
        self._proxy = proxy
        self._clock = clock
        self._offset = 0
        self._limit = _MOST_UPDATES
        self._has_webhook = True
        self._problem = ""
        self._first_conflict: float | None = None
        self._last_conflict = 0.0
        self._refused_since: float | None = None
        self._stuck_after = math.inf
        self.last_answer = -math.inf
        self.last_progress = -math.inf

    async def receive(self, door: Door, stop: asyncio.Event) -> None:
        """Polls until `stop` is set, or until that has no future; see `Transport`."""
        self.last_progress = self._clock()
        self._gets_on()
        async with httpx.AsyncClient(proxy=self._proxy, trust_env=False) as http:
            polling = asyncio.create_task(self._poll_for_ever(http, door))
            stopping = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait({polling, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if polling.done():
                    polling.result()  # raises: it has no other end
            except _Superseded:
                return
            finally:
                for task in (polling, stopping):
                    task.cancel()
                await asyncio.gather(polling, stopping, return_exceptions=True)
            with contextlib.suppress(_Failed, TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._get_updates(http, limit=1, seconds=0)  # confirms the last ones

    def check(self) -> NotReady | None:
        """Why updates do not come in just now; see `Transport`."""
        if self._in_conflict:
            return NotReady.POLLING_CONFLICT
        if not is_recent(self.last_answer):
            return NotReady.TELEGRAM_SILENT
        return None if is_recent(self.last_progress) else NotReady.UPDATES_STUCK

    def check_progress(self) -> Stuck | None:
        """Whether polling is stuck; see `Transport`."""
        return Stuck.POLL if self._clock() > self._stuck_after else None

    def _gets_on(self, seconds: float = 0.0) -> None:
        """Polling makes progress, or could not, for a reason that is none of ours.

        Args:
            seconds: how long none is to be expected.
        """
        self._stuck_after = self._clock() + seconds + STUCK_SECONDS

    @property
    def _in_conflict(self) -> bool:
        """Whether another poller was there within the last minute."""
        return (
            self._first_conflict is not None
            and self._clock() - self._last_conflict < _CONFLICT_SECONDS
        )

    async def _poll_for_ever(self, http: httpx.AsyncClient, door: Door) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._poll(http, door)
            except NotNow as error:
                self._has_failed(f"an update cannot be taken: {error}")
                wait, could = pause, await self._ask_if_newest()  # so dbservice answers
            except _Failed as error:
                self._gets_on()
                self._has_failed(await self._look_into(http, error))
                wait, could = max(pause, error.retry_after), False
            else:
                if self._problem:
                    _log.info("Updates come in again.")
                self._problem, pause = "", _FIRST_PAUSE
                continue
            if not could:
                self._gets_on(wait)
            await asyncio.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _has_failed(self, problem: str) -> None:
        """Says what is wrong, once until it is over."""
        if problem != self._problem:
            _log.warning("Updates do not come in: %s", problem)
        self._problem = problem

    async def _poll(self, http: httpx.AsyncClient, door: Door) -> None:
        """One request, and what it brings; each update that is taken counts at once."""
        if not self._has_begun:
            if not await self._ask_if_newest():
                raise _Failed("dbservice does not say whether another process polls")
            self._has_begun = True
            self._gets_on()
        if self._has_webhook:
            await self._call(http, "deleteWebhook")
            self._has_webhook = False
            self._gets_on()
        body = await self._get_updates(http, self._limit, _LONG_POLL_SECONDS)
        self.last_answer = self._clock()
        self._refused_since = None
        try:
            updates = _read(body)
        except (ValueError, RecursionError) as error:
            if self._limit > 1:
                self._limit = 1  # so that the one which it is comes alone
            else:
                await self._pass_over(door, body, type(error).__name__)
            return
        for update in updates:
            await door.put(update)
            self._has_taken(update["update_id"])
        if not updates:
            self._limit = _MOST_UPDATES
            self._has_got_on()

    async def _get_updates(self, http: httpx.AsyncClient, limit: int, seconds: int) -> bytes:
        return await self._call(
            http,
            "getUpdates",
            seconds,
            offset=self._offset,
            limit=limit,
            timeout=seconds,
            allowed_updates=UPDATES,
        )

    async def _pass_over(self, door: Door, body: bytes, reason: str) -> None:
        """Passes over the one update of an answer that is no JSON, or more than anybody reads."""
        found = _UPDATE_ID.search(body)
        if found is None:
            raise NotNow(f"it has no number ({reason})")
        update_id = int(found.group(1))
        await door.pass_over(update_id, body, reason)
        self._has_taken(update_id)
        self._limit = _MOST_UPDATES

    def _has_taken(self, update_id: int) -> None:
        self._offset = update_id + 1
        self._has_got_on()

    def _has_got_on(self) -> None:
        self.last_progress = self._clock()
        self._gets_on()

    async def _look_into(self, http: httpx.AsyncClient, error: _Failed) -> str:
        """What has gone wrong, for the log.

        Raises:
            StartError: polling has no future.
        """
        if error.status == HTTPStatus.CONFLICT:
            self._note_conflict(known=await self._ask_if_newest())
            return f"{NotReady.POLLING_CONFLICT}; giving up if that goes on for a minute"
        if error.status == HTTPStatus.UNAUTHORIZED and await self._is_unknown(http):
            return "Telegram does not take our token; giving up if that goes on for a minute"
        return str(error)

    async def _ask_if_newest(self) -> bool:
        """Whether we are the newest process; False: nobody can say.

        Raises:
            _Superseded: we are not.
        """
        newest = await self._is_newest()
        if newest is False:
            raise _Superseded
        return bool(newest)

    def _note_conflict(self, *, known: bool) -> None:
        """Notes that somebody else polls: another program, if it is `known` to be none of ours."""
        # Two pollers throw each other out in turn, so polls succeed in between; a pause as long as
        # this means that the other one has gone.
        now = self._clock()
        if self._first_conflict is None or now - self._last_conflict > _CONFLICT_SECONDS:
            self._first_conflict = now
        self._last_conflict = now
        if not known:
            self._first_conflict = now  # it may be the other one that has to go
        if now - self._first_conflict >= _CONFLICT_SECONDS:
            raise StartError(
                "Another program polls Telegram with the same TELEGRAM_BOT_TOKEN; stop one of the "
                "two."
            )

    async def _is_unknown(self, http: httpx.AsyncClient) -> bool:
        """Whether getMe is refused, too; one refusal alone may be an accident of Telegram's."""
        try:
            await self._call(http, "getMe")
        except _Failed as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                return False
        else:
            self._refused_since = None
            return False
        now = self._clock()
        if self._refused_since is None:
            self._refused_since = now
        if now - self._refused_since >= REVOKED_SECONDS:
            raise StartError("Telegram no longer accepts TELEGRAM_BOT_TOKEN; was it revoked?")
        return True

    async def _call(
        self, http: httpx.AsyncClient, method: str, seconds: int = 0, **parameters: Any
    ) -> bytes:
        """Calls a method that may take some seconds; gives the answer's body, cut off if need be.

        Raises:
            _Failed: Telegram does not do it.
        """
        timeout = httpx.Timeout(_ANSWER_SECONDS, read=_ANSWER_SECONDS + seconds)
        url = f"{self._url}/{method}"
        try:
            async with (
                asyncio.timeout(_WHOLE_SECONDS + seconds),
                http.stream(
                    "POST",
                    url,
                    json=parameters,
                    timeout=timeout,
                    headers={"Accept-Encoding": "identity"},
                ) as response,
            ):
                body = await _body_of(response)
        except (httpx.HTTPError, OSError) as error:  # TimeoutError among them
            raise _Failed(f"Telegram does not answer: {type(error).__name__}") from error
        status = response.status_code
        if status == HTTPStatus.OK:
            return body
        raise _Failed(f"Telegram answers {status}", status, _retry_after(body))


async def _body_of(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_raw():  # as it came: unpacked it may be any size
        body += part
        if len(body) >= MOST_BYTES:
            break
    return bytes(body[:MOST_BYTES])


def _read(body: bytes) -> list[Json]:
    """The updates of an answer.

    Raises:
        ValueError: it is not what getUpdates answers.
        RecursionError: it is nested too deeply.
    """
    answer = json.loads(body)
    updates = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(updates, list) or not all(_is_numbered(update) for update in updates):
        raise ValueError(type(updates).__name__)
    return updates


def _is_numbered(update: object) -> bool:
    number = update.get("update_id") if isinstance(update, dict) else None
    return type(number) is int and 0 <= number < _MOST_UPDATE_ID


def _retry_after(body: bytes) -> float:
    try:
        return float(json.loads(body)["parameters"]["retry_after"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0.0
