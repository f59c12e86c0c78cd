"""Where the lines of logs end up: written where that is possible, dropped and counted where not."""

import collections
import os
import threading
from collections.abc import Callable

_MOST_BYTES = 4 * 1024 * 1024
"""How much may wait for a reader that is slow."""


def notice(count: int) -> str:
    """The line that says how many were dropped."""
    lines = "line" if count == 1 else "lines"
    return f"{count} {lines} of this log could not be written and were dropped.\n"


class LogSink:
    """Writes lines to an open file on a thread of its own; whoever has lines is never held up.

    The disk may be full, the reader gone or at rest: then lines are dropped, and how many is told
    before the next one that can be written.

    Attributes:
        lost: how many lines were dropped so far.
    """

    def __init__(self, descriptor: int, notice: Callable[[int], str] = notice) -> None:
        """Starts the thread.

        Args:
            descriptor: the file; the sink has its own descriptor of it, and so may outlive it.
            notice: makes the line that says how many were dropped.
        """
        self._descriptor = os.dup(descriptor)
        self._notice = notice
        self._waiting: collections.deque[bytes] = collections.deque()
        self._bytes = 0
        self.lost = 0
        self._dropped = 0  # of these, how many were not told yet
        self._torn = False
        self._closed = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Takes a line, its end included. Neither blocks nor raises."""
        data = line.encode(errors="replace")
        with self._news:
            if self._bytes + len(data) > _MOST_BYTES:
                self._lose()
                return
            self._waiting.append(data)
            self._bytes += len(data)
            self._news.notify()

    def flush(self) -> None:
        """Does nothing, for `logging.StreamHandler`: lines are on their way."""

    def close(self, seconds: float = 0.5) -> None:
        """Writes what still waits, as far as that is possible in the time."""
        with self._news:
            self._closed = True
            self._news.notify()
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while (line := self._next()) is not None:
                written = self._tell() and self._write(line)
                with self._news:
                    self._bytes -= len(line)
                    if not written:
                        self._lose()
            self._tell()
        finally:
            os.close(self._descriptor)

    def _lose(self) -> None:
        self.lost += 1
        self._dropped += 1

    def _next(self) -> bytes | None:
        """The line whose turn it is, once there is one; None: there will be no more."""
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._closed)
            return self._waiting.popleft() if self._waiting else None

    def _tell(self) -> bool:
        """Tells how many lines were dropped, if any were; False if it cannot."""
        dropped = self._dropped
        if dropped and not self._write(self._notice(dropped).encode()):
            return False
        with self._news:
            self._dropped -= dropped
        return True

    def _write(self, data: bytes) -> bool:
        if self._torn:
            data = b"\n" + data
        done = 0
        try:
            while done < len(data):
                done += os.write(self._descriptor, data[done:])
        except OSError:
            self._torn = self._torn or done > 0
            return False
        self._torn = False
        return True
