"""What a service counts and measures, as Prometheus reads it.

Each service has a registry of its own and serves it at `/metrics`. Names and units are those of
prometheus.io, "Metric and label naming". A label has a few values that the code knows; none is
about users, chats or what somebody wrote, so that there are no more series the more people come.
"""

import asyncio
import ipaddress
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lookalike import __version__
from lookalike.disk import free_bytes
from lookalike.settings import LOOPBACK_HOSTS
from lookalike.tokens import same_token

PATH: Final = "/metrics"

CALL_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Bounds of histograms for what takes milliseconds, until it does not."""

STAGE_SECONDS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Likewise for what may have to wait for its turn."""

PATIENCE_SECONDS: Final = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600)
"""Bounds of histograms for what people wait for."""

_LOOK_SECONDS = 5.0

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""What a proxy says of whom it asks for."""

Find = Callable[[], Awaitable[Iterable[Metric]]]
"""Looks up what is not counted as it happens."""

_log = logging.getLogger(__name__)

# When each series began: Prometheus finds that out by itself, and it doubles what is told.
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations


class Metrics:
    """A service's: what it counts, and what is looked up when it is scraped.

    Attributes:
        registry: has all of it.
    """

    def __init__(self) -> None:
        """Knows the process: memory, processor, open files, start, and the version."""
        self.registry = CollectorRegistry()
        self._looked_up: list[_LookedUp] = []
        ProcessCollector(registry=self.registry)
        build = Info("lookalike_build", "The version that runs.", registry=self.registry)
        build.info({"version": __version__})

    def look_up(self, find: Find, seconds: float = 0.0) -> None:
        """Has something looked up when it is scraped.

        It is missing from a scrape in which it fails, or takes too long; the rest is there.

        Args:
            find: looks it up.
            seconds: for how long what was found is good enough.
        """
        looked_up = _LookedUp(find, seconds)
        self._looked_up.append(looked_up)
        self.registry.register(looked_up)

    def route(self, token: str, *, behind_proxy: bool = False) -> Route:
        """Where a service is scraped.

        Whoever asks from this machine needs no token, unless a proxy asks for somebody else.

        Args:
            token: the bearer token that others need.
            behind_proxy: whether a proxy on this machine may ask without saying so.
        """

        async def answer(request: Request) -> Response:
            if behind_proxy or not _is_local(request):
                scheme, _, sent = request.headers.get("authorization", "").partition(" ")
                if scheme.lower() != "bearer" or not same_token(sent.strip(), token):
                    return PlainTextResponse(
                        "A token is needed.\n",
                        status_code=HTTPStatus.UNAUTHORIZED,
                        headers={"WWW-Authenticate": "Bearer"},
                    )
            await asyncio.gather(*(each.refresh() for each in self._looked_up))
            encode, media_type = choose_encoder(request.headers.get("accept", ""))
            content = await asyncio.to_thread(encode, self.registry)
            headers = {"Content-Type": media_type, "Cache-Control": "no-store"}
            return Response(content, headers=headers)

        return Route(PATH, answer)


class _LookedUp(Collector):
    """What was last found."""

    def __init__(self, find: Find, seconds: float) -> None:
        self._find = find
        self._seconds = seconds
        self._found: Iterable[Metric] = ()
        self._good_until = -math.inf
        self._finding: asyncio.Task[Iterable[Metric]] | None = None
        self._is_missing = False

    def collect(self) -> Iterable[Metric]:
        return self._found

    async def refresh(self) -> None:
        """Looks again, unless what was found is good enough.

        One look is under way at a time: what hangs costs one thread, or one connection.
        """
        if time.monotonic() < self._good_until:
            return
        finding = self._finding = self._finding or asyncio.create_task(self._look())
        await asyncio.wait({finding}, timeout=_LOOK_SECONDS)
        if not finding.done():
            self._miss("it takes too long")
            return
        self._finding = None
        if (error := finding.exception()) is not None:
            self._miss(str(error) or type(error).__name__)
            return
        self._found, self._is_missing = finding.result(), False
        self._good_until = time.monotonic() + self._seconds

    async def _look(self) -> Iterable[Metric]:
        return await self._find()

    def _miss(self, reason: str) -> None:
        if not self._is_missing:  # else that was said
            _log.info("A figure for /metrics is missing: %s", reason)
        self._found, self._is_missing = (), True


def gauge(
    name: str,
    words: str,
    values: float | Mapping[str, float],
    label: str = "",
) -> Metric:
    """A gauge that was looked up.

    Args:
        name: without `lookalike_`.
        words: what it is.
        values: its value; or the values by the label's.
        label: its name, if there is one.
    """
    if not isinstance(values, Mapping):
        return GaugeMetricFamily(f"lookalike_{name}", words, values)
    metric = GaugeMetricFamily(f"lookalike_{name}", words, labels=[label])
    for value, number in values.items():
        metric.add_metric([value], number)
    return metric


async def free_disk(folders: Sequence[Path]) -> Iterable[Metric]:
    """What is left on the disk, of those that the folders are on, that has least."""
    left = await asyncio.to_thread(lambda: min(map(free_bytes, folders)))
    return [gauge("disk_free_bytes", "On the disk that has least.", left)]


def transaction_seconds(registry: CollectorRegistry) -> Callable[[float], None]:
    """Takes what each transaction took; see `Transactional`."""
    histogram = Histogram(
        "lookalike_transaction_seconds",
        "How long a transaction took, without waiting for its turn.",
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


def _is_local(request: Request) -> bool:
    """Whether it comes from this machine, for nobody else.

    A page in a browser here that has its own name lead to this machine says so by that name.
    """
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    is_loopback = ipaddress.ip_address(request.client.host).is_loopback
    return is_loopback and request.url.hostname in LOOPBACK_HOSTS
