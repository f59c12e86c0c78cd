"""A Telegram that hands out updates byte by byte as a test says, whatever these bytes are."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from bot.transports.base import Json, NotNow
from tests.waiting import eventually

TOKEN = "10001:a-token-of-no-bot"

_MESSAGE = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "x"}
_RESULTS: dict[str, Any] = {
    "getMe": {"id": 10001, "is_bot": True, "first_name": "L", "username": "Lookalike"},
    "getChatAdministrators": [],
    "getFile": {"file_id": "x", "file_unique_id": "y", "file_path": "a.png"},
    "sendMessage": _MESSAGE,
    "editMessageText": _MESSAGE,
}


class ScriptedTelegram:
    """Its updates, by number, and what it was asked.

    Attributes:
        url: the Bot API's address with the token.
        updates: the updates that wait, by number.
        refusals: HTTP statuses with which the next calls of a method are refused.
        retry_after: the seconds that a refusal asks to wait.
        webhook: what getWebhookInfo gives; setWebhook's parameters come into it.
        file: what is in every file.
        polls: the parameters of each getUpdates.
        calls: how often each method was called.
        idle: set once a poll waits for an update.
    """

    def __init__(self) -> None:
        self.url = ""
        self.updates: dict[int, bytes] = {}
        self.refusals: dict[str, list[int]] = {}
        self.retry_after = 0
        self.webhook: dict[str, Any] = {"url": "", "pending_update_count": 0}
        self.file = b""
        self.polls: list[dict[str, Any]] = []
        self.calls: Counter[str] = Counter()
        self.idle = asyncio.Event()
        self._more = asyncio.Event()

    def add(self, *updates: bytes) -> None:
        """Adds updates, each an object that ends like this: `, ...}`; numbered from 1 on."""
        for update in updates:
            number = len(self.updates) + 1
            self.updates[number] = b'{"update_id": %d' % number + update
        self._more.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.calls[method] += 1
        if method == "getUpdates":
            self.polls.append(await request.json())
        if refusals := self.refusals.get(method):
            status = refusals.pop(0)
            refusal = {"ok": False, "error_code": status, "description": f"no {method}"}
            asked = {"parameters": {"retry_after": self.retry_after}} if self.retry_after else {}
            return web.json_response(refusal | asked, status=status)
        if method == "setWebhook":
            self.webhook |= await request.json()
        if method == "getWebhookInfo":
            return web.json_response({"ok": True, "result": self.webhook})
        if method != "getUpdates":
            return web.json_response({"ok": True, "result": _RESULTS.get(method, True)})
        parameters = self.polls[-1]
        chosen = self._choose(parameters)
        if not chosen and parameters["timeout"]:
            self._more.clear()
            self.idle.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), parameters["timeout"])
            chosen = self._choose(parameters)
        body = b'{"ok": true, "result": [' + b", ".join(chosen) + b"]}"
        return web.Response(body=body, content_type="application/json")

    async def download(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(body=self.file)

    def _choose(self, parameters: dict[str, Any]) -> list[bytes]:
        first = max(parameters["offset"], 1)
        last = min(first + parameters["limit"], len(self.updates) + 1)
        return [self.updates[number] for number in range(first, last)]


@asynccontextmanager
async def scripted_telegram() -> AsyncIterator[ScriptedTelegram]:
    """Serves one on loopback."""
    telegram = ScriptedTelegram()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", telegram.answer)
    app.router.add_get("/file/bot{token}/a.png", telegram.download)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    telegram.url = f"http://{host}:{port}/bot{TOKEN}"
    try:
        yield telegram
    finally:
        await runner.cleanup()


def as_update(**fields: Any) -> bytes:
    """The rest of an update, for `ScriptedTelegram.add`."""
    return b", " + json.dumps(fields).encode()[1:]


class Door:
    """Takes what comes, one at a time, but for the updates that are not to be taken now."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.passed_over: dict[int | None, bytes] = {}
        self.not_now: set[int] = set()
        self._is_busy = False

    async def put(self, update: Json) -> None:
        assert not self._is_busy
        self._is_busy = True
        try:
            await asyncio.sleep(0)
            if update["update_id"] in self.not_now:
                raise NotNow("dbservice is away")
            self.taken.append(update["update_id"])
        finally:
            self._is_busy = False

    async def pass_over(self, update_id: int | None, data: bytes, reason: str) -> None:
        assert reason
        self.passed_over[update_id] = data


async def holds(condition: Callable[[], object]) -> None:
    """Waits until the condition holds."""

    async def look() -> bool | None:
        return bool(condition()) or None

    await eventually(look)


async def newest() -> bool:
    """No process of ours came later."""
    return True
