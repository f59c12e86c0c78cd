"""`python -m sandbox`."""

import asyncio
import logging

from lookalike import lifecycle, web
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
    bound = lifecycle.bind(settings.sandbox_listen, "SANDBOX_LISTEN")
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


if __name__ == "__main__":
    lifecycle.run("sandbox", SandboxSettings, main)
