"""The command: what it locks, starts, waits for and announces.

dbservice and generator start first, and the bot when both listen.
"""

import asyncio
import contextlib
import fcntl
import functools
import logging
import re
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import NoReturn

from pydantic import SecretStr

from lookalike import lifecycle, logs
from lookalike.cli.up import printing, watchdog
from lookalike.cli.up.health import ask_grpc, ask_http
from lookalike.cli.up.supervisor import Supervisor, stop_all
from lookalike.errors import StartError
from lookalike.files import lock_file
from lookalike.logs import Style, message_of
from lookalike.processes.sink import LogSink, notice
from lookalike.settings import Settings

_BOT_NAME = re.compile(r"Serving as (@\w+)\.")

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
        StartError: a service cannot run with these settings, or the home folder is in use.
    """
    async with _lock(settings.lookalike_home, stop) as lock:
        if lock is not None:
            with _console(settings.lookalike_log) as show:
                await _supervise(show, lock, stop)


@contextlib.asynccontextmanager
async def _lock(home: Path, stop: asyncio.Event) -> AsyncGenerator[int | None, None]:
    """Locks the home folder and gives the lock's descriptor; None if `stop` is set before that.

    The services inherit the lock, so it is free once the last of them has gone: after a kill -9
    the next start waits for what is still stopping.

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


@contextlib.contextmanager
def _console(style: Style) -> Generator[Callable[[str, str], None], None, None]:
    """Gives what prints a line of a service; a console that is at rest or gone stops nobody."""
    look: Callable[[str, str], str] = printing.as_json
    if style == "text":
        look = printing.coloured if sys.stderr.isatty() else printing.plain
    sink = LogSink(sys.stderr.fileno(), lambda count: look("up", notice(count)))
    try:
        with logs.sent_to(sink):
            yield lambda service, line: sink.write(look(service, line))
    finally:
        sink.close()


async def _supervise(show: Callable[[str, str], None], lock: int, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    bot_name: asyncio.Future[str] = loop.create_future()

    def listen(line: str) -> None:
        if (match := _BOT_NAME.search(message_of(line))) and not loop.is_closed():
            loop.call_soon_threadsafe(take_name, match.group(1))
        show("bot", line)

    def take_name(name: str) -> None:
        if not bot_name.done():
            bot_name.set_result(name)

    dbservice = Supervisor("dbservice", functools.partial(show, "dbservice"), lock, ask_grpc)
    generator = Supervisor("generator", functools.partial(show, "generator"), lock, ask_http)
    bot = Supervisor("bot", listen, lock, ask_http)

    async def run_bot() -> None:
        await dbservice.listening.wait()
        await generator.listening.wait()
        await bot.run()

    async def announce() -> None:
        _log.info("Everything is up: write to %s.", await bot_name)
        await asyncio.Future()

    def get_on() -> bool:
        return all(service.gets_on for service in (dbservice, generator, bot))

    tasks = [
        asyncio.create_task(task)
        for task in (
            stop.wait(),
            dbservice.run(),
            generator.run(),
            run_bot(),
            announce(),
            watchdog.feed(get_on),
        )
    ]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await stop_all(bot, generator, dbservice)
    for task in ended:
        task.result()
