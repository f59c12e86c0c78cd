"""The bot as a service: puts it together and runs it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from starlette.routing import BaseRoute, Mount, Route
from telegram.error import InvalidToken, TelegramError
from telegram.ext import (
    Application,
    ApplicationBuilder,
    ContextTypes,
    Defaults,
    ExtBot,
    JobQueue,
)
from telegram.request import BaseRequest, HTTPXRequest

from bot import captioners, profile
from bot.admins import Admins
from bot.bounded import BoundedTransport
from bot.captioners.base import Captioner
from bot.chores import Chores
from bot.clients.dbservice import DatabaseClient
from bot.clients.errors import DatabaseError
from bot.clients.generator import GeneratorClient
from bot.context import BotData, Context
from bot.exposition import exposed
from bot.handlers import table
from bot.messenger import Messenger
from bot.metrics import MetricsObserver
from bot.observed import ObservedCalls
from bot.observers import LogObserver
from bot.pace import EditPace
from bot.processing import FairUpdateProcessor
from bot.readiness import STUCK_SECONDS, Stuck
from bot.receive import Receiver
from bot.recipes.children import STEPS
from bot.scheduler import Scheduler
from bot.sending import FairRateLimiter
from bot.services import Services
from bot.settings import BotSettings
from bot.tick import Tick
from bot.transports.base import Transport
from bot.transports.calling import REVOKED_SECONDS
from bot.transports.kept import KeptUpdates
from bot.transports.polling import PollingTransport
from bot.transports.webhook import WebhookTransport
from bot.web import webhook
from bot.web.app import create_app
from bot.web.gallery import page
from bot.web.gallery.app import PATH, create_gallery
from bot.work.incarnation import Incarnation
from bot.work.leasing import Leasing
from lookalike import lifecycle, places, web
from lookalike.errors import StartError
from lookalike.imaging.decoder import Decoder
from lookalike.metrics import Metrics, decoders_killed
from lookalike.proxies import proxy_for
from lookalike.tokens import derived_secret
from lookalike.waiting import unless

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 5.0
_CONNECTIONS = 64  # to Telegram

BotApplication = Application[Any, Context, Any, Any, Any, Any]


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
    _quieten_libraries()
    stop = asyncio.Event()
    metrics = Metrics()
    observers = [LogObserver(), MetricsObserver(metrics.registry)]
    async with contextlib.AsyncExitStack() as stack:
        bound = lifecycle.bind(settings.bot_listen, "BOT_LISTEN")
        stack.callback(bound.close)
        captioner = _captioner(settings)
        stack.push_async_callback(captioner.close)
        database = DatabaseClient(settings.dbservice_address, settings.bearer_token, observers)
        stack.push_async_callback(database.disconnect)
        generator = GeneratorClient(settings.generator_url, settings.bearer_token, observers)
        stack.callback(generator.close)
        proxy = proxy_for(settings.telegram_api_url, socks=True)
        address = lifecycle.address_of(bound)
        public_url = settings.public_url_of(address)
        incarnation = await _incarnation(settings, database, public_url, stack)
        transport, routes = _transport(settings, public_url, incarnation, proxy)
        request = HTTPXRequest(
            read_timeout=20,
            pool_timeout=10,
            httpx_kwargs={
                "trust_env": False,
                "transport": BoundedTransport(proxy, _CONNECTIONS),
            },
        )
        # The library closes it only after it has met Telegram.
        stack.push_async_callback(request.shutdown)
        limiter = FairRateLimiter(incarnation.may_send, lambda: incarnation.bots)
        bot = _bot(settings, request, ObservedCalls(observers, limiter))
        messenger = Messenger(bot, EditPace())
        services = Services(
            database,
            generator,
            captioner,
            messenger,
            observers,
            access=settings.access,
            admins=Admins(settings.bot_admins),
            hears_all=settings.bot_groups == "all",
            dial=STEPS[settings.bot_dial],
            terms=settings.bot_notice,
            privacy_url=settings.bot_privacy_url,
            gallery_url=None if public_url is None else f"{public_url}{PATH}/",
            holder=incarnation.holder,
            claim=incarnation.claim,
            decoder=Decoder(killed=decoders_killed(metrics.registry)),
        )
        stack.push_async_callback(services.decoder.close)
        await services.decoder.warm()
        leasing = Leasing(database, services.memories, settings.bot_id, incarnation)
        tick = Tick(services, leasing)
        kept = KeptUpdates(settings.folder("bot") / "undecoded")
        chores = Chores(services, leasing, incarnation, kept, bot, settings)
        stack.push_async_callback(chores.stop)

        async def go_on() -> None:
            await tick.run()
            chores.begin()

        queue: JobQueue[Context] = JobQueue()
        scheduler = Scheduler(queue, go_on, settings.bot_poll_seconds)
        data = BotData(services, scheduler)
        application = create_application(bot, queue, data)
        receiver = Receiver(
            bot,
            kept,
            table.register(application, services),
            application.update_queue,
            services.traces,
        )
        ready = [leasing.check, transport.check]
        async with lifecycle.together(
            stop,
            incarnation.watch(stop),
            web.serve(
                create_app(
                    live=[partial(_check_tick, scheduler), transport.check_progress],
                    ready=ready,
                    routes=[
                        *routes,
                        exposed(metrics, settings, public_url, services, ready, leasing.health),
                        *_gallery(settings, services, bot, scheduler),
                    ],
                    note=partial(_note, incarnation),
                ),
                bound,
                stop,
            ),
            _serve(
                application,
                partial(transport.receive, receiver),
                scheduler,
                limiter,
                lambda: tick.stop(chores.stop()),
                stop,
            ),
        ):
            yield RunningBot(address, stop)


async def _incarnation(
    settings: BotSettings,
    database: DatabaseClient,
    public_url: str | None,
    stack: contextlib.AsyncExitStack,
) -> Incarnation:
    """This process; behind a public address it may be one of several.

    Raises:
        StartError: the home folder cannot be used.
    """
    if public_url is None:
        return Incarnation(database, settings.bot_id)
    home = settings.lookalike_home.absolute()
    place = await asyncio.to_thread(places.take, home, "bot")
    stack.callback(place.close)
    return Incarnation(database, settings.bot_id, public_url + webhook.PATH, place)


def _note(incarnation: Incarnation) -> str | None:
    if incarnation.epoch is None or incarnation.bots == 1:
        return None
    return f"{incarnation.bots} bots share the chats."


def _quieten_libraries() -> None:
    """Faults that are expected are one line of ours, never a library's traceback."""
    # A tick that is due while one runs is skipped, which APScheduler finds worth a warning.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("telegram.request.BaseRequest").setLevel(logging.CRITICAL)


