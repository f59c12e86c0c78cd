"""The gRPC server: what stands around the servicer, from start to stop."""

import asyncio
import logging
import resource
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import grpc
from grpc._cython import cygrpc  # type: ignore[attr-defined]  # compiled, and has no stubs
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from dbservice.health import HealthServicer
from dbservice.interceptors.codec import CodecInterceptor
from dbservice.interceptors.errors import ErrorInterceptor
from dbservice.interceptors.observing import ObservingInterceptor
from dbservice.interceptors.token import TokenInterceptor
from dbservice.interceptors.tracing import TracingInterceptor
from dbservice.interceptors.validation import ValidationInterceptor
from dbservice.maintenance import maintain
from dbservice.observers import LogObserver, Observer
from dbservice.rows import rows_at
from dbservice.servicer import DatabaseServicer
from dbservice.settings import DbserviceSettings
from dbservice.store import MIGRATIONS, Store
from dbservice.tombstones import Tombstones
from dbservice.transactions.limits import Limits
from dbservice.transactions.quotas import Quotas
from lookalike.database import backend_of, create_engine
from lookalike.errors import StartError
from lookalike.lifecycle import bind, together
from lookalike.migrations import migrate
from lookalike.settings import LOOPBACK_HOSTS, folder_of
from lookalike.storage import open_blobs
from protos.lookalike.db.v1 import db_pb2
from protos.lookalike.db.v1.db_pb2_grpc import add_DatabaseServiceServicer_to_server

if TYPE_CHECKING:
    from dbservice.metrics import Scraped

_NAME = db_pb2.DESCRIPTOR.services_by_name["DatabaseService"].full_name
_MEGABYTE = 1_000_000  # as disks are sold
_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_GRACE = 3.0  # seconds that running calls get to end

_MOST_CONNECTIONS = 1000

_OPTIONS = (
    ("grpc.so_reuseport", 0),  # a second process is refused, not given half of the calls
    # A connection that is none yet, or has had no call for a while, makes room for others: within
    # that the bot asks for work.
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.max_connection_idle_ms", 15_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_concurrent_streams", 1000),
)
"""See grpc.io, C core: channel_arg_names.h."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunningDbservice:
    """A dbservice that runs; see `lookalike.lifecycle.Service`."""

    address: str
    stop: asyncio.Event


@asynccontextmanager
async def running(
    settings: DbserviceSettings,
    clock: Callable[[], datetime] | None = None,
    observers: Sequence[Observer] = (LogObserver(),),
) -> AsyncIterator[RunningDbservice]:
    """Serves while the context lasts; at its end running calls get a few seconds.

    Args:
        settings: what it is told.
        clock: tells the time; None: the database does.
        observers: are told what happens.

    Raises:
        StartError: the port, the database or the store of the bytes cannot be used.
    """
    logging.getLogger(cygrpc.__name__).addFilter(_is_news)
    host = settings.dbservice_listen.rpartition(":")[0]
    bind(settings.dbservice_listen, "DBSERVICE_LISTEN").close()  # gRPC would not say why it cannot
    async with AsyncExitStack() as stack:
        scraped = _scraped(settings, stack)
        if scraped is not None:
            observers = (*observers, scraped.observer)
        engine = create_engine(settings.database)
        store = Store(engine, clock, scraped.timed if scraped else None)
        stack.push_async_callback(store.close)
        migrate(engine, MIGRATIONS)
        _log.info("The database is %s.", backend_of(engine).named(engine))
        tombstones = Tombstones(settings.lookalike_home.absolute())
        rows = rows_at(settings, store, tombstones)
        await rows.bury()
        blobs = await open_blobs(settings.blobs, settings)
        _log.info("Photos and pictures are in %s.", settings.blobs)
        folder = folder_of(settings.blobs)
        stop = asyncio.Event()
        folders = [*rows.folders, *([] if folder is None else [folder])]
        servicer = DatabaseServicer(
            store,
            blobs,
            _limits(settings),
            Quotas(
                settings.user_daily_pictures,
                settings.bot_daily_pictures,
                settings.bot_daily_captions,
                tombstones.who,
            ),
            folders,
            tombstones=tombstones,
            forget_elsewhere=rows.forget_elsewhere,
        )
        checks = HealthServicer(store, ("", _NAME), stop)
        parts = [maintain(store, blobs, observers, stop, settings.retention, rows)]
        if scraped is not None:
            parts.append(scraped.serve(store, folders, stop))
        async with (
            together(stop, *parts),
            _serving(servicer, checks, settings, observers, stop) as port,
        ):
            if host.strip("[]") not in LOOPBACK_HOSTS:
                _log.warning("Calls to %s are not encrypted: keep the network private.", host)
            yield RunningDbservice(f"{host}:{port}", stop)


def _scraped(settings: DbserviceSettings, stack: AsyncExitStack) -> "Scraped | None":
    """Its metrics, if they are wanted; else they cost nothing, not even the HTTP server."""
    if (listen := settings.dbservice_metrics_listen) is None:
        return None
    from dbservice.metrics import Scraped

    scraped = Scraped(settings, listen)
    stack.callback(scraped.close)
    return scraped


def _limits(settings: DbserviceSettings) -> Limits:
    return Limits(
        settings.user_max_unfinished,
        _bytes(settings.user_max_megabytes),
        _bytes(settings.max_megabytes),
        retention_days=settings.retention_days,
    )


def _bytes(megabytes: int | None) -> int | None:
    return None if megabytes is None else megabytes * _MEGABYTE


def _most_connections() -> int:
    """Half of what this process may open: the other half is for its work."""
    return min(_MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether gRPC's own log says more than that a caller left in the middle of an answer.

    That is told by our observers, like every call's end, and without a traceback.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, cygrpc.ExecuteBatchError)


@asynccontextmanager
async def _serving(
    servicer: DatabaseServicer,
    checks: HealthServicer,
    settings: DbserviceSettings,
    observers: Sequence[Observer],
    stop: asyncio.Event,
) -> AsyncIterator[int]:
    """The gRPC server with what stands around the servicer; gives its port."""
    server = grpc.aio.server(
        interceptors=(
            ErrorInterceptor(),
            ObservingInterceptor(observers),
            TokenInterceptor(settings.bearer_token),
            TracingInterceptor(_NAME),
            CodecInterceptor(),
            ValidationInterceptor(_NAME),
        ),
        options=(*_OPTIONS, ("grpc.max_allowed_incoming_connections", _most_connections())),
    )
    add_DatabaseServiceServicer_to_server(servicer, server)
    add_HealthServicer_to_server(checks, server)
    names = (_NAME, _HEALTH, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    try:
        port = server.add_insecure_port(settings.dbservice_listen)
    except RuntimeError:
        where = settings.dbservice_listen
        sentence = f"DBSERVICE_LISTEN: cannot listen on {where}."
        raise StartError(sentence, passing=True) from None  # a moment ago it could
    await server.start()
    try:
        yield port
    finally:
        stop.set()
        await server.stop(_GRACE)
