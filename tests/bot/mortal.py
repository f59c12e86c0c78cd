"""A bot's process in the test's own, which a test may kill between any two of its calls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from telegram import Bot

from bot.clients.dbservice import DatabaseClient
from bot.clients.generator import GeneratorClient
from bot.messenger import Messenger
from bot.pace import EditPace
from bot.services import Services
from bot.tick import Tick
from bot.work.incarnation import Incarnation
from bot.work.item import WorkItem
from bot.work.leasing import Leasing
from bot.work.memory import Memories
from tests.bot.desk import BOT, Desk

FOREVER = 10**9


class Killed(BaseException):
    """The process is dead."""


class Life:
    """So many calls to dbservice and Telegram are performed; of the last one nobody hears."""

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.over = asyncio.Event()

    async def spend(self, call: Callable[..., Awaitable[Any]], *args: Any, **named: Any) -> Any:
        """Makes a call, if there is life enough."""
        self._check()
        try:
            return await call(*args, **named)
        finally:
            self.left -= 1
            self._check()

    def _check(self) -> None:
        if self.left <= 0:
            self.over.set()
            raise Killed


class _Mortal:
    """Makes the coroutines of another object part of a life."""

    def __init__(self, whole: object, life: Life, *mortal: str) -> None:
        self._whole = whole
        self._life = life
        self._mortal = mortal

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._whole, name)
        if name not in self._mortal:
            return found

        async def call(*args: Any, **named: Any) -> Any:
            return await self._life.spend(found, *args, **named)

        return call


class Process:
    """A process that has just started."""

    def __init__(self, desk: Desk, calls: int = FOREVER) -> None:
        self.life = Life(calls)
        writes = (
            "advance_generation",
            "store_photo",
            "finalize_generation",
            "close_generation",
            "list_forgettings",
            "list_uploads",
            "forget_user",
            "end_forgetting",
            "get_broadcast",
            "advance_broadcast",
            "close_broadcast",
            "list_exports",
            "read_export",
            "advance_export",
            "end_export",
        )
        database = cast("DatabaseClient", _Mortal(desk.database, self.life, *writes))
        posts = (
            "send_message",
            "send_photo",
            "send_media_group",
            "copy_message",
            "delete_message",
            "edit_message_text",
            "edit_message_media",
            "edit_message_caption",
        )
        deletions = ("delete", "delete_image")
        generator = cast("GeneratorClient", _Mortal(desk.services.generator, self.life, *deletions))
        bot = cast("Bot", _Mortal(desk.services.messenger._bot, self.life, *posts))
        self.services: Services = replace(
            desk.services,
            database=database,
            generator=generator,
            messenger=Messenger(bot, EditPace()),
            memories=Memories(),
        )
        incarnation = Incarnation(database, BOT)
        self._leasing = Leasing(database, self.services.memories, BOT, incarnation)

    async def lease(self, generation_id: str) -> WorkItem:
        """A generation as a tick gets it."""
        (item,) = [item for item in await self._leasing.lease({}) if item.id == generation_id]
        return item

    @asynccontextmanager
    async def ticking(self) -> AsyncIterator[Tick]:
        """Its tick; in the end the process dies without a word."""
        tick = Tick(self.services, self._leasing)
        try:
            yield tick
        finally:
            tasks = [*tick._tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
