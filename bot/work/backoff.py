"""When a generation that was put off is tried again."""

import time
from collections.abc import Callable

_LONGEST_WAIT = 60.0  # seconds between two tries
_LONGEST_ASKED_WAIT = 300.0  # of a Retry-After


class Backoff:
    """Exponential backoff: 1 s, doubled with each try up to a minute, without end.

    Attributes:
        tries: how often it was put off in a row.
        errors: how many of these were unexpected errors.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, longest: float | None = None
    ) -> None:
        """Nothing was put off.

        Args:
            clock: gives seconds.
            longest: seconds between two tries; None: a minute.
        """
        self._clock = clock
        self._longest = longest
        self._due = 0.0
        self.tries = 0
        self.errors = 0

    @property
    def seconds(self) -> float:
        """Until it is due; 0 if it is."""
        return max(0.0, self._due - self._clock())

    def put_off(self, retry_after: float | None = None) -> None:
        """Puts it off once more; for longer, up to 5 minutes, where somebody asked for that."""
        longest = _LONGEST_WAIT if self._longest is None else self._longest
        wait = min(longest, 2.0 ** min(self.tries, 10))
        if retry_after is not None:
            wait = min(_LONGEST_ASKED_WAIT, max(wait, retry_after))
        self.tries += 1
        self._due = self._clock() + wait

    def reset(self) -> None:
        """It has gone on."""
        self._due = 0.0
        self.tries = 0
        self.errors = 0
