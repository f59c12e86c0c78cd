"""The order in which the bot's calls go to Telegram, and at which rate.

Telegram takes about 30 messages a second of a bot and 20 a minute in a group (core.telegram.org,
Bots FAQ). What waits for that is one queue: pictures first, then texts, edits and reactions, and
news that nobody waits for; and within these chats take turns, so that one chat's hundreds keep
nobody else waiting.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from enum import IntEnum
from typing import Any, Final

from aiolimiter import AsyncLimiter
from telegram.error import NetworkError
from telegram.ext import BaseRateLimiter

_PER_SECOND = 30
_GROUP_PER_MINUTE = 20
_MOST_GROUPS = 512  # whose rate is remembered before those at rest are forgotten
_LOOK_AGAIN_SECONDS = 0.1


class NotSent(NetworkError):
    """A call that certainly did not reach Telegram."""


class _Priority(IntEnum):
    """What goes first."""

    PICTURE = 0
    TEXT = 1
    EDIT = 2
    NEWS = 3


_OF_ENDPOINTS: Final = {"sendPhoto": _Priority.PICTURE, "copyMessage": _Priority.NEWS}


def _priority(endpoint: str) -> _Priority:
    if endpoint.startswith("edit") or endpoint == "setMessageReaction":
        return _Priority.EDIT
    return _OF_ENDPOINTS.get(endpoint, _Priority.TEXT)


def _overall(bots: int) -> AsyncLimiter:
    """The rate of each of so many processes; it lets one at a time go at least."""
    at_once = max(1.0, _PER_SECOND / bots)
    return AsyncLimiter(at_once, at_once * bots / _PER_SECOND)


class FairRateLimiter(BaseRateLimiter[None]):
    """Lets calls that concern a chat go at Telegram's rate, chats in turns."""

    def __init__(
        self, may_send: Callable[[], Awaitable[bool]], bots: Callable[[], int] = lambda: 1
    ) -> None:
        """Nothing waits yet.

        Args:
            may_send: is asked right before anything goes.
            bots: how many processes share the rate. A group's is its chat's process's alone.
        """
        self._may_send = may_send
        self._bots = bots
        self._sharing = bots()
        self._overall = _overall(self._sharing)
        self._groups: dict[int | str, AsyncLimiter] = {}
        self._waiting: dict[_Priority, dict[int | str, deque[asyncio.Future[None]]]] = {
            priority: {} for priority in _Priority
        }
        self._stopping = False
        self._release: asyncio.Task[None] | None = None

    async def initialize(self) -> None:
        """Needs nothing."""

    async def shutdown(self) -> None:
        """Needs nothing: whoever waits has been cancelled."""

    def stop(self) -> None:
        """Refuses all that waits or comes but pictures: hundreds of answers would delay the end."""
        self._stopping = True
        for chats in self._waiting.values():
            for turn in itertools.chain.from_iterable(chats.values()):
                if not turn.done():
                    turn.set_exception(NotSent("The bot is stopping"))
            chats.clear()

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: None,
    ) -> Any:
        """Makes a call when its turn has come; one that concerns no chat, at once."""
        del rate_limit_args
        chat_id, priority = data.get("chat_id"), _priority(endpoint)
        if chat_id is not None:
            if self._stopping and priority is not _Priority.PICTURE:
                raise NotSent("The bot is stopping")
            await self._turn(priority, chat_id)
            if not await self._may_send():
                raise NotSent("Another process sends now")
        return await callback(*args, **kwargs)

    async def _turn(self, priority: _Priority, chat_id: int | str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting[priority].setdefault(chat_id, deque()).append(turn)
        if self._release is None or self._release.done():
            self._release = asyncio.create_task(self._release_all())
        await turn

    async def _release_all(self) -> None:
        """Lets one after the other go until nothing waits."""
        while any(self._waiting.values()):
            await self._share().acquire()
            while not await self._release_next() and any(self._waiting.values()):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)  # only groups wait, which have had theirs

    def _share(self) -> AsyncLimiter:
        """What lets our part of the overall rate go."""
        if (bots := self._bots()) != self._sharing:
            self._sharing, self._overall = bots, _overall(bots)
        return self._overall

    async def _release_next(self) -> bool:
        """Lets the one go whose turn it is; False if all that wait are over their group's rate."""
        for chats in self._waiting.values():
            for chat_id in tuple(chats):
                turns = chats.pop(chat_id)
                while turns and turns[0].done():  # whoever waited has been cancelled
                    turns.popleft()
                if not turns:
                    continue
                if not await self._take(chat_id):
                    chats[chat_id] = turns
                    continue
                turns.popleft().set_result(None)
                if turns:
                    chats[chat_id] = turns  # at the end: the others are next
                return True
        return False

    async def _take(self, chat_id: int | str) -> bool:
        """Whether a group's rate allows one more now; if so, it counts."""
        if isinstance(chat_id, int) and chat_id > 0:
            return True
        if len(self._groups) >= _MOST_GROUPS:
            self._groups = {
                other: limiter
                for other, limiter in self._groups.items()
                if not limiter.has_capacity(limiter.max_rate)
            }
        limiter = self._groups.setdefault(chat_id, AsyncLimiter(_GROUP_PER_MINUTE, 60))
        if not limiter.has_capacity():
            return False
        await limiter.acquire()  # at once
        return True
