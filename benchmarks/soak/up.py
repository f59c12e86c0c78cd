"""`lookalike up` as users run it, and a sandbox beside it that is their Telegram."""

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Final

import psutil

from lookalike.cli.up.health import ask_grpc, ask_http, is_alive
from lookalike.lifecycle import STOP_SECONDS, STOP_WITH_STDIN
from lookalike.processes.stack import Stack
from tests.commands import LOOKALIKE
from tests.stack import create_stack, fixed_ports
from tests.waiting import eventually

SERVICES: Final = ("bot", "dbservice", "generator")
_START_SECONDS = 120.0
_LOOK_SECONDS = 0.1


class Up:
    """The supervisor and its services.

    Attributes:
        log: what all of them have logged.
        environment: all of their variables.
    """

    def __init__(self, folder: Path, home: Path, environment: Mapping[str, str]) -> None:
        """Starts them.

        Args:
            folder: where the log is written, on another disk than the home.
            home: their LOOKALIKE_HOME.
            environment: all of their variables.
        """
        self.log = folder / "up.log"
        self.environment = environment
        home.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._popen = subprocess.Popen(
                [*LOOKALIKE, "up"],
                cwd=home,
                env={
                    **environment,
                    STOP_WITH_STDIN: "1",
                },  # so that it ends with us, whatever ends us
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def process(self, name: str) -> psutil.Process:
        """A service as it runs now, or the supervisor, whose name is "up".

        Raises:
            psutil.NoSuchProcess: it does not run now.
        """
        supervisor = psutil.Process(self._popen.pid)
        if name == "up":
            return supervisor
        for child in supervisor.children():
            with contextlib.suppress(psutil.Error):
                if child.cmdline()[-1:] == [name]:
                    return child
        raise psutil.NoSuchProcess(self._popen.pid, name)

    async def signal(self, name: str, number: signal.Signals) -> psutil.Process:
        """Sends a service a signal, once it runs; gives the process that got it."""

        async def send() -> psutil.Process | None:
            try:
                process = self.process(name)
                process.send_signal(number)
            except psutil.NoSuchProcess:
                return None
            return process

        return await eventually(send, _START_SECONDS)

    async def well(self, name: str, instead_of: psutil.Process | None = None) -> None:
        """Waits until a service answers that it is well: another process than this one."""
        address = self.environment[f"{name.upper()}_LISTEN"]
        ask = ask_grpc if name == "dbservice" else ask_http

        async def look() -> bool | None:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                is_other = self.process(name) != instead_of
            except psutil.NoSuchProcess:
                return None
            return (is_other and await is_alive(ask, address)) or None

        await eventually(look, _START_SECONDS)

    def stop(self) -> int:
        """Asks it to stop, as systemd does; gives the exit code."""
        self._popen.terminate()
        try:
            return self._popen.wait(STOP_SECONDS + 5)
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends it and its services, should they still run."""
        with contextlib.suppress(psutil.NoSuchProcess):
            supervisor = psutil.Process(self._popen.pid)
            for process in (*supervisor.children(recursive=True), supervisor):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self._popen.wait()


@contextlib.contextmanager
def telegram(folder: Path, settings: Mapping[str, str]) -> Generator[Stack, None, None]:
    """A sandbox while the context lasts; its `environment` is that of the services beside it.

    Args:
        folder: its home, on another disk than theirs.
        settings: variables of all of them.
    """
    with create_stack(folder, {**settings, **fixed_ports()}) as stack:
        stack.start("sandbox")
        yield stack
