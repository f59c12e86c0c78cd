"""When a message may be edited: sends come first, and what would be too fast is dropped."""

import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager

_PRIVATE_SECONDS = 1.5
_GROUP_SECONDS = 4.0  # Telegram takes about 20 messages a minute in a group
_MOST_CHATS = 10_000


class EditPace:
    """Paces the edits of each chat; group chats have negative ids."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._last_edit: dict[int, float] = {}
        self._sending: Counter[int] = Counter()
        self._silent_until: dict[int, float] = {}

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

    def hold_back(self, chat_id: int, seconds: float) -> None:
        """Telegram asked for less in this chat: no edits there for so long."""
        self._forget_old()
        self._silent_until[chat_id] = self._clock() + seconds

    def may_edit(self, chat_id: int) -> bool:
        """Whether an edit may go out now; if so, it counts as gone out."""
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
        for remembered in (self._last_edit, self._silent_until):
            if len(remembered) >= _MOST_CHATS:
                remembered.clear()
