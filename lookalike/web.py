"""Serves an ASGI application with uvicorn, under our own start and stop."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves the signals to `lookalike.lifecycle`."""
        yield


async def serve(app: Any, bound: socket.socket, stop: asyncio.Event) -> None:
    """Serves `app` on a bound socket until `stop` is set; open requests get 3 s to end."""
    config = uvicorn.Config(
        app,
        log_config=None,  # the root handlers redact
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    server = _Server(config)

    async def end() -> None:
        await stop.wait()
        server.should_exit = True

    watcher = asyncio.create_task(end())
    try:
        await server.serve(sockets=[bound])
    finally:
        watcher.cancel()
