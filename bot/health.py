"""The bot's health checks over HTTP: /health/live and /health/ready."""

import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def serve(bound: socket.socket, trouble: Callable[[], str]) -> AsyncGenerator[None, None]:
    """Serves the checks on a bound socket.

    `trouble` says why the bot does not do its work just now; "" if it does.
    """

    async def live(_request: web.Request) -> web.Response:
        return web.Response(text="live\n")

    async def readiness(_request: web.Request) -> web.Response:
        if words := trouble():
            return web.Response(text=f"not ready: {words}\n", status=503)
        return web.Response(text="ready\n")

    app = web.Application()
    app.add_routes([web.get("/health/live", live), web.get("/health/ready", readiness)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        yield
    finally:
        await runner.cleanup()
