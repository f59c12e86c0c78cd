"""Updates by long polling, and what that shows of Telegram: a second poller, a revoked token.

The loop is our own: python-telegram-bot's gets its updates decoded, all or none, and confirms them
together.
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

from bot.readiness import NotReady, Stuck, is_recent
from bot.transports.base import UPDATES, Door, Json, NotNow
from bot.transports.calling import Attempts, Caller, Failed
from bot.transports.numbers import find_number, is_numbered
from lookalike.errors import StartError

_MOST_UPDATES: Final = 100  # in one answer, as many as Telegram gives
_LONG_POLL_SECONDS = 10
_STOP_SECONDS = 2.0
_CONFLICT_SECONDS = 60.0

_log = logging.getLogger(__name__)


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
            is_newest: see `Attempts`.
            proxy: that to Telegram, if there is one.
            clock: gives seconds.
        """
        self._clock = clock
        self._telegram = Caller(bot_url, proxy, clock)
        self._attempts = Attempts(is_newest, clock)
        self._offset = 0
        self._limit = _MOST_UPDATES
        self._has_webhook = True
        self._first_conflict: float | None = None
        self._last_conflict = 0.0
        self.last_answer = -math.inf
        self.last_progress = -math.inf

    async def receive(self, door: Door, stop: asyncio.Event) -> None:
        """Polls until `stop` is set, or until that has no future; see `Transport`."""
        self.last_progress = self._clock()

        async def poll() -> None:
            await self._poll(door)

        async with self._telegram.connected():
            if await self._attempts.run(poll, self._explain, stop):
                with contextlib.suppress(Failed, TimeoutError):
                    async with asyncio.timeout(_STOP_SECONDS):
                        await self._get_updates(limit=1, seconds=0)  # confirms the last ones

    def check(self) -> str | None:
        """Why updates do not come in just now; see `Transport`."""
        if self._in_conflict:
            return NotReady.POLLING_CONFLICT
        if not is_recent(self.last_answer):
            return NotReady.TELEGRAM_SILENT
        return None if is_recent(self.last_progress) else NotReady.UPDATES_STUCK

    def check_progress(self) -> Stuck | None:
        """Whether polling is stuck; see `Transport`."""
        return Stuck.UPDATES if self._attempts.are_stuck else None

    @property
    def _in_conflict(self) -> bool:
        """Whether another poller was there within the last minute."""
        return (
            self._first_conflict is not None
            and self._clock() - self._last_conflict < _CONFLICT_SECONDS
        )

    async def _poll(self, door: Door) -> None:
        """One request, and what it brings; each update that is taken counts at once."""
        await self._attempts.begin()
        if self._has_webhook:
            await self._telegram.call("deleteWebhook")
            self._has_webhook = False
            self._attempts.get_on()
            _log.info("Updates come in by polling.")
        body = await self._get_updates(self._limit, _LONG_POLL_SECONDS)
        self.last_answer = self._clock()
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

    async def _get_updates(self, limit: int, seconds: int) -> bytes:
        return await self._telegram.call(
            "getUpdates",
            seconds,
            offset=self._offset,
            limit=limit,
            timeout=seconds,
            allowed_updates=UPDATES,
        )

    async def _pass_over(self, door: Door, body: bytes, reason: str) -> None:
        """Passes over the one update of an answer that is no JSON, or more than anybody reads."""
        update_id = find_number(body)
        if update_id is None:
            raise NotNow(f"it has no number ({reason})")
        await door.pass_over(update_id, body, reason)
        self._has_taken(update_id)
        self._limit = _MOST_UPDATES

    def _has_taken(self, update_id: int) -> None:
        self._offset = update_id + 1
        self._has_got_on()

    def _has_got_on(self) -> None:
        self.last_progress = self._clock()
        self._attempts.get_on()

    async def _explain(self, error: Failed) -> str:
        """What has gone wrong, for the log.

        Raises:
            StartError: polling has no future.
        """
        if error.status == HTTPStatus.CONFLICT:
            self._note_conflict(known=await self._attempts.ask_if_newest())
            return f"{NotReady.POLLING_CONFLICT}; giving up if that goes on for a minute"
        return await self._telegram.explain(error)

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


def _read(body: bytes) -> list[Json]:
    """The updates of an answer.

    Raises:
        ValueError: it is not what getUpdates answers.
        RecursionError: it is nested too deeply.
    """
    answer = json.loads(body)
    updates = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(updates, list) or not all(is_numbered(update) for update in updates):
        raise ValueError(type(updates).__name__)
    return updates
