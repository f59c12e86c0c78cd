"""`lookalike ...` as a process that says lines on stderr."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LOOKALIKE: Final = [sys.executable, "-P", "-m", "lookalike"]


class Command:
    """A running command and what it said so far."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._over = False
        self.popen = subprocess.Popen(
            [*LOOKALIKE, *arguments],
            env=dict(environment),
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()

    def wait_for(self, pattern: str, times: int = 1) -> re.Match[str]:
        """The newest of `times` lines that match, waiting for them."""

        def matches() -> list[re.Match[str]]:
            return [match for line in self.lines if (match := re.search(pattern, line))]

        with self._news:
            self._news.wait_for(lambda: self._over or len(matches()) >= times, 60)
            assert len(matches()) >= times, "\n".join(self.lines)
            return matches()[-1]

    def end(self, number: signal.Signals | None = None, seconds: float = 60) -> int:
        """The exit code, after the signal if there is one."""
        if number is not None:
            self.popen.send_signal(number)
        code = self.popen.wait(seconds)
        self._reader.join(15)
        assert self.popen.stderr is not None
        self.popen.stderr.close()
        return code


@contextmanager
def started(
    folder: Path, environment: Mapping[str, str], *arguments: str
) -> Generator[Command, None, None]:
    """The command while the context lasts."""
    command = Command(folder, environment, *arguments)
    try:
        yield command
    finally:
        if command.popen.poll() is None:
            command.end(signal.SIGTERM)
