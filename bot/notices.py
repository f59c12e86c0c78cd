"""What is said once a minute in a chat, however often there is a reason to."""

import math
import time
from collections.abc import Callable

_SECONDS = 60.0
_MOST_CHATS = 10_000


class Notices:
    """Remembers when each chat was last given one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._given: dict[int, float] = {}

    def may_give(self, chat_id: int) -> bool:
        """Whether a notice may be given now; if so, it counts as given."""
        now = self._clock()
        if now - self._given.get(chat_id, -math.inf) < _SECONDS:
            return False
        if len(self._given) >= _MOST_CHATS:
            self._given.clear()
        self._given[chat_id] = now
        return True
