"""Carries out a broadcast, beside the tick, however often that is interrupted.

Who is next is noted before anything is sent to them, and what came of it is recorded after: see
docs/decisions/0066-broadcasts.md. A process that has just begun and finds somebody noted does not
know whether they got it, and looks.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import Enum, auto
from typing import Final

from telegram import Message

from bot import keyboards, texts
from bot.clients.errors import DatabaseError, DatabaseUnavailable
from bot.messages import data_of
from bot.probing import find, newest_id
from bot.refusals import (
    CannotDeliver,
    Moved,
    NotTaken,
    SourceGone,
    TelegramUnavailable,
    WrongFile,
)
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db

_PER_SECOND: Final = 25.0
_AT_ONCE: Final = 10
"""In flight; as many are looked for once a process has died."""

_LOOK_AGAIN_SECONDS: Final = 1.0
_LONGEST_REST: Final = 60.0  # where Telegram does not say for how long

_log = logging.getLogger(__name__)


class _Came(Enum):
    """What came of sending it to somebody."""

    SENT = auto()
    BLOCKED = auto()
    FAILED = auto()
    UNSENT = auto()
    GONE = auto()
    UNKNOWN = auto()


_Outcomes = Mapping[int, _Came]
"""By the user."""


class Broadcasting:
    """Sends what is to be sent, as far as it gets; `bot.beside` begins it."""

    def __init__(
        self,
        services: Services,
        bot_id: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`clock` gives seconds, `sleep` lets them pass."""
        self._services = services
        self._bot_id = bot_id
        self._clock = clock
        self._sleep = sleep
        self._next_send = 0.0
        self._held_until = 0.0
        self._rests = 0
        self._stopping = False

    def stop(self) -> None:
        """Notes nobody else from now on."""
        self._stopping = True

    async def run(self) -> None:
        """Goes on with the broadcast, if there is one, to its end."""
        if self._clock() < self._held_until:
            return
        try:
            request = self._question()
            found = await self._services.database.get_broadcast(request)
        except DatabaseError:
            return  # which the tick logs
        if not found.HasField("broadcast"):
            return
        try:
            await self._carry_through(found.broadcast)
        except TelegramUnavailable as error:
            self._hold(error.retry_after)
            _log.info("The end of a broadcast waits for Telegram: %s", error)
        except DatabaseError as error:
            _log.info("The broadcast waits for dbservice: %s", error)

    def _question(self) -> db.GetBroadcastRequest:
        return db.GetBroadcastRequest(bot_id=self._bot_id, holder=self._services.holder)

    async def _carry_through(self, broadcast: db.Broadcast) -> None:
        # Of whom an earlier process was sending it to.
        came = await self._look_for(broadcast, [each.user_id for each in broadcast.in_flight])
        while True:
            broadcast = await self._advance(broadcast, came)
            if broadcast.state != db.BROADCAST_STATE_RUNNING or self._stopping:
                break
            await self._show(broadcast)
            came = await self._send_all(broadcast)
            await self._rest(came.values())
        if broadcast.state != db.BROADCAST_STATE_RUNNING:
            await self._end(broadcast)

    async def _advance(self, broadcast: db.Broadcast, came: _Outcomes) -> db.Broadcast:
        """Records what came of a step, as often as it takes; gives the next."""
        count = Counter(came.values())
        request = db.AdvanceBroadcastRequest(
            bot_id=self._bot_id,
            message_id=broadcast.message_id,
            step=broadcast.step,
            sent=count[_Came.SENT],
            blocked=count[_Came.BLOCKED],
            failed=count[_Came.FAILED],
            unsent=[user for user, each in came.items() if each in (_Came.UNSENT, _Came.GONE)],
            source_gone=count[_Came.GONE] > 0,
            after=self._services.memories.ids.newest(broadcast.user_id),
            limit=0 if self._stopping else _AT_ONCE,
            audience=self._services.access.audience,
        )
        while True:
            try:
                return await self._services.database.advance_broadcast(request)
            except DatabaseUnavailable:
                if self._stopping:
                    raise
                await self._sleep(_LOOK_AGAIN_SECONDS)

    async def _send_all(self, broadcast: db.Broadcast) -> _Outcomes:
        users = [each.user_id for each in broadcast.in_flight]
        sending = (self._send(broadcast, each) for each in broadcast.in_flight)
        came = dict(zip(users, await asyncio.gather(*sending), strict=True))
        unknown = [user for user, each in came.items() if each is _Came.UNKNOWN]
        return {**came, **await self._look_for(broadcast, unknown)}

    async def _send(self, broadcast: db.Broadcast, to: db.Recipient) -> _Came:
        await self._take_turn()
        if self._stopping or self._clock() < self._held_until:
            return _Came.UNSENT
        try:
            return await self._copy(broadcast, to)
        except TelegramUnavailable as error:
            if error.retry_after is not None:
                self._hold(error.retry_after)
            return _Came.UNSENT if error.not_done else _Came.UNKNOWN
        except Exception:  # noqa: BLE001, nobody else waits for it
            _log.exception("Nobody knows whether the broadcast has reached %d", to.user_id)
            return _Came.UNKNOWN

    async def _copy(self, broadcast: db.Broadcast, to: db.Recipient) -> _Came:
        """Raises TelegramUnavailable."""
        source = broadcast.user_id, broadcast.source_message_id
        button = keyboards.no_news(broadcast.message_id, texts.of(to.language_code))
        try:
            message_id = await self._services.messenger.copy(to.user_id, source, button)
        except SourceGone:
            return _Came.GONE
        except (NotTaken, Moved, WrongFile) as error:
            _log.info("Telegram does not send the broadcast to %d: %s", to.user_id, error)
            return _Came.FAILED
        except CannotDeliver:
            return _Came.BLOCKED
        self._services.memories.ids.see(to.user_id, message_id)
        return _Came.SENT

    async def _take_turn(self) -> None:
        now = self._clock()
        due = max(now, self._next_send)
        self._next_send = due + 1 / _PER_SECOND
        if due > now:
            await self._sleep(due - now)

    async def _look_for(self, broadcast: db.Broadcast, users: Sequence[int]) -> _Outcomes:
        """Finds out who has got it of those of whom nobody knows.

        Raises:
            TelegramUnavailable: the process stops, and still nobody knows.
        """
        came: dict[int, _Came] = {}
        while left := [user for user in users if user not in came]:
            end = await self._newest_id(broadcast, left)
            if end is not None:
                ids = range(broadcast.after + 1, end)
                looking = (self._look(broadcast, user, ids) for user in left)
                found = zip(left, await asyncio.gather(*looking), strict=True)
                came |= {user: each for user, each in found if each is not _Came.UNKNOWN}
            while len(came) < len(users) and (wait := self._held_until - self._clock()) > 0:
                if self._stopping:
                    raise TelegramUnavailable("the process stops")
                await self._sleep(min(wait, _LOOK_AGAIN_SECONDS))
        return came

    async def _newest_id(self, broadcast: db.Broadcast, users: Sequence[int]) -> int | None:
        """The end of the ids that it may have; None: Telegram does not say."""
        said, ids = texts.of(broadcast.language_code), self._services.memories.ids
        button = keyboards.no_news(broadcast.message_id, said)
        for user in users:
            try:
                newest = await newest_id(self._services.messenger, user, said.over, button)
            except TelegramUnavailable as error:
                self._hold(error.retry_after)
                return None
            except (CannotDeliver, Moved):
                continue  # who blocks the bot has got nothing, or has lost it
            ids.see(user, newest)
            return newest
        return broadcast.after + 1

    async def _look(self, broadcast: db.Broadcast, user_id: int, ids: range) -> _Came:
        said, messenger = texts.of(broadcast.language_code), self._services.messenger
        button = keyboards.no_news(broadcast.message_id, said)
        ((its,),) = button.inline_keyboard

        def is_it(message: Message) -> bool:
            return its.callback_data in data_of(message)

        try:
            found = await find(messenger, user_id, ids, is_it, said.over, button)
        except TelegramUnavailable as error:
            self._hold(error.retry_after)
            return _Came.UNKNOWN
        except (CannotDeliver, Moved):
            return _Came.BLOCKED
        return _Came.UNSENT if found is None else _Came.SENT

    def _hold(self, seconds: float | None) -> None:
        """Sends nothing for so long."""
        wait = _LOOK_AGAIN_SECONDS if seconds is None else seconds
        self._held_until = max(self._held_until, self._clock() + wait)

    async def _rest(self, came: Iterable[_Came]) -> None:
        """Where something was not sent, waits as long as Telegram says, or longer each time.

        Whoever cancels it need not wait for that.
        """
        if _Came.UNSENT not in came or self._stopping:
            self._rests = 0
            return
        if self._clock() >= self._held_until:
            self._hold(min(_LONGEST_REST, 2.0**self._rests))
        self._rests = min(self._rests + 1, 10)
        while not self._stopping and (left := self._held_until - self._clock()) > 0:
            await self._sleep(min(left, _LOOK_AGAIN_SECONDS))
            with suppress(DatabaseError):
                request = self._question()
                now = (await self._services.database.get_broadcast(request)).broadcast
                if now.state != db.BROADCAST_STATE_RUNNING:
                    return

    async def _show(self, broadcast: db.Broadcast) -> None:
        """Says how far it is, if the pace allows."""
        said = texts.of(broadcast.language_code)
        with suppress(CannotDeliver, Moved):  # whoever has deleted it does not want to know
            await self._services.messenger.edit(
                broadcast.user_id,
                broadcast.message_id,
                said.broadcast.progress(broadcast),
                keyboards.stop_broadcast(said),
            )

    async def _end(self, broadcast: db.Broadcast) -> None:
        """Has the question say how it ended: that changes nothing where it was done before."""
        text = texts.of(broadcast.language_code).broadcast.summary(broadcast)
        try:
            await self._services.messenger.rewrite(broadcast.user_id, broadcast.message_id, text)
        except (CannotDeliver, Moved) as error:
            _log.info("Nobody can be told how the broadcast ended: %s", error)
        request = db.CloseBroadcastRequest(bot_id=self._bot_id, message_id=broadcast.message_id)
        await self._services.database.close_broadcast(request)
