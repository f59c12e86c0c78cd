"""The metrics of dbservice: what its observers hear, and what the rows say when it is scraped."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import Metric
from starlette.applications import Starlette

from dbservice.errors import ServiceError
from dbservice.observers import Observer, RetentionDone, RpcDone, SweepDone
from dbservice.settings import DbserviceSettings
from dbservice.store import Store
from dbservice.transactions import census, limits
from lookalike import web
from lookalike.lifecycle import bind
from lookalike.metrics import CALL_SECONDS, Metrics, free_disk, gauge, transaction_seconds


class MetricsObserver(Observer):
    """Counts what happens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Nothing has happened yet."""
        self._rpcs = Histogram(
            "lookalike_rpc_seconds",
            "What a call took, by its method and gRPC's status code.",
            ["method", "code"],
            buckets=CALL_SECONDS,
            registry=registry,
        )
        self._received = Counter(
            "lookalike_rpc_received_bytes", "Bytes of requests.", ["method"], registry=registry
        )
        self._sent = Counter(
            "lookalike_rpc_sent_bytes", "Bytes of responses.", ["method"], registry=registry
        )
        self._old_photos = Counter(
            "lookalike_expired_photos", "Photos deleted for their age.", registry=registry
        )
        self._unnamed = Counter(
            "lookalike_unnamed_files", "Stored files deleted that no row names.", registry=registry
        )
        self._failures = Counter(
            "lookalike_maintenance_failures",
            "Deletions that failed and are tried again.",
            registry=registry,
        )

    def rpc_done(self, call: RpcDone) -> None:
        """A call has ended."""
        self._rpcs.labels(call.method, call.code.name).observe(call.seconds)
        self._received.labels(call.method).inc(call.received)
        self._sent.labels(call.method).inc(call.sent)

    def sweep_done(self, sweep: SweepDone) -> None:
        """Stored bytes were compared with the rows."""
        if sweep.deleted:
            self._unnamed.inc(sweep.unnamed)

    def retention_done(self, retention: RetentionDone) -> None:
        """What is too old was looked for."""
        self._old_photos.inc(retention.photos)

    def maintenance_failed(self, error: ServiceError) -> None:
        """Bytes that should go are still there."""
        del error
        self._failures.inc()


class Scraped:
    """What is scraped, and where.

    Attributes:
        observer: counts.
        timed: takes what each transaction took.
    """

    def __init__(self, settings: DbserviceSettings, listen: str) -> None:
        """Listens at this address, and answers nobody yet.

        Raises:
            StartError: the port cannot be used.
        """
        self._settings = settings
        self._bound = bind(listen, "DBSERVICE_METRICS_LISTEN")
        self._metrics = Metrics()
        self.observer = MetricsObserver(self._metrics.registry)
        self.timed = transaction_seconds(self._metrics.registry)

    def close(self) -> None:
        """Listens no more."""
        self._bound.close()

    async def serve(self, store: Store, folders: Sequence[Path], stop: asyncio.Event) -> None:
        """Answers until `stop` is set; `folders` are those on whose disks the service stores."""
        self._metrics.look_up(partial(_rows, store))
        if folders:
            self._metrics.look_up(partial(free_disk, folders))
        if (captions := self._settings.bot_daily_captions) is not None:
            limit = Gauge(
                "lookalike_daily_captions_limit",
                "BOT_DAILY_CAPTIONS.",
                registry=self._metrics.registry,
            )
            limit.set(captions)
        route = self._metrics.route(self._settings.bearer_token)
        await web.serve(Starlette(routes=[route]), self._bound, stop)


async def _rows(store: Store) -> Iterable[Metric]:
    """What the rows say, of all bots; with several dbservices each says the same."""
    unfinished = await store.transact(census.unfinished)
    return [
        gauge(
            "generations_unfinished",
            "Generations that are not closed, by their state.",
            {state: count for state, (count, _) in unfinished.items()},
            "state",
        ),
        gauge(
            "generations_unfinished_oldest_seconds",
            "How long ago the oldest of them was asked for.",
            {state: age for state, (_, age) in unfinished.items()},
            "state",
        ),
        gauge(
            "kept_bytes", "Bytes of photos and pictures.", await store.transact(limits.kept_of_all)
        ),
    ]
