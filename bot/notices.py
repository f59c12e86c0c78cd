"""What is said once in a while, however often there is a reason to."""

import math
import time
from collections.abc import Callable

_SECONDS = 60.0
_MOST_KEYS = 10_000


class Notices:
    """Remembers when each chat was last given one, or whatever else they are counted by."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, seconds: float = _SECONDS
    ) -> None:
        """`clock` gives seconds; `seconds` are between two."""
        self._clock = clock
        self._seconds = seconds
        self._given: dict[int | str, float] = {}

    def may_give(self, key: int | str) -> bool:
        """Whether a notice may be given now; if so, it counts as given."""
        now = self._clock()
        if now - self._given.get(key, -math.inf) < self._seconds:
            return False
        if len(self._given) >= _MOST_KEYS:
            self._given.clear()
        self._given[key] = now
        return True
