"""Services as child processes: start, wait until they listen, stop."""

import collections
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lookalike.errors import StartError
from lookalike.lifecycle import STOP_SECONDS, STOP_WITH_STDIN
from lookalike.logs import message_of

MALLOC_TUNABLES = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0"
}
"""Environment of a process that takes large blocks of memory again and again: pages of 2 MiB; one
arena, as threads' own give large blocks back to the system; and no caches, which would hold what
is left beside an aligned block, so that it is too small to be taken again for what it was.

Source: the GNU C Library's manual, Memory Allocation Tunables. Other C libraries do not read it."""

_COMPUTES = "generator"

_LISTENING = re.compile(r"Listening on (\S+)\.$")
_LAST_LINES = 20


def service_command(name: str) -> list[str]:
    """The command that runs a service.

    -P keeps the working directory out of the search for modules: LOOKALIKE_HOME has folders that
    are named like the services.
    """
    return [sys.executable, "-P", "-m", name]


class ServiceProcess:
    """A service started with `python -m`, which stops when this process is gone.

    A Ctrl-C in the terminal does not reach it: whoever has started it stops it.
    """

    def __init__(
        self,
        name: str,
        environment: Mapping[str, str],
        folder: Path,
        log: Path | Callable[[str], None],
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Starts the service.

        Args:
            name: the package of the service.
            environment: all of its environment variables, but what every such service needs.
            folder: its working directory, where a `.env` would be read.
            log: where the lines of its log go as they come: appended to a file, or to a function,
                which is called on a thread.
            pass_fds: open files that the service holds open while it runs.
        """
        self.name = name
        self._log = log
        self._address = ""
        self._known = threading.Event()
        self._last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(log, Path):
            log.parent.mkdir(parents=True, exist_ok=True)
        self.popen = subprocess.Popen(  # noqa: S603, our own modules
            service_command(name),
            cwd=folder,
            env={
                **(MALLOC_TUNABLES if name == _COMPUTES else {}),
                **environment,
                STOP_WITH_STDIN: "1",
            },
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            pass_fds=pass_fds,
            process_group=0,
        )
        self._pump = threading.Thread(target=self._read, name=f"{name}-log", daemon=True)
        self._pump.start()

    def _read(self) -> None:
        if isinstance(self._log, Path):
            with self._log.open("a", encoding="utf-8", buffering=1) as file:
                self._pass_on(file.write)
        else:
            self._pass_on(self._log)
        self._known.set()  # it has ended

    def _pass_on(self, write: Callable[[str], object]) -> None:
        stream = self.popen.stderr
        assert stream is not None  # noqa: S101, it is a pipe
        for line in stream:
            write(line)
            self._last.append(line)
            if not self._address and (match := _LISTENING.search(message_of(line))):
                self._address = match.group(1)
                self._known.set()

    def address(self, seconds: float | None = 60.0) -> str:
        """Where it listens, as host:port, once it does.

        Args:
            seconds: how long that may take; None: for ever.

        Raises:
            StartError: it has ended, or takes too long.
        """
        if not self._known.wait(seconds):
            raise StartError(f"{self.name} does not start{self._see_log()}.")
        if not self._address:
            raise StartError(self.last_words())
        return self._address

    def last_words(self) -> str:
        """Why the process ended, as far as its log says."""
        self._pump.join(1)
        said = [line.strip() for line in self._last if line.startswith("lookalike ")]
        return said[-1] if said else f"{self.name} has ended{self._see_log()}."

    def ending(self) -> str:
        """How the process ended: its signal or exit code, and the last that it said."""
        self._pump.join(1)
        code = self.popen.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
        last = self._last[-1].strip() if self._last else ""
        return f"{how}, last saying: {message_of(last) or last}" if last else how

    def _see_log(self) -> str:
        return f"; its log is {self._log}" if isinstance(self._log, Path) else ""

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self.popen.poll() is None

    def ask_to_stop(self) -> None:
        """Asks it to stop and does not wait."""
        self.popen.terminate()

    def stop(self) -> int:
        """Asks it to stop, and kills it if it does not.

        Returns:
            The exit code.
        """
        self.ask_to_stop()
        try:
            self.popen.wait(STOP_SECONDS + 2)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self._close()
        return self.popen.returncode

    def kill(self) -> None:
        """Kills it as a crash would: SIGKILL, no goodbye."""
        self.popen.kill()
        self.popen.wait()
        self._close()

    def _close(self) -> None:
        self._pump.join(5)
        for stream in (self.popen.stdin, self.popen.stderr):
            if stream is not None:
                stream.close()


_OURS = re.compile(
    r"(LOOKALIKE|TELEGRAM|CAPTIONER|AZURE_VISION|BOT|DBSERVICE|DATABASE_URL|BLOB_URL|GENERATOR|"
    r"SANDBOX|SERVICE_TOKEN|USER_MAX)(_|$)"
)


def clean_environment() -> dict[str, str]:
    """This process's environment without any of Lookalike's settings."""
    return {key: value for key, value in os.environ.items() if not re.match(_OURS, key)}
