"""What the bot tells when it is scraped, besides what its observer has counted."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, Metric
from starlette.routing import Route

from bot import certificate
from bot.clients.dbservice import DatabaseClient
from bot.health import ServiceHealth
from bot.services import Services
from bot.settings import BotSettings
from bot.web.health import Check
from lookalike.logs import lost_lines_file
from lookalike.metrics import Metrics, gauge
from protos.lookalike.db.v1 import db_pb2 as db

_CERTIFICATE_SECONDS: Final = 3600.0

_STATISTICS_SECONDS: Final = 60.0
"""What /stats tells costs dbservice more than any other question."""

_PERIODS: Final = ("today", "week", "all")

_COUNTS: Final = {
    "people": "People who use the bot",
    "photos": "Photos",
    "pictures": "Pictures that were begun",
    "refusals": "What was not begun because of a limit",
    "captions": "Captions asked of a captioner that costs",
}
_MEDIANS: Final = {
    "waiting_seconds": "The median wait for a picture's turn",
    "painting_seconds": "The median time that a picture takes then",
}


def exposed(
    metrics: Metrics,
    settings: BotSettings,
    public_url: str | None,
    services: Services,
    ready: Sequence[Check],
    database_health: ServiceHealth,
) -> Route:
    """Where the bot is scraped.

    Args:
        metrics: what was counted.
        settings: what the bot is told.
        public_url: under which people reach the route, too, by a proxy that may not say so.
        services: what the bot works with.
        ready: what keeps it from its work.
        database_health: how dbservice was last seen.
    """
    dependencies = {
        "captioner": services.captioner_health,
        "dbservice": database_health,
        "generator": services.generator_health,
    }
    _expose_state(metrics.registry, services, ready, dependencies)
    statistics = partial(_statistics, services.database, settings.bot_id)
    metrics.look_up(statistics, _STATISTICS_SECONDS)
    metrics.look_up(partial(_lost_lines, lost_lines_file(settings.lookalike_home)))
    if public_url is not None and public_url.startswith("https:"):
        metrics.look_up(partial(certificate.look, public_url), _CERTIFICATE_SECONDS)
    return metrics.route(settings.bearer_token, behind_proxy=public_url is not None)


def _expose_state(
    registry: CollectorRegistry,
    services: Services,
    ready: Sequence[Check],
    dependencies: Mapping[str, ServiceHealth],
) -> None:
    """What this process knows at any time."""
    is_ready = Gauge("lookalike_ready", "1: it does its work.", registry=registry)
    is_ready.set_function(lambda: not any(check() for check in ready))
    leased = Gauge(
        "lookalike_generations_leased", "Generations leased to this bot.", registry=registry
    )
    leased.set_function(lambda: len(services.memories))
    up = Gauge(
        "lookalike_dependency_up",
        "1: what it depends on answered when it was last asked, or was not asked yet.",
        ["service"],
        registry=registry,
    )
    for name, health in dependencies.items():
        up.labels(name).set_function(partial(_is_up, health))


def _is_up(health: ServiceHealth) -> float:
    return float(not health.in_trouble)


async def _lost_lines(file: Path) -> Iterable[Metric]:
    """Lines of the log that `lookalike up` could not write; none where it does not run the bot."""
    try:
        lost = int(await asyncio.to_thread(file.read_text, encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return []
    words = "Lines of the log that could not be written, since the start of `lookalike up`."
    return [CounterMetricFamily("lookalike_log_lost_lines", words, lost)]


async def _statistics(database: DatabaseClient, bot_id: int) -> Iterable[Metric]:
    """What /stats tells, for the same question is asked."""
    found = await database.get_statistics(db.GetStatisticsRequest(bot_id=bot_id))
    of = {period: getattr(found, period) for period in _PERIODS}
    metrics = [
        gauge(
            f"stats_{name}",
            f"{words}; as in /stats.",
            {period: getattr(each, name) for period, each in of.items()},
            "period",
        )
        for name, words in _COUNTS.items()
    ]
    for name, words in _MEDIANS.items():
        known = {period: getattr(each, name) for period, each in of.items() if each.HasField(name)}
        metrics.append(gauge(f"stats_{name}", f"{words}; as in /stats.", known, "period"))
    unfinished = gauge(
        "stats_unfinished", "Pictures that are not over; as in /stats.", found.unfinished
    )
    return [*metrics, unfinished]
