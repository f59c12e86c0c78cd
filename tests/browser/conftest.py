"""The chat page in a real browser: Chromium, headless, as Debian packages it."""

import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from telegram import Bot

from lookalike.processes.stack import Stack
from tests.browser.chat import Chat
from tests.sandbox.client import People
from tests.sandbox.conftest import TOKEN, make_bot
from tests.stack import checked_logs, running_stack

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=20_000)  # a machine may be busy

Open = Callable[..., Awaitable[Chat]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    loop = pytest.mark.asyncio(loop_scope="session")  # the browser's
    skip = pytest.mark.skip(reason="there is no chromium here, see CONTRIBUTING")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(loop, append=False)
            item.add_marker(pytest.mark.slow)
            if CHROMIUM is None:
                item.add_marker(skip)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def _context(browser: Browser) -> AsyncGenerator[BrowserContext]:
    """A browser of its own, that may only talk to this machine, and whose console stays empty."""
    context = await browser.new_context(locale="en-GB", viewport={"width": 1180, "height": 800})
    context.set_default_timeout(30_000)
    troubles: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on(
            "console",
            lambda message: (
                troubles.append(f"console: {message.text}") if message.type == "error" else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:"))
                else troubles.append(f"request: {request.url}")
            ),
        )

    context.on("page", watch)
    yield context
    await context.close()
    refused = "Failed to load resource"  # a fault that a test made; the page tells of it in words
    assert [trouble for trouble in troubles if refused not in trouble] == []


def _opener(context: BrowserContext, url: str) -> Open:
    async def open_window(query: str = "") -> Chat:
        return await Chat.open(await context.new_page(), f"{url}/{query}")

    return open_window


@pytest.fixture(scope="package")
def _stack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack]:
    settings = {
        "CAPTIONER": "offline",
        "BOT_GROUPS": "all",  # samples have no words
        "BOT_PUBLIC_URL": "http://127.0.0.1:0",  # as in the demo
    }
    with running_stack(tmp_path_factory.mktemp("stack"), settings) as stack:
        yield stack


@pytest.fixture
def stack(_stack: Stack) -> Generator[Stack]:
    """All services, with the captioner that needs nobody."""
    with checked_logs(_stack):
        yield _stack


@pytest_asyncio.fixture(loop_scope="session")
async def stack_people(stack: Stack) -> AsyncGenerator[People]:
    async with People(stack.url("sandbox")) as people:
        yield people


@pytest.fixture
def open_stack(context: BrowserContext, stack: Stack) -> Open:
    """Opens a window of the page with all services behind it."""
    return _opener(context, stack.url("sandbox"))


@pytest.fixture(scope="package")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A sandbox whose bot the test itself plays."""
    settings = {"TELEGRAM_BOT_TOKEN": TOKEN}
    with running_stack(tmp_path_factory.mktemp("sandbox"), settings, "sandbox") as stack:
        yield stack.url("sandbox")


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncGenerator[BrowserContext]:
    async with _context(browser) as context:
        yield context


@pytest_asyncio.fixture(loop_scope="session")
async def people(url: str) -> AsyncGenerator[People]:
    async with People(url) as people:
        yield people


@pytest_asyncio.fixture(loop_scope="session")
async def bot(url: str) -> AsyncGenerator[Bot]:
    """The bot, played by the test."""
    async with make_bot(url) as bot:
        yield bot


@pytest_asyncio.fixture(loop_scope="session")
async def ada(people: People) -> int:
    """Somebody who has written to the bot already."""
    user = await people.add_user("Ada")
    await people.send_text(user, "hello bot")
    return user


@pytest.fixture
def open_window(context: BrowserContext, url: str) -> Open:
    """Opens a window of the sandbox's page."""
    return _opener(context, url)
