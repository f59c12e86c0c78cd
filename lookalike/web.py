"""Serves an ASGI application with uvicorn, under our own start and stop."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Any

import uvicorn

from lookalike.waiting import any_of


class _Server(uvicorn.Server):
    """Stops when it is asked to, and leaves the signals to `lookalike.lifecycle`."""

    def __init__(self, config: uvicorn.Config, stop: asyncio.Event) -> None:
        super().__init__(config)
        self._stop = stop

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Captures none."""
        yield

    async def main_loop(self) -> None:
        """Wakes once a second, for the Date header, where uvicorn's own does ten times."""
        while not self._stop.is_set():
            await self.on_tick(0)
            await any_of(self._stop, seconds=1.0)


async def serve(app: Any, bound: socket.socket, stop: asyncio.Event) -> None:
    """Serves `app` on a bound socket until `stop` is set; open requests get 3 s to end."""
    config = uvicorn.Config(
        app,
        log_config=None,  # the root handlers redact
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    await _Server(config, stop).serve(sockets=[bound])
