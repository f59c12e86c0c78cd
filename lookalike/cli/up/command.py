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
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from pathlib import Path
from typing import NoReturn

import click

from lookalike import lifecycle, logs, ownership
from lookalike.cli.up import losses, printing, watchdog
from lookalike.cli.up.checking import check
from lookalike.cli.up.health import ask_grpc, ask_http, is_ready
from lookalike.cli.up.supervisor import Supervisor, stop_all
from lookalike.errors import StartError
from lookalike.files import lock_file
from lookalike.logs import Style, message_of
from lookalike.processes.sink import LogSink, notice
from lookalike.settings import Settings

_BOT_NAME = re.compile(r"Serving as @(\w+)\.")
_NO_OWNER = re.compile(r"Nobody owns @(\w+) yet\.")
_TELEGRAM = "https://api.telegram.org"
_LOOK_SECONDS = 0.5

_log = logging.getLogger(__name__)


class _UpSettings(Settings):
    """What it is told besides.

    Attributes:
        telegram_api_url: the bot's; it says where people write to it.
    """

    telegram_api_url: str = _TELEGRAM


def run() -> NoReturn:
    """Checks what can be checked, runs the services until it is asked to stop, and exits."""
    try:
        notes = check()
    except StartError as error:
        lifecycle.end("up", error)
    except KeyboardInterrupt:
        sys.exit(130)
    lifecycle.run("up", _UpSettings, functools.partial(_main, notes))


async def _main(notes: Sequence[str], settings: _UpSettings, stop: asyncio.Event) -> None:
    """Keeps the services running until `stop` is set.

    Raises:
        StartError: a service cannot run with these settings, or the home folder is in use.
    """
    with _console(settings.lookalike_log) as (show, sink):
        for sentence in notes:
            _log.warning("%s", sentence)
        async with _lock(settings.lookalike_home, stop) as lock:
            if lock is not None:
                await _supervise(show, sink, settings, lock, stop)


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
def _console(style: Style) -> Generator[tuple[Callable[[str, str], None], LogSink], None, None]:
    """Gives what prints a line of a service, and where it goes.

    A console that is at rest or gone stops nobody.
    """
    look: Callable[[str, str], str] = printing.as_json
    if style == "text":
        look = printing.coloured if sys.stderr.isatty() else printing.plain
    sink = LogSink(sys.stderr.fileno(), lambda count: look("up", notice(count)))
    try:
        with logs.sent_to(printing.Stream(lambda line: sink.write(look("up", line)))):
            yield lambda service, line: sink.write(look(service, line)), sink
    finally:
        sink.close()


async def _supervise(
    show: Callable[[str, str], None],
    sink: LogSink,
    settings: _UpSettings,
    lock: int,
    stop: asyncio.Event,
) -> None:
    loop = asyncio.get_running_loop()
    telegram = settings.telegram_api_url.rstrip("/")
    offer = functools.lru_cache(functools.partial(_offer_link, settings.lookalike_home, telegram))
    bot_name: asyncio.Future[str] = loop.create_future()

    def listen(line: str) -> None:
        if (match := _BOT_NAME.search(message_of(line))) and not loop.is_closed():
            loop.call_soon_threadsafe(take_name, match.group(1))
        if match := _NO_OWNER.search(message_of(line)):
            offer(match.group(1))
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

    def get_on() -> bool:
        return all(service.gets_on for service in (dbservice, generator, bot))

    tasks = [
        asyncio.create_task(task)
        for task in (
            stop.wait(),
            dbservice.run(),
            generator.run(),
            run_bot(),
            _announce(bot_name, telegram, generator, bot),
            watchdog.feed(get_on),
            losses.note(sink, settings.lookalike_home),
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


def _offer_link(home: Path, telegram: str, bot_name: str) -> None:
    """Prints a link with which the bot is owned, on standard output: it is nothing for a log."""

    def offer() -> None:
        with contextlib.suppress(OSError):  # nobody reads it
            click.echo(ownership.invitation(home, bot_name, telegram))

    # A console that is at rest must stop nobody.
    threading.Thread(target=offer, daemon=True).start()


async def _announce(bot_name: Awaitable[str], telegram: str, *services: Supervisor) -> NoReturn:
    """Says where people write to the bot, once the services are ready and the model is loaded.

    At another Bot API server than Telegram's, such as a sandbox, that is where this one is.
    """
    name = await bot_name
    for service in services:
        while not await is_ready(service.address):  # noqa: ASYNC110, another process has the event
            await asyncio.sleep(_LOOK_SECONDS)
    _log.info(
        "Ready: %s", f"https://t.me/{name}" if telegram == _TELEGRAM else f"@{name} at {telegram}/"
    )
    while True:
        await asyncio.Future()