def _check_tick(scheduler: Scheduler) -> Stuck | None:
    return Stuck.TICK if scheduler.overdue > STUCK_SECONDS else None


def _gallery(
    settings: BotSettings, services: Services, bot: ExtBot[Any], scheduler: Scheduler
) -> list[BaseRoute]:
    """Where the gallery is served; nowhere, without an address that leads there."""
    if services.gallery_url is None:
        return []
    is_local = settings.telegram_api_url.startswith("http:")  # else it would be refused
    web_clients = page.LOOPBACK if is_local else page.TELEGRAM_WEB
    served = create_gallery(
        services,
        bot,
        scheduler.wake,
        token=settings.telegram_bot_token.get_secret_value(),
        bot_id=settings.bot_id,
        key=derived_secret(settings.bearer_token, "gallery"),
        frame_ancestors=web_clients,
    )
    return [Mount(PATH, served)]


def _transport(
    settings: BotSettings, public_url: str | None, incarnation: Incarnation, proxy: str | None
) -> tuple[Transport, list[Route]]:
    """The way in for updates, and what the HTTP front serves for it at its public address."""
    bot_url = f"{settings.telegram_api_url}/bot{settings.telegram_bot_token.get_secret_value()}"
    if public_url is None:
        return PollingTransport(bot_url, incarnation.is_newest, proxy), []
    secret = settings.webhook_secret
    transport = WebhookTransport(
        bot_url,
        public_url + webhook.PATH,
        secret,
        incarnation.is_newest,
        incarnation.may_send,
        proxy,
    )
    return transport, [webhook.route(secret, transport.take)]


