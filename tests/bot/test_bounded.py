"""What is fetched is bounded while it comes, in bytes and in time, whoever sends it."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from bot import bounded
from bot.bounded import MOST_ANSWER_BYTES, BoundedTransport
from bot.captioners.azure import AzureCaptioner
from bot.captioners.base import CaptionerUnavailable
from bot.captioners.transport import MOST_BYTES as MOST_AZURE_BYTES
from bot.clients import generator
from bot.clients.generator import GeneratorClient, GeneratorUnavailable
from bot.messages import MOST_BYTES
from bot.messenger import Messenger
from bot.pace import EditPace
from bot.refusals import TelegramUnavailable, WrongFile
from tests.bot.desk import BOT_TOKEN

ID = "00000000-0000-4000-8000-000000000001"
FILE = {"ok": True, "result": {"file_id": "f", "file_unique_id": "u", "file_path": "photos/1"}}
SLACK = 16 * 1024 * 1024
"""Bytes on their way when the other side hangs up: buffers of sockets."""


class Endless:
    """Answers everything with a body without end, but for getFile.

    Attributes:
        url: where.
        sent: bytes of the last body.
        parts: of the next bodies, each with the pause before it.
        headers: of the next answers.
        hung_up: set once the other side has had enough.
    """

    def __init__(self) -> None:
        self.url = ""
        self.sent = 0
        self.part, self.pause = bytes(64 * 1024), 0.0
        self.headers: dict[str, str] = {}
        self.hung_up = asyncio.Event()

    def trickle(self) -> None:
        self.part, self.pause = b" ", 0.05

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        if request.path.endswith("/getFile"):
            return web.json_response(FILE)
        response = web.StreamResponse(headers=self.headers)
        await response.prepare(request)
        self.sent = 0
        try:
            while True:
                await response.write(self.part)
                self.sent += len(self.part)
                await asyncio.sleep(self.pause)
        finally:
            self.hung_up.set()


@pytest.fixture
async def endless() -> AsyncIterator[Endless]:
    server, app = Endless(), web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}"
    yield server
    await runner.cleanup()


@contextlib.asynccontextmanager
async def messenger(server: Endless) -> AsyncIterator[Messenger]:
    request = HTTPXRequest(httpx_kwargs={"transport": BoundedTransport(None)})
    bot: ExtBot[None] = ExtBot(
        BOT_TOKEN,
        base_url=f"{server.url}/bot",
        base_file_url=f"{server.url}/file/bot",
        request=request,
        get_updates_request=request,
    )
    await request.initialize()
    yield Messenger(bot, EditPace())
    await request.shutdown()


async def download(server: Endless) -> None:
    async with messenger(server) as telegram:
        await telegram.download("f", MOST_BYTES)


async def say(server: Endless) -> None:
    async with messenger(server) as telegram:
        await telegram.delete(1, 1, "over")


async def ask_for_a_job(server: Endless) -> None:
    client = GeneratorClient(server.url, "token")
    try:
        await client.get_job(ID)
    finally:
        client.close()


async def fetch_a_picture(server: Endless) -> None:
    client = GeneratorClient(server.url, "token")
    try:
        await client.get_image(ID, "0" * 64)
    finally:
        client.close()


async def caption(server: Endless) -> None:
    captioner = AzureCaptioner(server.url, "0" * 32)
    try:
        await captioner.caption(b"an image")
    finally:
        await captioner.close()


Fetch = Callable[[Endless], Awaitable[None]]
FETCHES: list[tuple[Fetch, int, type[Exception], type[Exception]]] = [
    (download, MOST_BYTES, WrongFile, TelegramUnavailable),
    (say, MOST_ANSWER_BYTES, TelegramUnavailable, TelegramUnavailable),
    (ask_for_a_job, generator._MOST_BYTES, GeneratorUnavailable, GeneratorUnavailable),
    (fetch_a_picture, generator._MOST_BYTES, GeneratorUnavailable, GeneratorUnavailable),
    (caption, MOST_AZURE_BYTES, CaptionerUnavailable, CaptionerUnavailable),
]


REFUSALS = tuple({row[2] for row in FETCHES} | {row[3] for row in FETCHES})


@pytest.mark.parametrize(
    ("fetch", "most", "error", "_late"), FETCHES, ids=[row[0].__name__ for row in FETCHES]
)
async def test_bytes_without_end_are_cut_off(
    endless: Endless, fetch: Fetch, most: int, error: type[Exception], _late: type[Exception]
) -> None:
    async with asyncio.timeout(60):
        with pytest.raises(error):
            await fetch(endless)
        await endless.hung_up.wait()
    assert endless.sent <= most + SLACK


@pytest.mark.long
@pytest.mark.parametrize(
    ("fetch", "_most", "_error", "late"), FETCHES, ids=[row[0].__name__ for row in FETCHES]
)
async def test_a_body_that_trickles_without_end_is_cut_off(
    endless: Endless,
    fetch: Fetch,
    _most: int,
    _error: type[Exception],
    late: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endless.trickle()
    monkeypatch.setattr(bounded, "_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(bounded, "_FILE_SECONDS", 0.5)
    monkeypatch.setattr(generator, "_WHOLE_SECONDS", 0.5)
    monkeypatch.setattr("bot.captioners.azure._DEADLINE_SECONDS", 2.0)
    async with asyncio.timeout(20):
        with pytest.raises(late):
            await fetch(endless)
        await endless.hung_up.wait()


@pytest.mark.parametrize("fetch", [download, say, ask_for_a_job, fetch_a_picture, caption])
async def test_nothing_is_unpacked(endless: Endless, fetch: Fetch) -> None:
    """A hundredth of a megabyte would be ten."""
    endless.part = gzip.compress(bytes(10 * 1024 * 1024))
    endless.headers = {"Content-Encoding": "gzip"}
    async with asyncio.timeout(60):
        with pytest.raises(
            (WrongFile, TelegramUnavailable, GeneratorUnavailable, CaptionerUnavailable)
        ):
            await fetch(endless)
        await endless.hung_up.wait()
    assert endless.sent <= generator._MOST_BYTES + SLACK
