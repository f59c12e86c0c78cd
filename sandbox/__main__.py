"""`python -m sandbox`."""

import asyncio
import contextlib
import logging
import socket

from lookalike import lifecycle, web
from lookalike.errors import StartError
from sandbox.app import create_app
from sandbox.bot import BotAccount
from sandbox.faults import Faults
from sandbox.settings import SandboxSettings
from sandbox.state import Sandbox
from sandbox.store import Store
from sandbox.updates import Poller
from sandbox.webhook import deliver

_log = logging.getLogger("sandbox")


async def main(settings: SandboxSettings, stop: asyncio.Event) -> None:
    """Serves until `stop` is set."""
    bound = _bind(settings.sandbox_listen, settings.sandbox_ports)
    store = await Store.open(settings.folder("sandbox"))
    bot = BotAccount(settings.telegram_bot_token.get_secret_value())
    sandbox = Sandbox(store, bot, Poller(store, stop), Faults(), settings.sandbox_note, stop)
    delivery = asyncio.create_task(deliver(store, stop))
    host, port = bound.getsockname()[:2]
    _log.info("Listening on %s:%d.", host, port)
    try:
        await web.serve(create_app(sandbox), bound, stop)
    finally:
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)
        await store.close()


def _bind(listen: str, ports: int) -> socket.socket:
    """Binds the port, or the first free one of as many.

    Raises:
        StartError: none is free; it tells of the last one.
    """
    host, _, first = listen.rpartition(":")
    *others, last = range(int(first), min(int(first) + ports, 65_536))
    for port in others:
        with contextlib.suppress(StartError):
            return lifecycle.bind(f"{host}:{port}", "SANDBOX_LISTEN")
    return lifecycle.bind(f"{host}:{last}", "SANDBOX_LISTEN")


if __name__ == "__main__":
    lifecycle.run("sandbox", SandboxSettings, main)
