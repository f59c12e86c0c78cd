"""The sandbox as a service: puts it together and serves it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

from lookalike import lifecycle, web
from lookalike.errors import StartError
from lookalike.imaging.decoder import Decoder
from sandbox.app import create_app
from sandbox.faults import Faults
from sandbox.settings import SandboxSettings
from sandbox.state import Sandbox
from sandbox.storage.database import Database
from sandbox.telegram.account import BotAccount
from sandbox.telegram.updates import Poller
from sandbox.telegram.webhook import Deliveries


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox that runs; see `lookalike.lifecycle.Service`."""

    address: str
    stop: asyncio.Event


@contextlib.asynccontextmanager
async def running(settings: SandboxSettings) -> AsyncIterator[RunningSandbox]:
    """Serves while the context lasts.

    Raises:
        StartError: the port or the database cannot be used.
    """
    stop = asyncio.Event()
    bound = _bind(settings.sandbox_listen, settings.sandbox_ports)
    database = await Database.open(settings.folder("sandbox"))
    bot = BotAccount(settings.telegram_bot_token.get_secret_value())
    faults, decoder = Faults(), Decoder()
    poller, deliveries = Poller(database, stop), Deliveries(database, faults, stop)
    note = settings.sandbox_note
    sandbox = Sandbox(database, bot, poller, deliveries, decoder, faults, note, stop)
    serving = web.serve(create_app(sandbox), bound, stop)
    try:
        async with lifecycle.together(stop, serving, deliveries.run()):
            yield RunningSandbox(lifecycle.address_of(bound), stop)
    finally:
        await decoder.close()
        await database.close()


def _bind(listen: str, ports: int) -> socket.socket:
    """Binds the port, or the next free one of so many.

    Raises:
        StartError: none is free; the message is about the last one.
    """
    host, _, first = listen.rpartition(":")
    *others, last = range(int(first), min(int(first) + ports, 65_536))
    for port in others:
        with contextlib.suppress(StartError):
            return lifecycle.bind(f"{host}:{port}", "SANDBOX_LISTEN")
    return lifecycle.bind(f"{host}:{last}", "SANDBOX_LISTEN")
