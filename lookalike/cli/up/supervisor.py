"""Starting a service again when it dies or hangs, and stopping all of them in time."""

import asyncio
import logging
import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from lookalike import lifecycle
from lookalike.cli.up.health import Question, is_alive
from lookalike.errors import StartError
from lookalike.processes import ServiceProcess

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_GOOD_RUN_SECONDS = 60.0
"""After a run of this length the next pause is the first one again."""

_ASK_SECONDS = 4.0
_MOST_SILENT = 3
"""A service that has not been well so often in a row is killed: within a minute, answers that come
late included. Not by the clock: it may be this process that had no time."""

_START_SECONDS = 1800.0
"""How long a service may take until it listens; a large database may have to be migrated first."""

_SLACK_SECONDS = 120.0
"""How long a service may be silent, or take to end, before nobody can say that it gets on."""

_STOP_SECONDS = lifecycle.STOP_SECONDS - 1  # before the lifecycle ends this process
_BOT_STOP_SECONDS = 4.0

_log = logging.getLogger(__name__)


class Supervisor:
    """Keeps a service running.

    Attributes:
        name: the service.
        listening: set once it has listened for the first time.
        address: where it listens, as host:port; "" before.
        process: the one that was started last.
    """

    def __init__(self, name: str, write: Callable[[str], None], lock: int, ask: Question) -> None:
        """Starts nothing.

        Args:
            name: the service.
            write: takes each line of its log.
            lock: an open file that it holds while it runs.
            ask: asks it whether it is well.
        """
        self.name = name
        self.listening = asyncio.Event()
        self.address = ""
        self.process: ServiceProcess | None = None
        self._write = write
        self._lock = lock
        self._ask = ask
        self._due = math.inf

    @property
    def gets_on(self) -> bool:
        """Whether the service was well lately, or its supervisor was about to mend that."""
        return time.monotonic() < self._due

    async def run(self) -> NoReturn:
        """Starts the service, and again whenever it dies or hangs, after growing pauses.

        Raises:
            StartError: it says that somebody must change something, which no restart does.
        """
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                ending = await self._run_once()
            except OSError as error:  # no memory, no descriptors, no more processes
                ending = f"cannot be started ({error.strerror or error})"
            if time.monotonic() - began > _GOOD_RUN_SECONDS:
                pause = _FIRST_PAUSE
            _log.warning("%s %s; it will be started again in %g s.", self.name, ending, pause)
            self._expect(pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _run_once(self) -> str:
        """Runs the service until it ends; tells how it ended."""
        process = self.process = ServiceProcess(
            self.name, os.environ, Path.cwd(), self._write, pass_fds=(self._lock,)
        )
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch(process))
            code = await asyncio.to_thread(process.wait)
            watching.cancel()
        if code == StartError.EXIT_CODE:
            raise StartError(process.failure())
        return process.ending()

    async def _watch(self, process: ServiceProcess) -> None:
        """Kills the service when it hangs; asking it to stop would not reach a frozen one."""
        self._expect(_START_SECONDS)
        try:
            self.address = await asyncio.to_thread(process.address, _START_SECONDS)
        except StartError as error:
            if process.running:
                _log.warning("%s It is killed.", error)
                process.popen.kill()
            return
        self.listening.set()
        silent = 0
        while silent < _MOST_SILENT:
            self._expect(0)
            await asyncio.sleep(_ASK_SECONDS)
            silent = 0 if await is_alive(self._ask, self.address) else silent + 1
        _log.warning("%s hangs: it does not answer that it is well. It is killed.", self.name)
        process.popen.kill()

    def _expect(self, seconds: float) -> None:
        """The service is to show within this time, and some slack, that it gets on."""
        self._due = time.monotonic() + seconds + _SLACK_SECONDS


async def stop_all(bot: Supervisor, *others: Supervisor) -> None:
    """Stops the services in time: the bot before those that it uses."""
    end = time.monotonic() + _STOP_SECONDS
    await _stop([bot], time.monotonic() + _BOT_STOP_SECONDS)
    await _stop([*others, bot], end)
    for process in _running([bot, *others]):
        _log.warning("%s does not stop; it is killed.", process.name)
        process.kill()


async def _stop(services: Sequence[Supervisor], deadline: float) -> None:
    """Asks the services to stop, and waits until they have or the time is over."""
    processes = _running(services)
    for process in processes:
        process.ask_to_stop()
    ends = [asyncio.create_task(asyncio.to_thread(process.popen.wait)) for process in processes]
    if ends:
        await asyncio.wait(ends, timeout=max(0.0, deadline - time.monotonic()))


def _running(services: Sequence[Supervisor]) -> list[ServiceProcess]:
    processes = [service.process for service in services]
    return [process for process in processes if process is not None and process.running]