def _captioner(settings: BotSettings) -> Captioner:
    key = settings.azure_vision_key
    return captioners.create(
        settings.captioner,
        azure_endpoint=settings.azure_vision_endpoint,
        azure_key=key.get_secret_value() if key else None,
    )


def _bot(settings: BotSettings, request: BaseRequest, calls: ObservedCalls) -> ExtBot[Any]:
    return ExtBot(
        settings.telegram_bot_token.get_secret_value(),
        base_url=f"{settings.telegram_api_url}/bot",
        base_file_url=f"{settings.telegram_api_url}/file/bot",
        request=request,
        get_updates_request=request,  # never used: the transport polls
        defaults=Defaults(allow_sending_without_reply=True),
        rate_limiter=calls,
    )


def create_application(
    bot: ExtBot[Any], queue: "JobQueue[Context]", data: BotData
) -> BotApplication:
    """What has handlers called, with none yet."""
    # It is typed as a class that the library makes an instance of; ours is there already.
    bot_data = cast("type[BotData]", lambda: data)
    return (
        ApplicationBuilder()
        .bot(bot)
        .updater(None)
        .job_queue(queue)
        .context_types(ContextTypes(context=Context, bot_data=bot_data))
        .concurrent_updates(FairUpdateProcessor(data.services.traces))
        .build()
    )


async def _serve(
    application: BotApplication,
    receive: Callable[[asyncio.Event], Awaitable[None]],
    scheduler: Scheduler,
    limiter: FairRateLimiter,
    end: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
) -> None:
    if not await _initialize(application, stop):
        return
    try:
        gallery_url = application.bot_data.services.gallery_url
        if not await unless(stop, profile.set_up(application.bot, gallery_url)):
            return
        await application.start()
        _log.info("Serving as @%s.", application.bot.username)
        looking = asyncio.create_task(_look_for_owner(application))
        try:
            await receive(stop)
        finally:
            looking.cancel()
            scheduler.stop()
            limiter.stop()
            await application.stop()
            await end()
    finally:
        await application.shutdown()


async def _look_for_owner(application: BotApplication) -> None:
    """Says so if nobody owns the bot; `lookalike up` has a link for that."""
    services: Services = application.bot_data.services
    while services.access.policy != "everyone":
        try:
            is_owned = await services.access.is_owned(services.database, application.bot.id)
        except DatabaseError:
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            if not is_owned:
                _log.info("Nobody owns @%s yet.", application.bot.username)
            return


async def _initialize(application: BotApplication, stop: asyncio.Event) -> bool:
    """Waits for Telegram, as long as it takes; False if we are to stop before that."""
    told = ""
    refused_since: float | None = None
    while not stop.is_set():
        try:
            await application.initialize()
        except TelegramError as error:
            text = f"Telegram cannot be reached ({error.message}); still trying."
            if isinstance(error, InvalidToken):
                refused_since = refused_since or time.monotonic()
                if time.monotonic() - refused_since >= REVOKED_SECONDS:
                    raise StartError(
                        "Telegram does not know this TELEGRAM_BOT_TOKEN; copy it again from "
                        "@BotFather."
                    ) from None
                text = "Telegram does not know this TELEGRAM_BOT_TOKEN; asking for a minute."
            else:
                refused_since = None
            if text != told:
                _log.warning("%s", text)
            told = text
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _RETRY_SECONDS)
        else:
            return True
    return False
