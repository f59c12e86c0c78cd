"""`lookalike ...`, and other commands, as somebody types them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lookalike.processes.lines import Lines

LOOKALIKE: Final = [sys.executable, "-P", "-m", "lookalike"]


def run(
    *arguments: str, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Runs `lookalike` with these arguments to its end; nobody answers its questions."""
    return subprocess.run(
        [*LOOKALIKE, *arguments],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


class Command:
    """A command that is under way, in a session of its own, and what it has printed so far."""

    def __init__(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.popen = subprocess.Popen(
            arguments,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self.popen.stdout is not None
        self._lines = Lines(self.popen.stdout, lambda _line: None)

    @property
    def lines(self) -> list[str]:
        return self._lines.kept

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, times: int = 1) -> re.Match[str]:
        """The newest of so many lines that match, once they have come."""
        found = self._lines.wait_for(pattern, times, 120)
        assert found is not None, self.output
        return found

    def end(self, number: signal.Signals | None = None, seconds: float = 60) -> int:
        """Waits for its end, after the signal if there is one; gives the exit code."""
        if number is not None:
            self.popen.send_signal(number)
        code = self.popen.wait(seconds)
        self._lines.close()
        return code

    def kill(self) -> None:
        """Kills it and its children, should it still run."""
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.end()


@contextmanager
def started(
    *arguments: str, folder: Path, environment: Mapping[str, str]
) -> Generator[Command, None, None]:
    """`lookalike` with these arguments while the context lasts."""
    command = Command([*LOOKALIKE, *arguments], folder, environment)
    try:
        yield command
    finally:
        command.kill()
