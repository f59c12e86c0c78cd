"""Updates by a webhook: Telegram posts each to our HTTP front, and again until that says 200.

Its Bot API server posts what is of one chat, or of one user's button presses or queries, one after
the other, and of different ones so many at once. It comes back after the seconds of our
`Retry-After`, which does not make its own pauses grow.
"""

import asyncio
import contextlib
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from bot.readiness import NotReady, Stuck, is_recent
from bot.transports.base import UPDATES, Door, Json, NotNow
from bot.transports.calling import Attempts, Caller, Failed
from bot.transports.numbers import find_number, is_numbered

MOST_AT_ONCE: Final = 40
"""Posts that Telegram has open, as many as it takes for the default. The door lets in one at a
time, at some milliseconds each."""

TAKE_SECONDS: Final = 6.0
"""How long taking an update may last, with the wait for its turn: more than one deadline of
dbservice's, and well within the 10 s after which Telegram is told to send it again."""

_MOST_TAKEN = 10_000  # ids that are known to have been taken
_LOOK_SECONDS = 30.0
_AGAIN_SECONDS = 10.0  # what was refused has come again by then, and been refused again
_STOP_SECONDS = 2.0
_MOST_CHARACTERS = 200  # of what Telegram says

_log = logging.getLogger(__name__)


