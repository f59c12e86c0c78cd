"""A service as a child process: start it, wait until it listens, stop it."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lookalike.errors import StartError
from lookalike.lifecycle import STOP_SECONDS, STOP_WITH_STDIN
from lookalike.logs import message_of
from lookalike.processes.environment import MALLOC_TUNABLES
from lookalike.processes.lines import Lines
from lookalike.processes.sink import LogSink

_COMPUTES = "generator"
_ERROR_PREFIX = "lookalike "  # how a StartError is printed, see `lookalike.lifecycle.run`
_LISTENING = re.compile(r"Listening on (\S+)\.$")


def service_command(name: str) -> list[str]:
    """The command that runs a service.

    -P keeps the working directory out of the search for modules: LOOKALIKE_HOME has folders that
    are named like the services.
    """
    return [sys.executable, "-P", "-m", name]


class ServiceProcess:
    """A service started with `python -m`, which stops when this process is gone.

    A Ctrl-C in the terminal does not reach it: whoever has started it stops it.

    Attributes:
        name: the package of the service.
        popen: the process.
        lines: its log, as far as it has come.
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
            environment: all of its environment variables, but for what every such service needs.
            folder: its working directory, where a `.env` would be read.
            log: where the lines of its log go as they come: appended to a file, or to a function,
                which is called on a thread and neither blocks nor raises.
            pass_fds: open files that the service holds open while it runs.
        """
        self.name = name
        self._address = ""
        self._log = log
        folder.mkdir(parents=True, exist_ok=True)
        self._sink: LogSink | None = None
        self._write: Callable[[str], None]
        if isinstance(log, Path):
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as file:
                self._sink = LogSink(file.fileno())
            self._write = self._sink.write
        else:
            self._write = log
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
        assert self.popen.stderr is not None  # noqa: S101, it is a pipe
        self.lines = Lines(self.popen.stderr, self._hear)

    def _hear(self, line: str) -> None:
        self._write(line)
        if not self._address and (match := _LISTENING.search(message_of(line))):
            self._address = match.group(1)

    def address(self, seconds: float | None = 60.0) -> str:
        """Where it listens, as host:port, once it does.

        Args:
            seconds: how long that may take; None: for ever.

        Raises:
            StartError: it has ended, or takes too long.
        """
        self.lines.wait_until(lambda: bool(self._address), seconds)
        if self._address:
            return self._address
        if self.lines.ended:
            raise StartError(self.failure())
        raise StartError(f"{self.name} does not start{self._see_log()}.")

    def failure(self) -> str:
        """Why the process ended, in a sentence: its own ("bot: ...") if it said one."""
        self.lines.join(1)
        said = [line for line in self.lines.kept if line.startswith(_ERROR_PREFIX)]
        if said:
            return said[-1].removeprefix(_ERROR_PREFIX)
        return f"{self.name} has ended{self._see_log()}."

    def ending(self) -> str:
        """How the process ended: its signal or exit code, and the last line of its log."""
        self.lines.join(1)
        code = self.popen.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
        last = next(reversed(self.lines.kept), "").strip()
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
            return self.wait(STOP_SECONDS + 2)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """Kills it as a crash would: SIGKILL, no goodbye.

        Returns:
            The exit code.
        """
        self.popen.kill()
        return self.wait()

    def wait(self, seconds: float | None = None) -> int:
        """Waits until it has ended.

        Returns:
            The exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        code = self.popen.wait(seconds)
        self.lines.close()
        if self.popen.stdin is not None:
            self.popen.stdin.close()
        if self._sink is not None:
            self._sink.close()
        return code
