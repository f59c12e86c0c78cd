"""Tells those who run the bot when a service is in trouble, and when it is well again.

How a service is, is what `bot.health` last saw of it. What passes in a minute is not worth a note,
and of one service there is one in an hour.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bot import texts
from bot.clients.errors import DatabaseError
from bot.health import ServiceHealth
from bot.refusals import CannotDeliver, Moved, TelegramUnavailable
from bot.services import Services
from bot.texts.texts import Texts

_BLIP_SECONDS = 60.0
_BLIP_FAILURES = 3
_NOTE_SECONDS = 3600.0
_LEARN_SECONDS = 60.0
_LEARN_AGAIN_SECONDS = 3600.0
_MOST_WAITING = 100  # notes

_log = logging.getLogger(__name__)


@dataclass
class _Seen:
    """A service.

    Attributes:
        health: how it is.
        since: when it was first seen in trouble; None: it is not.
        is_told: whether they know that it is.
        told_at: when they were last told of trouble.
    """

    health: ServiceHealth
    since: float | None = None
    is_told: bool = False
    told_at: float = -math.inf


@dataclass(frozen=True)
class _Note:
    user_id: int
    text: Callable[[Texts], str]


_Menu: TypeAlias = tuple[Texts, bool]
"""A menu's texts, and whether its reader is known to have opened the chat."""


class Troubles:
    """Looks at the services, each time it is run."""

    def __init__(
        self,
        services: Services,
        database_health: ServiceHealth,
        bot_id: int,
        set_menu: Callable[[int, Texts], Awaitable[bool]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Everything is well.

        Args:
            services: what is looked at, and told.
            database_health: how dbservice is.
            bot_id: the bot's id.
            set_menu: shows somebody who runs the bot their menu; whether it did.
            clock: gives seconds.
        """
        self._services = services
        self._bot_id = bot_id
        self._set_menu = set_menu
        self._clock = clock
        self._seen: Mapping[str, _Seen] = {
            "dbservice": _Seen(database_health),
            "captioner": _Seen(services.captioner_health),
            "generator": _Seen(services.generator_health),
        }
        self._waiting: deque[_Note] = deque(maxlen=_MOST_WAITING)
        self._unreachable: set[int] = set()
        self._menus: dict[int, _Menu] = {}
        self._failed: dict[int, _Menu] = {}
        self._next_menus = self._next_lesson = self._held_until = -math.inf

    async def run(self) -> None:
        """Looks once, and tells what there is to tell."""
        await self._learn()
        await self._show_menus()
        for name, seen in self._seen.items():
            await self._look(name, seen)
        await self._tell()

    async def _learn(self) -> None:
        now = self._clock()
        if now < self._next_lesson:
            return
        self._next_lesson = now + _LEARN_SECONDS
        try:
            await self._services.admins.learn(self._services.database, self._bot_id)
        except DatabaseError as error:
            _log.debug("Who runs the bot cannot be found out: %s", error)
        else:
            self._next_lesson = now + _LEARN_AGAIN_SECONDS

    async def _show_menus(self) -> None:
        """Menus in the languages of those who run the bot, as soon as they have opened a chat."""
        admins, now = self._services.admins, self._clock()
        again, self._next_menus = now >= self._next_menus, max(now, self._next_menus)
        for user, code in admins.languages.items():
            wanted = texts.of(code), user in admins.seen
            if self._menus.get(user) == wanted or (self._failed.get(user) == wanted and not again):
                continue
            tried = self._menus if await self._set_menu(user, wanted[0]) else self._failed
            tried[user] = wanted
            self._next_menus = now + _LEARN_SECONDS

    async def _look(self, name: str, seen: _Seen) -> None:
        now, health = self._clock(), seen.health
        if not health.in_trouble:
            if seen.is_told:
                self._note(lambda said: said.trouble.well(name))
            seen.since, seen.is_told = None, False
            return
        seen.since = now if seen.since is None else seen.since
        lasts = now - seen.since >= _BLIP_SECONDS and health.failures >= _BLIP_FAILURES
        if lasts and not seen.is_told and now - seen.told_at >= _NOTE_SECONDS:
            seen.is_told, seen.told_at = await self._is_first(name), now
            if seen.is_told:
                code = f"{name}-{health.code}"
                self._note(lambda said: said.trouble.trouble(code))

    async def _is_first(self, name: str) -> bool:
        """Whether no other process has told of it; while dbservice is away, each tells."""
        try:
            return await self._services.claim(f"trouble:{name}", int(_NOTE_SECONDS))
        except DatabaseError:
            return True

    def _note(self, text: Callable[[Texts], str]) -> None:
        self._waiting += [_Note(user, text) for user in self._services.admins.languages]

    async def _tell(self) -> None:
        """Sends what waits, in its order."""
        while self._waiting and self._clock() >= self._held_until:
            note = self._waiting[0]
            said = texts.of(self._services.admins.languages.get(note.user_id))
            try:
                await self._services.messenger.reply(note.user_id, None, note.text(said))
            except TelegramUnavailable as error:
                if error.not_done:
                    self._held_until = self._clock() + (error.retry_after or 1.0)
                    return
                _log.info("Whether %d was told of trouble is not known.", note.user_id)
            except (CannotDeliver, Moved) as error:
                if note.user_id not in self._unreachable:
                    _log.warning(
                        "%d runs the bot and cannot be told of trouble, as they have not opened a "
                        "chat with it or have blocked it: %s",
                        note.user_id,
                        error,
                    )
                self._unreachable.add(note.user_id)
            self._waiting.popleft()