class WebhookTransport:
    """A webhook; see `Transport`. Its HTTP route brings what is posted to `take`."""

    def __init__(
        self,
        bot_url: str,
        url: str,
        secret: str,
        is_newest: Callable[[], Awaitable[bool | None]],
        may_take: Callable[[], Awaitable[bool]],
        proxy: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes nothing yet.

        Args:
            bot_url: the Bot API's address with the token.
            url: where Telegram posts.
            secret: what it shows there.
            is_newest: see `Attempts`.
            may_take: whether no newer process of ours gets the updates, as far as anybody knows;
                asked before each of them.
            proxy: that to Telegram, if there is one.
            clock: gives seconds.
        """
        self._url = url
        self._secret = secret
        self._may_take = may_take
        self._clock = clock
        self._telegram = Caller(bot_url, proxy, clock)
        self._attempts = Attempts(is_newest, clock)
        self._door: Door | None = None
        self._turn = asyncio.Lock()
        self._taken: dict[int, None] = {}
        self._is_set = False
        self._refusal = ""
        self._refused_since: float | None = None
        self._news = asyncio.Event()
        self._last_answer = -math.inf
        self._last_post = -math.inf
        self._undeliverable = ""
        self._has_looked = False
        self._old_error: object = None

    async def receive(self, door: Door, stop: asyncio.Event) -> None:
        """Has Telegram post until `stop` is set; the webhook stays, see `Transport`."""

        async def attempt() -> None:
            await self._attempts.begin()
            self._door = door
            await self._keep_up()

        try:
            async with self._telegram.connected():
                await self._attempts.run(attempt, self._telegram.explain, stop)
        finally:
            self._door = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS), self._turn:
                    pass  # what was being taken is

    async def take(self, data: bytes) -> bool:
        """Takes a body that was posted, which may be cut off.

        Returns:
            Whether Telegram may be told that we have it; else it is to send it again.
        """
        self._last_post = self._clock()
        self._undeliverable = ""
        try:
            async with asyncio.timeout(TAKE_SECONDS), self._turn:
                await self._put(data)
        except TimeoutError:
            self._has_refused(f"none within {TAKE_SECONDS:g} s")
        except NotNow as error:
            self._has_refused(str(error))
        else:
            self._refused_since = None
            if self._refusal:
                self._refusal = ""
                self._news.set()
            return True
        return False

    def check(self) -> str | None:
        """Why updates do not come in just now; see `Transport`."""
        if not is_recent(self._last_answer):
            return NotReady.TELEGRAM_SILENT
        if self._refused_since is not None and not is_recent(self._refused_since):
            return NotReady.UPDATES_STUCK
        return self._undeliverable or None

    def check_progress(self) -> Stuck | None:
        """Whether it is stuck; see `Transport`."""
        return Stuck.UPDATES if self._attempts.are_stuck else None

    async def _put(self, data: bytes) -> None:
        """Brings an update to the door, unless it has been there.

        Raises:
            NotNow: it has to come again.
        """
        if self._door is None or not await self._may_take():
            raise NotNow("this process does not take any just now")
        update, reason = _read(data)
        if update is not None:
            update_id: int | None = update["update_id"]
        else:
            update_id = find_number(data)
        if update_id in self._taken:
            return  # our 200 was lost on its way
        if update is not None:
            await self._door.put(update)
        else:
            await self._door.pass_over(update_id, data, reason)
        if update_id is not None:
            self._taken[update_id] = None
            if len(self._taken) > _MOST_TAKEN:
                del self._taken[next(iter(self._taken))]

    def _has_refused(self, reason: str) -> None:
        if self._refused_since is None:
            self._refused_since = self._clock()
        if not self._refusal:
            self._attempts.get_on()  # so far; whether it goes on like this is to be seen
        self._refusal = reason
        self._news.set()

    async def _keep_up(self) -> None:
        """Looks at the webhook, sets it if need be, and waits until there is more to do.

        Raises:
            NotNow: an update was refused.
            Failed: Telegram does not do it, or cannot deliver.
            Superseded: a newer process of ours has set another one.
        """
        if not self._is_set:
            await self._set()
        await self._look()
        if not self._refusal:
            self._attempts.get_on(_LOOK_SECONDS)
        try:
            async with asyncio.timeout(_AGAIN_SECONDS if self._refusal else _LOOK_SECONDS):
                await self._news.wait()
        except TimeoutError:
            self._refusal = ""  # what was refused has not come again
        self._news.clear()
        if self._refusal:
            raise NotNow(self._refusal)

    async def _set(self) -> None:
        try:
            await self._telegram.call(
                "setWebhook",
                url=self._url,
                secret_token=self._secret,
                max_connections=MOST_AT_ONCE,
                allowed_updates=UPDATES,
            )
        except Failed as error:
            if error.status == HTTPStatus.BAD_REQUEST:  # the address does not suit it
                self._last_answer = self._clock()
                self._undeliverable = f"{NotReady.UNDELIVERABLE}: {error}"
            raise
        self._is_set = True
        self._undeliverable = ""
        self._last_post = self._clock()  # none can be missing yet
        _log.info("Updates come in by the webhook %s.", self._url)

    async def _look(self) -> None:
        """Looks whether the webhook is ours, and whether Telegram gets through to it."""
        info = _result(await self._telegram.call("getWebhookInfo"))
        self._last_answer = self._clock()
        if (there := str(info.get("url") or "")) != self._url:
            await self._attempts.ask_if_newest()  # or it may be a newer process that has set it
            place = f"set another one, at {urlsplit(there).hostname}" if there else "removed it"
            _log.warning("The webhook is set again: another program has %s.", place)
            await self._set()
            return
        waiting, said = info.get("pending_update_count"), info.get("last_error_message")
        error = info.get("last_error_date")  # by Telegram's clock, so it tells errors apart
        if not self._has_looked:
            self._old_error, self._has_looked = error, True
        if not waiting:
            self._refused_since = None
        is_silent = self._clock() - self._last_post >= _LOOK_SECONDS
        if waiting and said and error != self._old_error and is_silent:
            self._undeliverable = f"{NotReady.UNDELIVERABLE}: {_in_a_line(str(said))}"
            raise Failed(self._undeliverable)
        if not waiting:
            self._undeliverable = ""


def _read(data: bytes) -> tuple[Json | None, str]:
    """The update of a body; None with the reason, if nobody can decode it."""
    try:
        update = json.loads(data)
    except (ValueError, RecursionError) as error:
        return None, type(error).__name__
    return (update, "") if is_numbered(update) else (None, "it has no number")


def _result(body: bytes) -> Json:
    """The object that a method gives.

    Raises:
        Failed: the answer is none of the Bot API's.
    """
    try:
        result = json.loads(body)["result"]
    except (ValueError, TypeError, KeyError, RecursionError):
        result = None
    if not isinstance(result, dict):
        raise Failed("Telegram answers what nobody can decode")
    return result


def _in_a_line(text: str) -> str:
    return " ".join(text.split())[:_MOST_CHARACTERS]
