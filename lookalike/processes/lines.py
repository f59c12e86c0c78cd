"""What a process writes, line by line, as it comes."""

import collections
import re
import threading
from collections.abc import Callable
from typing import IO

_KEPT = 1000
_LONGEST_LINE = 64 * 1024  # characters; a longer one comes in parts


class Lines:
    """Reads a pipe on a thread of its own, so that the process never waits for a reader."""

    def __init__(self, stream: IO[str], listen: Callable[[str], object]) -> None:
        """Starts to read.

        Args:
            stream: the pipe.
            listen: called on the thread with each line, its end included. While it takes its
                time, the process waits; were it to raise, nobody would read any more.
        """
        self._kept: collections.deque[str] = collections.deque(maxlen=_KEPT)
        self._stream = stream
        self._listen = listen
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, name="lines", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            while line := self._stream.readline(_LONGEST_LINE):
                self._listen(line)
                with self._news:
                    self._kept.append(line.rstrip("\n"))
                    self._news.notify_all()
        finally:
            with self._news:
                self._ended = True
                self._news.notify_all()

    @property
    def kept(self) -> list[str]:
        """The newest lines, without their ends."""
        with self._news:
            return list(self._kept)

    @property
    def ended(self) -> bool:
        """Whether there will be no more."""
        return self._ended

    def wait_until(self, condition: Callable[[], bool], seconds: float | None) -> None:
        """Looks at the condition with each line; returns when it holds or there is no more line.

        Args:
            condition: what to wait for.
            seconds: how long to wait; None: for ever.
        """
        with self._news:
            self._news.wait_for(lambda: condition() or self._ended, seconds)

    def wait_for(
        self, pattern: str, times: int = 1, seconds: float | None = 60.0
    ) -> re.Match[str] | None:
        """Waits until so many lines match.

        Returns:
            The newest match; None if the process ended, or the time was over, before.
        """
        found: list[re.Match[str]] = []

        def enough() -> bool:
            found[:] = [match for line in self._kept if (match := re.search(pattern, line))]
            return len(found) >= times

        self.wait_until(enough, seconds)
        return found[-1] if len(found) >= times else None

    def close(self) -> None:
        """Waits until all is read, and closes the pipe; call it when the process has ended."""
        self.join(5)
        self._stream.close()

    def join(self, seconds: float) -> None:
        """Waits until all is read, or the time is over."""
        self._thread.join(seconds)
