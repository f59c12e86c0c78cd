"""All of the bot that hears and answers, between a scripted Telegram and a real dbservice."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from telegram.ext import ExtBot, JobQueue
from telegram.request import HTTPXRequest

from benchmarks.fuzz.target import Broken
from bot import app
from bot.clients.dbservice import DatabaseClient
from bot.clients.generator import GeneratorClient
from bot.context import BotData, Context
from bot.handlers import table
from bot.messenger import Messenger
from bot.pace import EditPace
from bot.receive import Receiver
from bot.scheduler import Scheduler
from bot.services import Services
from bot.transports.kept import KeptUpdates
from bot.transports.polling import PollingTransport
from bot.work.incarnation import Incarnation
from dbservice import server as dbservice
from dbservice.settings import DbserviceSettings
from tests.bot.desk import ScriptedCaptioner
from tests.bot.transports.telegram import ScriptedTelegram, scripted_telegram
from tests.sandbox.client import LOOPBACK

BOT: Final = 10001
_SERVICE_TOKEN = "the-token-between-the-services"


class _Faults(logging.Handler):
    """Collects what is logged as an error: no update is worth one."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@dataclass
class BotDoor:
    """The door, from the side of Telegram.

    Attributes:
        telegram: what the bot talks to.
        database: what it records.
    """

    telegram: ScriptedTelegram
    database: DatabaseClient
    _polling: "asyncio.Task[None]"
    _faults: _Faults

    async def throw(self, updates: list[bytes]) -> None:
        """Hands the bot updates, and waits until it has confirmed them.

        Raises:
            Broken: it polls no more, or has logged an error.
        """
        self.telegram.add(*updates)
        while not self._are_taken() and not self._polling.done():  # noqa: ASYNC110, nobody rings
            await asyncio.sleep(0.01)
        if self._polling.done():
            raise Broken("the polling has ended", b"\n".join(updates))
        if self._faults.texts:
            raise Broken(f"an error is logged: {self._faults.texts[0]}", b"\n".join(updates))

    def _are_taken(self) -> bool:
        """Whether the last update is confirmed."""
        polls = self.telegram.polls
        return bool(polls) and polls[-1]["offset"] > len(self.telegram.updates)


@asynccontextmanager
async def open_bot(folder: Path) -> AsyncIterator[BotDoor]:
    """A bot while the context lasts; nobody works on the photos."""
    log, faults, kept = logging.getLogger(), _Faults(), logging.getLogger("bot.transports.kept")
    log.addHandler(faults)
    kept.setLevel(logging.ERROR)  # else a line for most of them
    try:
        async with (
            scripted_telegram() as telegram,
            _bot(folder, telegram) as (database, polling),
        ):
            yield BotDoor(telegram, database, polling, faults)
    finally:
        log.removeHandler(faults)
        kept.setLevel(logging.NOTSET)


@asynccontextmanager
async def _bot(
    home: Path, telegram: ScriptedTelegram
) -> AsyncIterator[tuple[DatabaseClient, "asyncio.Task[None]"]]:
    async with AsyncExitStack() as stack:
        settings = DbserviceSettings(
            lookalike_home=home,
            dbservice_listen="127.0.0.1:0",
            service_token=SecretStr(_SERVICE_TOKEN),
        )
        running = await stack.enter_async_context(dbservice.running(settings))
        database = DatabaseClient(running.address, _SERVICE_TOKEN)
        stack.push_async_callback(database.disconnect)
        generator = GeneratorClient("http://127.0.0.1:1", _SERVICE_TOKEN)
        stack.callback(generator.close)
        server, _, token = telegram.url.rpartition("/bot")
        request = HTTPXRequest(connection_pool_size=64, httpx_kwargs=LOOPBACK)
        bot: ExtBot[Any] = ExtBot(
            token,
            f"{server}/bot",
            f"{server}/file/bot",
            request=request,
            get_updates_request=request,
        )
        services = Services(database, generator, ScriptedCaptioner(), Messenger(bot, EditPace()))
        queue: JobQueue[Context] = JobQueue()
        data = BotData(services, Scheduler(queue, _no_tick, 10.0))
        application = app.create_application(bot, queue, data)
        receiver = Receiver(
            bot,
            KeptUpdates(home / "undecoded"),
            table.register(application, services),
            application.update_queue,
            services.traces,
        )
        await application.initialize()
        stack.push_async_callback(application.shutdown)
        await application.start()
        stack.push_async_callback(application.stop)
        stop = asyncio.Event()
        transport = PollingTransport(telegram.url, Incarnation(database, BOT).is_newest)
        polling = asyncio.create_task(transport.receive(receiver, stop))

        async def end() -> None:
            stop.set()
            await polling

        stack.push_async_callback(end)
        yield database, polling


async def _no_tick() -> None:
    return
