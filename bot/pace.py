"""When a message may be edited, or a probe sent: other sends come first.

An edit that would be too fast is dropped, and so is a reaction; a probe waits.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager

_PRIVATE_SECONDS = 1.5
_GROUP_SECONDS = 4.0  # Telegram takes about 20 messages a minute in a group
_PRIVATE_SEND_SECONDS = 1.0  # core.telegram.org/bots/faq, "My bot is hitting limits"
_GROUP_SEND_SECONDS = 3.0
_MOST_CHATS = 10_000


class EditPace:
    """Paces the edits of each chat; group chats have negative ids."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._last_edit: dict[int, float] = {}
        self._last_send: dict[int, float] = {}
        self._sending: Counter[int] = Counter()
        self._silent_until: dict[int, float] = {}
        self._asking: dict[int, list[tuple[float, asyncio.Future[bool]]]] = {}

    @contextmanager
    def sending(self, chat_id: int) -> Generator[None, None, None]:
        """While a send to this chat is under way, its edits are dropped."""
        self._sending[chat_id] += 1
        try:
            yield
        finally:
            self._sending[chat_id] -= 1
            if not self._sending[chat_id]:
                del self._sending[chat_id]
        self._forget_old()
        self._last_send[chat_id] = self._clock()

    async def wait(self, chat_id: int) -> None:
        """Waits until the last message that went out in this chat is long enough ago."""
        gap = _GROUP_SEND_SECONDS if chat_id < 0 else _PRIVATE_SEND_SECONDS
        last = self._last_send.get(chat_id)
        if last is not None:
            await asyncio.sleep(last + gap - self._clock())

    def hold_back(self, chat_id: int, seconds: float) -> None:
        """Telegram asked for less in this chat: no edits there for so long."""
        self._forget_old()
        self._silent_until[chat_id] = self._clock() + seconds

    async def may_edit(self, chat_id: int, waiting_since: float = 0.0) -> bool:
        """Whether an edit may go out now; if so, it counts as gone out.

        A chat's pace may allow only one of those that ask in one turn of the event loop: the one
        that has waited longest.
        """
        loop = asyncio.get_running_loop()
        if chat_id not in self._asking:
            self._asking[chat_id] = []
            loop.call_soon(self._decide, chat_id)
        answer: asyncio.Future[bool] = loop.create_future()
        self._asking[chat_id].append((waiting_since, answer))
        return await answer

    def _decide(self, chat_id: int) -> None:
        asking = sorted(self._asking.pop(chat_id), key=lambda each: each[0])
        for _, answer in asking:
            if not answer.done():  # else who asked is gone
                answer.set_result(self._take(chat_id))

    def _take(self, chat_id: int) -> bool:
        now = self._clock()
        gap = _GROUP_SECONDS if chat_id < 0 else _PRIVATE_SECONDS
        if (
            now < self._silent_until.get(chat_id, now)
            or self._sending[chat_id]
            or now - self._last_edit.get(chat_id, -gap) < gap
        ):
            return False
        self._forget_old()
        self._last_edit[chat_id] = now
        return True

    def _forget_old(self) -> None:
        for remembered in (self._last_edit, self._last_send, self._silent_until):
            if len(remembered) >= _MOST_CHATS:
                remembered.clear()
