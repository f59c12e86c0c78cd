"""A webhook with its HTTP route, and whoever posts there."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

from bot.transports.webhook import WebhookTransport
from bot.web import webhook as route
from bot.web.app import create_app
from lookalike import lifecycle, web
from tests.bot.transports.telegram import Door, ScriptedTelegram, newest
from tests.sandbox.client import LOOPBACK
from tests.waiting import eventually

SECRET: Final = "f00d" * 16
HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"


class Hook:
    """A transport with its HTTP route, and whoever posts there."""

    def __init__(self, transport: WebhookTransport, address: str, http: httpx.AsyncClient) -> None:
        self.transport = transport
        self.address = address
        self.receiving: asyncio.Task[None] | None = None
        self._http = http

    async def post(self, content: bytes | int, secret: str | None = SECRET) -> httpx.Response:
        """Posts a body, or an update with this number."""
        if isinstance(content, int):
            content = json.dumps({"update_id": content, "message": {"text": "hello"}}).encode()
        headers = [] if secret is None else [(HEADER.encode(), secret.encode())]
        return await self._http.post(self.url, content=content, headers=headers)

    async def get(self) -> httpx.Response:
        return await self._http.get(self.url, headers={HEADER: SECRET})

    @property
    def url(self) -> str:
        return f"http://{self.address}{route.PATH}"

    async def is_open(self) -> None:
        """Waits until the door is."""

        async def look() -> bool | None:
            return (await self.post(0)).is_success or None

        await eventually(look)


@asynccontextmanager
async def hooked(
    telegram: ScriptedTelegram,
    door: Door,
    is_newest: Callable[[], Awaitable[bool | None]] = newest,
    **options: Any,
) -> AsyncIterator[Hook]:
    bound, stop = lifecycle.bind("127.0.0.1:0", "BOT_LISTEN"), asyncio.Event()
    address = lifecycle.address_of(bound)
    url = f"http://{address}{route.PATH}"
    options = {"may_take": newest} | options
    transport = WebhookTransport(telegram.url, url, SECRET, is_newest, **options)
    app = create_app(
        [transport.check_progress], [transport.check], [route.route(SECRET, transport.take)]
    )
    serving = asyncio.create_task(web.serve(app, bound, stop))
    async with httpx.AsyncClient(timeout=20, **LOOPBACK) as http:
        hook = Hook(transport, address, http)
        hook.receiving = asyncio.create_task(transport.receive(door, stop))
        try:
            yield hook
        finally:
            stop.set()
            await asyncio.wait_for(asyncio.gather(serving, hook.receiving), 10)
