# ruff: noqa: N802, the contract names the methods
"""The standard health service (grpc.io, Health Checking): whether work gets done, asked each time.

The one that comes with gRPC has no `List`, is told instead of asking, and is held up for good by
one `Watch` whose caller does not read.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Final

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2 as health
from grpc_health.v1.health_pb2_grpc import HealthServicer as Contract

from dbservice.errors import not_found
from dbservice.store import Store
from lookalike import __version__
from lookalike.checks import VERSION_HEADER
from lookalike.waiting import any_of

STUCK_SECONDS: Final = 30.0
"""No transaction takes so long: it waits for a disk that does not answer, or will never end."""

_WATCH_SECONDS = 1.0

_Status = health.HealthCheckResponse


class HealthServicer(Contract):
    """The contract `grpc.health.v1.Health`."""

    def __init__(self, store: Store, names: Sequence[str], stop: asyncio.Event) -> None:
        """Answers for services.

        Args:
            store: whose transactions have to get on.
            names: the services'; "" is the server's own.
            stop: set when the server stops.
        """
        self._store = store
        self._names = names
        self._stop = stop

    async def Check(
        self,
        request: health.HealthCheckRequest,
        context: grpc.aio.ServicerContext[health.HealthCheckRequest, health.HealthCheckResponse],
    ) -> health.HealthCheckResponse:
        """How a service is now; and, in a header, of which version."""
        if request.service not in self._names:
            raise not_found("service")
        await context.send_initial_metadata(((VERSION_HEADER, __version__),))
        return self._response()

    async def List(self, _request: object, _context: object) -> Message:
        """How each service is now."""
        # The stubs that are published lack these.
        responses: type[Message] = health.HealthListResponse  # type: ignore[attr-defined]
        return responses(statuses=dict.fromkeys(self._names, self._response()))

    async def Watch(
        self, request: health.HealthCheckRequest, _context: object
    ) -> AsyncIterator[health.HealthCheckResponse]:
        """How a service is, whenever that changes, until the server stops."""
        last: health.HealthCheckResponse | None = None
        while True:
            response = self._response()
            if request.service not in self._names:
                response = _Status(status=_Status.SERVICE_UNKNOWN)
            if response != last:
                yield response
                last = response
            if self._stop.is_set():
                return
            await any_of(self._stop, seconds=_WATCH_SECONDS)

    def _response(self) -> health.HealthCheckResponse:
        began = self._store.began
        gets_on = began is None or time.monotonic() - began < STUCK_SECONDS
        well = gets_on and not self._stop.is_set()
        return _Status(status=_Status.SERVING if well else _Status.NOT_SERVING)
