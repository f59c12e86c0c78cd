import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from PIL import Image
from pydantic import SecretStr
from telegram import Bot
from telegram.request import HTTPXRequest

from sandbox.server import running
from sandbox.settings import SandboxSettings
from tests.sandbox.client import LOOPBACK, People

TOKEN = "123456789:AAsandboxsandboxsandboxsandboxsandbo"  # the shape of a real one


def make_bot(url: str, token: str = TOKEN, read_timeout: float = 20) -> Bot:
    request = HTTPXRequest(read_timeout=read_timeout, httpx_kwargs=LOOPBACK)
    polling = HTTPXRequest(read_timeout=read_timeout, httpx_kwargs=LOOPBACK)
    return Bot(
        token,
        base_url=f"{url}/bot",
        base_file_url=f"{url}/file/bot",
        request=request,
        get_updates_request=polling,
    )


def jpeg(width: int = 640, height: int = 480, colour: str = "red", **options: object) -> bytes:
    return image(width, height, colour, "JPEG", **options)


def image(width: int, height: int, colour: str, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, kind, **options)
    return buffer.getvalue()


def settings(home: Path) -> SandboxSettings:
    return SandboxSettings(
        lookalike_home=home, sandbox_listen="127.0.0.1:0", telegram_bot_token=SecretStr(TOKEN)
    )


@pytest.fixture(scope="session")
def shared_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One sandbox, in an event loop of its own, for all tests that look at their own chats only."""
    serving = running(settings(tmp_path_factory.mktemp("shared")))
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving) as sandbox:
        yield f"http://{sandbox.address}"


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """A sandbox in this process, served over HTTP as always."""
    async with running(settings(tmp_path)) as sandbox:
        yield f"http://{sandbox.address}"


@pytest.fixture
async def people(url: str) -> AsyncIterator[People]:
    async with People(url) as people:
        yield people


@pytest.fixture
async def bot(url: str) -> AsyncIterator[Bot]:
    async with make_bot(url) as bot:
        yield bot


@pytest.fixture
async def http(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks the Bot API by hand: `http.post("/sendMessage", ...)`."""
    async with httpx.AsyncClient(base_url=f"{url}/bot{TOKEN}", **LOOPBACK) as http:
        yield http


@pytest.fixture
async def chat(people: People) -> int:
    """A private chat in which the user has pressed Start."""
    user = await people.add_user()
    await people.send_text(user, "/start")
    return user
