"""What Ray Serve's HTTP proxy shows of one replica: the same applications, on a real port."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from generator.executors.base import Executor
from generator.executors.ray import RayExecutor
from generator.executors.wire import ReplicasLine
from generator.observers import Observer
from generator.ray.ingress import Painter, painter_app, replicas_app
from tests.generator.stack import TOKEN
from tests.waiting import eventually


class Listener(Observer):
    """Hears whether anything is computed.

    Attributes:
        heard: the reasons why not; "" when it is again.
        broken: why batches broke off.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.broken: list[str] = []

    def executor_away(self, reason: str) -> None:
        self.heard.append(reason)

    def executor_back(self) -> None:
        self.heard.append("")

    def batch_broken(self, _job_ids: object, error: Exception) -> None:
        self.broken.append(str(error))


class Proxy:
    """It can be stopped and started again, and told to answer otherwise.

    Attributes:
        status: that calls are answered with; None: as a replica does.
        replicas: how many there are.
        ready: whether the application is.
        stuck: what did not end was noticed.
    """

    def __init__(self, executor: Executor) -> None:
        self.status: int | None = None
        self.replicas = 1
        self.ready = True
        self.stuck = asyncio.Event()
        self.painter = Painter(executor, {"fast": "It has no weights."}, self.stuck.set)
        self._app = painter_app(self.painter, TOKEN)
        self._all = Starlette(
            routes=[
                Mount("/painter", self._calls),
                Mount("/replicas", replicas_app(self._count, TOKEN)),
            ],
            lifespan=self.painter.loaded,
        )
        self._bound = _bind(0)
        self.port = self._bound.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    async def start(self) -> None:
        if self._bound.fileno() < 0:
            self._bound = _bind(self.port)
        config = uvicorn.Config(self._all, log_config=None, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server._serve([self._bound]))

        async def started() -> bool | None:
            return self._server.started or None

        await eventually(started)

    async def stop(self) -> None:
        """As if it was killed: connections are refused, and those there are reset."""
        for server in self._server.servers:
            server.close()
        self.drop()
        self._server.should_exit = True
        await self._serving
        self._bound.close()

    def drop(self) -> None:
        for connection in tuple(self._server.server_state.connections):
            connection.transport.abort()

    async def _calls(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app if self.status is None else PlainTextResponse("no", self.status)
        await app(scope, receive, send)

    async def _count(self) -> ReplicasLine:
        return ReplicasLine(running=self.replicas, ready=self.ready)


def _bind(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    bound.listen()
    return bound


@asynccontextmanager
async def proxied(executor: Executor) -> AsyncGenerator[Proxy]:
    """An executor behind a proxy."""
    proxy = Proxy(executor)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()


@asynccontextmanager
async def asking(proxy: Proxy, *observers: Observer) -> AsyncGenerator[RayExecutor]:
    """Who asks it, and knows the model."""
    executor = RayExecutor(proxy.url, TOKEN, observers)
    try:
        await executor.load()
        yield executor
    finally:
        await executor.close()
