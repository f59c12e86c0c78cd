"""Puts the bot together: application, handlers, tick; and runs it."""

import asyncio
import contextlib
import datetime as dt
import logging
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from telegram import BotCommand, Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import (
    AIORateLimiter,
    Application,
    ApplicationBuilder,
    ContextTypes,
    Defaults,
)
from telegram.request import HTTPXRequest

from bot import captioners, handlers, health
from bot.clients.dbservice import DatabaseClient
from bot.clients.generator import GeneratorClient
from bot.messenger import Messenger
from bot.pace import EditPace
from bot.polling import CONFLICT, Polling
from bot.receive import Receiver
from bot.services import Services
from bot.settings import BotSettings
from bot.texts import en
from bot.tick import Tick
from lookalike.errors import StartError
from lookalike.lifecycle import address_of, bind, together

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 5.0
_UPDATER_STOP_SECONDS = 2.0
_READY_SECONDS = 60.0  # a long poll, and some patience
_UPDATES = [Update.MESSAGE, Update.CALLBACK_QUERY]

BotApplication = Application[Any, Any, Any, Any, Any, Any]


def _quiet_libraries() -> None:
    """Faults that are expected are one line of ours, never a library's traceback."""
    # A tick that is due while one runs is skipped, which APScheduler finds worth a warning.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    for name in ("ext.AIORateLimiter", "ext.Updater", "request.BaseRequest"):
        logging.getLogger(f"telegram.{name}").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class RunningBot:
    """A bot that runs; see `lookalike.lifecycle.Service`."""

    address: str
    stop: asyncio.Event


@contextlib.asynccontextmanager
async def running(settings: BotSettings) -> AsyncIterator[RunningBot]:
    """Runs the bot while the context lasts.

    Raises:
        StartError: the bot cannot start or go on.
    """
    stop = asyncio.Event()
    _quiet_libraries()
    bound = bind(settings.bot_listen, "BOT_LISTEN")
    failure: list[str] = []

    def give_up(sentence: str) -> None:
        failure.append(sentence)
        # Not before the poll that said so has come to its end.
        asyncio.get_running_loop().call_later(0.1, stop.set)

    polling = Polling(give_up)
    database = DatabaseClient(settings.dbservice_address, settings.bearer_token)
    key = settings.azure_vision_key
    captioner = captioners.create(
        settings.captioner,
        azure_endpoint=settings.azure_vision_endpoint,
        azure_key=key.get_secret_value() if key else None,
    )
    application = _application(settings, Receiver(database, settings.bot_id), polling)

    def wake() -> None:
        tick.ask_again()
        job.job.modify(next_run_time=dt.datetime.now(dt.UTC))

    generator = GeneratorClient(settings.generator_url, settings.bearer_token)
    services = Services(
        database=database,
        generator=generator,
        captioner=captioner,
        messenger=Messenger(application.bot, EditPace()),
        wake=wake,
        notice=settings.bot_notice,
    )
    holder = f"{socket.gethostname()}/{settings.bot_listen}"
    tick = Tick(services, settings.bot_id, holder)
    job = _schedule(application, tick, settings.bot_poll_seconds)
    handlers.register(application, services)

    def trouble() -> str:
        longest_ago = time.monotonic() - _READY_SECONDS
        if polling.in_conflict:
            return CONFLICT
        if polling.last_success < longest_ago:
            return f"Telegram has answered no poll for {_READY_SECONDS:g} s"
        if tick.last_success < longest_ago:
            return f"dbservice has given no work for {_READY_SECONDS:g} s"
        return ""

    try:
        async with (
            health.serve(bound, trouble),
            together(stop, _serve(application, polling, tick, stop)),
        ):
            yield RunningBot(address_of(bound), stop)
    finally:
        generator.close()
        await captioner.close()
        await database.disconnect()
    if failure:
        raise StartError(failure[0])


def _application(settings: BotSettings, receiver: Receiver, polling: Polling) -> "BotApplication":
    return (
        ApplicationBuilder()
        .token(settings.telegram_bot_token.get_secret_value())
        .base_url(f"{settings.telegram_api_url}/bot")
        .base_file_url(f"{settings.telegram_api_url}/file/bot")
        .update_queue(receiver)
        .get_updates_request(polling)
        .request(HTTPXRequest(connection_pool_size=64, read_timeout=20, pool_timeout=10))
        .rate_limiter(AIORateLimiter())
        .defaults(Defaults(allow_sending_without_reply=True))
        .concurrent_updates(True)
        .build()
    )


def _schedule(application: "BotApplication", tick: Tick, seconds: float) -> Any:
    if application.job_queue is None:
        raise StartError("python-telegram-bot lacks its job queue; install lookalike[bot].")

    async def run_tick(_context: ContextTypes.DEFAULT_TYPE) -> None:
        await tick.run()

    return application.job_queue.run_repeating(
        run_tick,
        interval=seconds,
        first=0.01,
        name="tick",
        job_kwargs={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )


async def _serve(
    application: "BotApplication", polling: Polling, tick: Tick, stop: asyncio.Event
) -> None:
    if not await _initialize(application, stop):
        return
    try:
        updater = application.updater
        assert updater is not None  # noqa: S101, the builder makes one
        await updater.start_polling(
            bootstrap_retries=-1, allowed_updates=_UPDATES, error_callback=polling.on_error
        )
        await application.start()
        _log.info("Serving as @%s.", application.bot.username)
        try:
            await stop.wait()
        finally:
            # It would sleep through its own back-off, up to half a minute.
            with contextlib.suppress(TimeoutError, TelegramError):
                await asyncio.wait_for(updater.stop(), _UPDATER_STOP_SECONDS)
            await application.stop()
            await tick.stop()
    finally:
        await application.shutdown()


async def _initialize(application: "BotApplication", stop: asyncio.Event) -> bool:
    """Waits for Telegram, as long as it takes; False if we are to stop before that."""
    told = False
    while not stop.is_set():
        try:
            await application.initialize()
            await application.bot.set_my_commands(
                [BotCommand(name, words) for name, words in en.COMMANDS]
            )
        except InvalidToken:
            raise StartError(
                "Telegram does not know this TELEGRAM_BOT_TOKEN; copy it again from @BotFather."
            ) from None
        except TelegramError as error:
            if not told:
                _log.warning("Telegram cannot be reached (%s); trying on.", error.message)
            told = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _RETRY_SECONDS)
        else:
            return True
    return False
