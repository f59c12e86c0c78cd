"""The bot's metrics: what its observers hear, and what dbservice knows of it when it is scraped."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.routing import Route

from bot.certificate import CertificateGauge
from bot.clients.dbservice import DatabaseClient
from bot.health import ServiceHealth
from bot.observers import Closed, Delivered, Observer, RpcDone, SendDone, StageEnded
from bot.services import Services
from bot.settings import BotSettings
from bot.web.health import Check
from lookalike import metrics
from lookalike.logs import lost_lines_file
from lookalike.metrics import CALL_SECONDS, PATIENCE_SECONDS, STAGE_SECONDS
from protos.lookalike.db.v1 import db_pb2 as db

_PERIODS: Final = ("today", "week", "all")


class MetricsObserver(Observer):
    """Counts what happens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Nothing has happened yet."""
        self._closed = Counter(
            "lookalike_pictures",
            "Pictures that are over and done with, by how they ended and why.",
            ["end", "code"],
            registry=registry,
        )
        self._delivery = Histogram(
            "lookalike_delivery_seconds",
            "From a photo, a button or words to the picture in the chat.",
            buckets=PATIENCE_SECONDS,
            registry=registry,
        )
        self._captioning = Histogram(
            "lookalike_caption_seconds",
            "From asking the captioner to its answer, of pictures that were sent.",
            buckets=CALL_SECONDS,
            registry=registry,
        )
        self._waiting = Histogram(
            "lookalike_waiting_seconds",
            "From submitting a job to seeing it run, of pictures that were sent; 0 where no look "
            "saw it wait.",
            buckets=PATIENCE_SECONDS,
            registry=registry,
        )
        self._painting = Histogram(
            "lookalike_painting_seconds",
            "From seeing a job run to seeing it finished, of pictures that were sent.",
            buckets=PATIENCE_SECONDS,
            registry=registry,
        )
        self._stages = Histogram(
            "lookalike_stage_seconds",
            "What a stage took.",
            ["stage", "outcome"],
            buckets=STAGE_SECONDS,
            registry=registry,
        )
        self._sends = Histogram(
            "lookalike_send_seconds",
            "What a call of the Bot API took, its turn included. The outcome too-many-requests is "
            "Telegram's 429.",
            ["method", "outcome"],
            buckets=STAGE_SECONDS,
            registry=registry,
        )
        self._rpcs = Histogram(
            "lookalike_call_seconds",
            "What a call of dbservice or the generator took.",
            ["service", "method", "outcome"],
            buckets=CALL_SECONDS,
            registry=registry,
        )

    def stage_ended(self, event: StageEnded) -> None:
        """A stage has ended."""
        self._stages.labels(event.stage, event.outcome).observe(event.seconds)

    def delivered(self, event: Delivered) -> None:
        """A picture was sent, and that is recorded."""
        self._delivery.observe(event.seconds)
        if event.caption_seconds is not None:
            self._captioning.observe(event.caption_seconds)
        if event.picture_seconds is not None:
            # Those that need not wait count, too: without them waits would look longer.
            self._waiting.observe(event.waiting_seconds or 0.0)
            self._painting.observe(event.picture_seconds)

    def closed(self, event: Closed) -> None:
        """A generation is over."""
        for ending in event.endings:
            self._closed.labels(*ending).inc()

    def send_done(self, event: SendDone) -> None:
        """A call of the Bot API has ended."""
        self._sends.labels(event.method, event.outcome).observe(event.seconds)

    def rpc_done(self, event: RpcDone) -> None:
        """A call of another service has ended."""
        self._rpcs.labels(event.service, event.method, event.outcome).observe(event.seconds)


def scraped(
    registry: CollectorRegistry,
    settings: BotSettings,
    public_url: str | None,
    services: Services,
    ready: Sequence[Check],
    database_health: ServiceHealth,
) -> Route:
    """Where the bot is scraped; it then tells how it is, besides what was counted.

    Args:
        registry: what was counted.
        settings: what the bot is told.
        public_url: under which people reach the route, too, by a proxy that may not say so.
        services: what the bot works with.
        ready: what keeps it from its work.
        database_health: how dbservice was last seen.
    """
    _watch(registry, services, ready, database_health)
    registry.register(LostLines(settings.lookalike_home))
    refreshes = [StatisticsGauges(registry, services.database, settings.bot_id).refresh]
    if public_url is not None and public_url.startswith("https:"):
        refreshes.append(CertificateGauge(registry, public_url).refresh)
    return metrics.route(
        registry, settings.bearer_token, refreshes, behind_proxy=public_url is not None
    )


def _watch(
    registry: CollectorRegistry,
    services: Services,
    ready: Sequence[Check],
    database_health: ServiceHealth,
) -> None:
    is_ready = Gauge("lookalike_ready", "1: it does its work.", registry=registry)
    is_ready.set_function(lambda: not any(check() for check in ready))
    leases = Gauge(
        "lookalike_generations_leased", "Generations leased to this bot.", registry=registry
    )
    leases.set_function(lambda: len(services.memories))
    up = Gauge(
        "lookalike_dependency_up",
        "1: what it depends on answered when it was last asked, or was not asked yet.",
        ["service"],
        registry=registry,
    )
    for name, health in (
        ("captioner", services.captioner_health),
        ("dbservice", database_health),
        ("generator", services.generator_health),
    ):
        up.labels(name).set_function(partial(_is_up, health))


def _is_up(health: ServiceHealth) -> float:
    return float(not health.in_trouble)


class LostLines(Collector):
    """Lines of the log that `lookalike up` could not write."""

    def __init__(self, home: Path) -> None:
        self._file = lost_lines_file(home)

    def collect(self) -> Iterable[Metric]:
        """None where no `lookalike up` has started the bot."""
        with suppress(OSError, ValueError):
            yield CounterMetricFamily(
                "lookalike_log_lost_lines",
                "Lines of the log that could not be written, since the start of `lookalike up`.",
                int(self._file.read_text(encoding="ascii")),
            )


class StatisticsGauges:
    """What /stats tells, for the same question is asked."""

    def __init__(self, registry: CollectorRegistry, database: DatabaseClient, bot_id: int) -> None:
        """Asks this dbservice about a bot."""
        self._database = database
        self._request = db.GetStatisticsRequest(bot_id=bot_id)

        def counted(name: str, words: str) -> Gauge:
            return Gauge(f"lookalike_{name}", f"{words}; as /stats.", ["period"], registry=registry)

        self._counts = {
            "people": counted("stats_people", "People who use the bot"),
            "photos": counted("stats_photos", "Photos"),
            "pictures": counted("stats_pictures", "Pictures that were begun"),
            "refusals": counted("stats_refusals", "What was not begun because of a limit"),
            "captions": counted("stats_captions", "Captions asked of a captioner that costs"),
        }
        self._medians = {
            "waiting_seconds": counted("stats_waiting_seconds", "How long a picture waits, median"),
            "painting_seconds": counted("stats_painting_seconds", "How long it takes, median"),
        }
        self._unfinished = Gauge(
            "lookalike_stats_unfinished",
            "Pictures that are not over; as /stats.",
            registry=registry,
        )

    async def refresh(self) -> None:
        """Asks anew."""
        found = await self._database.get_statistics(self._request)
        for period in _PERIODS:
            statistics = getattr(found, period)
            for name, gauge in self._counts.items():
                gauge.labels(period).set(getattr(statistics, name))
            for name, gauge in self._medians.items():
                if statistics.HasField(name):
                    gauge.labels(period).set(getattr(statistics, name))
                else:
                    gauge.remove(period)
        self._unfinished.set(found.unfinished)
