"""`lookalike up`: the three services from `.env` under one supervisor."""

import asyncio
import contextlib
import fcntl
import functools
import json
import logging
import os
import re
import sys
import time
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click
from pydantic import SecretStr

from lookalike import lifecycle
from lookalike.errors import StartError
from lookalike.files import lock_file
from lookalike.logs import Style, message_of
from lookalike.processes import ServiceProcess
from lookalike.settings import Settings

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_WELL_SECONDS = 60.0
"""Who has run for this long had a good start: the next pause is the first one again."""

_STOP_SECONDS = lifecycle.STOP_SECONDS - 1  # before the lifecycle ends this process
_BOT_STOP_SECONDS = 4.0

_LINE = re.compile(r"(\S+ \S+) (\w+) (DEBUG|INFO|WARNING|ERROR|CRITICAL) ")
_COLOURS = {"bot": "cyan", "dbservice": "magenta", "generator": "blue"}
_LEVELS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_NAMED = re.compile(r"Serving as (@\w+)\.")

_log = logging.getLogger(__name__)


class _UpSettings(Settings):
    """The token is the bot's; without it there is no need to start anything."""

    telegram_bot_token: SecretStr


def run() -> NoReturn:
    """Runs the services until this process is asked to stop, and exits."""
    lifecycle.run("up", _UpSettings, _main)


async def _main(settings: _UpSettings, stop: asyncio.Event) -> None:
    """Keeps the services running until `stop` is set.

    Raises:
        StartError: a service cannot be configured as it is, or others hold the home folder.
    """
    async with _lock(settings.lookalike_home, stop) as lock:
        if lock is not None:
            await _supervise(settings.lookalike_log, lock, stop)


@contextlib.asynccontextmanager
async def _lock(home: Path, stop: asyncio.Event) -> AsyncGenerator[int | None, None]:
    """Holds the home folder; None where it is time to stop before that.

    The services inherit the lock, so it is free when the last of them has gone: after a kill -9
    the next start waits for what still stops.

    Raises:
        StartError: somebody else holds it for good.
    """
    with lock_file(home / "up.lock") as file:
        deadline = time.monotonic() + lifecycle.STOP_SECONDS + 2
        told = False
        while not stop.is_set():
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StartError(f"another `lookalike up` runs in {home}.") from None
                if not told:
                    _log.info("Waiting for the services of an earlier run to stop.")
                    told = True
                await asyncio.sleep(0.1)
            else:
                yield file.fileno()
                return
        yield None


async def _supervise(style: Style, lock: int, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    named: asyncio.Future[str] = loop.create_future()
    print_line = _print_json if style == "json" else _print_text

    def listen(line: str) -> None:
        if (match := _NAMED.search(message_of(line))) and not loop.is_closed():
            loop.call_soon_threadsafe(tell, match.group(1))
        print_line("bot", line)

    def tell(name: str) -> None:
        if not named.done():
            named.set_result(name)

    dbservice = _Kept("dbservice", functools.partial(print_line, "dbservice"), lock)
    generator = _Kept("generator", functools.partial(print_line, "generator"), lock)
    bot = _Kept("bot", listen, lock)

    async def keep_bot() -> None:
        await dbservice.listening.wait()
        await generator.listening.wait()
        await bot.keep()

    async def announce() -> None:
        _log.info("Everything is up: write to %s.", await named)
        await asyncio.Future()

    tasks = [
        asyncio.create_task(task)
        for task in (stop.wait(), dbservice.keep(), generator.keep(), keep_bot(), announce())
    ]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _stop(bot, generator, dbservice)
    for task in ended:
        task.result()


class _Kept:
    """A service that is started again when it dies."""

    def __init__(self, name: str, write: Callable[[str], None], lock: int) -> None:
        self.name = name
        self.listening = asyncio.Event()
        self.process: ServiceProcess | None = None
        self._write = write
        self._lock = lock

    async def keep(self) -> NoReturn:
        """Keeps it running, with growing pauses.

        Raises:
            StartError: it says that its configuration is wrong.
        """
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            await self._run()
            if time.monotonic() - began > _WELL_SECONDS:
                pause = _FIRST_PAUSE
            _log.warning("%s; it is started again in %g s.", self._ending(), pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _run(self) -> None:
        process = self.process = ServiceProcess(
            self.name, os.environ, Path.cwd(), self._write, pass_fds=(self._lock,)
        )
        with contextlib.suppress(StartError):  # it has ended; how, is told below
            await asyncio.to_thread(process.address, None)
            self.listening.set()
        await asyncio.to_thread(process.popen.wait)
        if await asyncio.to_thread(process.stop) == StartError.EXIT_CODE:
            raise StartError(process.last_words().removeprefix("lookalike "))

    def _ending(self) -> str:
        return f"{self.name} {self.process.ending()}" if self.process else self.name


async def _stop(bot: _Kept, *others: _Kept) -> None:
    """Stops the services within `_STOP_SECONDS`, the bot before those that it needs."""
    end = time.monotonic() + _STOP_SECONDS
    await _end([bot], time.monotonic() + _BOT_STOP_SECONDS)
    await _end([*others, bot], end)
    for process in _running([bot, *others]):
        _log.warning("%s does not stop; killing it.", process.name)
        process.kill()


async def _end(services: list[_Kept], deadline: float) -> None:
    processes = _running(services)
    for process in processes:
        process.ask_to_stop()
    ends = [asyncio.create_task(asyncio.to_thread(process.popen.wait)) for process in processes]
    if ends:
        await asyncio.wait(ends, timeout=max(0.0, deadline - time.monotonic()))


def _running(services: list[_Kept]) -> list[ServiceProcess]:
    return [kept.process for kept in services if kept.process and kept.process.running]


def _print_text(_service: str, line: str) -> None:
    """Prints a service's line as it is, in colours where a terminal shows them."""
    if match := _LINE.match(line):
        when, service, level = match.groups()
        coloured = click.style(service, fg=_COLOURS.get(service))
        told = click.style(level, fg=_LEVELS.get(level))
        line = f"{when} {coloured} {told} {line[match.end() :]}"
    click.echo(line, nl=False, err=True)


def _print_json(service: str, line: str) -> None:
    """Prints a service's line as it is if it is JSON, and within JSON if it is not."""
    if not line.startswith("{"):
        fields = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "service": service,
            "level": "ERROR",
            "logger": "stderr",
            "message": line.rstrip("\n"),
        }
        line = json.dumps(fields, ensure_ascii=False) + "\n"
    sys.stderr.write(line)
    sys.stderr.flush()
