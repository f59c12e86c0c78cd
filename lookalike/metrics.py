"""What a service counts and measures, as Prometheus reads it.

Each service has a registry of its own and serves it at `/metrics`. Names and units are those of
prometheus.io, "Metric and label naming". A label has a few values that the code knows; none is
about users, chats or what somebody wrote, so that there are no more series the more people come.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lookalike import __version__
from lookalike.tokens import same_token

PATH: Final = "/metrics"

CALL_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Bounds of histograms for what takes milliseconds, until it does not."""

STAGE_SECONDS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Likewise for what may have to wait for its turn."""

PATIENCE_SECONDS: Final = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600)
"""Bounds of histograms for what people wait for."""

_REFRESH_SECONDS = 5.0

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""What a proxy says of whom it asks for."""

Refresh = Callable[[], Awaitable[None]]
"""Looks up what is not counted as it happens. What it raises is logged."""

_log = logging.getLogger(__name__)

# When each series began: Prometheus finds that out by itself, and it doubles what is told.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations


def create_registry() -> CollectorRegistry:
    """A registry that knows the process: memory, processor, open files, start, and the version."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    build = Info("lookalike_build", "What runs.", registry=registry)
    build.info({"version": __version__})
    return registry


def transaction_seconds(registry: CollectorRegistry) -> Callable[[float], None]:
    """Takes what each transaction took; see `Transactional`."""
    histogram = Histogram(
        "lookalike_transaction_seconds",
        "What a transaction took, without waiting for its turn.",
        buckets=CALL_SECONDS,
        registry=registry,
    )
    return histogram.observe


def decoders_killed(registry: CollectorRegistry) -> Callable[[], None]:
    """Counts processes that an image was too much for; see `Decoder`."""
    counter = Counter(
        "lookalike_decoders_killed",
        "Processes that an image was too much for.",
        registry=registry,
    )
    return counter.inc


def route(
    registry: CollectorRegistry,
    token: str,
    refreshes: Sequence[Refresh] = (),
    *,
    behind_proxy: bool = False,
) -> Route:
    """Where a registry is scraped.

    Whoever asks from this machine needs no token, unless a proxy asks for somebody else.

    Args:
        registry: what is told.
        token: the bearer token that others need.
        refreshes: are awaited before it is told, together, for a few seconds.
        behind_proxy: whether whoever asks from this machine may be a proxy that does not say so.
    """

    async def answer(request: Request) -> Response:
        if behind_proxy or not _is_local(request):
            scheme, _, sent = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not same_token(sent.strip(), token):
                headers = {"WWW-Authenticate": "Bearer"}
                return PlainTextResponse("A token is needed.\n", status_code=401, headers=headers)
        await asyncio.gather(*map(_refreshed, refreshes))
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        content = await asyncio.to_thread(encode, registry)
        return Response(content, headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    return Route(PATH, answer)


def _is_local(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    return ipaddress.ip_address(request.client.host).is_loopback


async def _refreshed(refresh: Refresh) -> None:
    """What cannot be looked up is missing or old; the rest is worth telling."""
    try:
        async with asyncio.timeout(_REFRESH_SECONDS):
            await refresh()
    except TimeoutError:
        _log.info("A figure for /metrics took too long.")
    except Exception as error:  # noqa: BLE001, a scrape must not depend on what is measured
        _log.info("A figure for /metrics is missing: %s", error)
