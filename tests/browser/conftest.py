"""The chat page in a real browser: Chromium, headless, as Debian packages it."""

import shutil
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.browser.chat import Chat
from tests.end_to_end.house import House
from tests.sandbox.client import People
from tests.sandbox.process import SandboxProcess

CHROMIUM = shutil.which("chromium")
_FLAGS = [
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
            if CHROMIUM is None:
                item.add_marker(skip)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
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


@pytest.fixture(scope="session")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Generator[House]:
    house = House(tmp_path_factory.mktemp("house"), {"CAPTIONER": "offline"})
    house.start_all()
    try:
        yield house
    finally:
        house.stop_all()


@pytest.fixture
def house(_house: House) -> Generator[House]:
    """All services, with the captioner that needs nobody."""
    marks = _house.mark_logs()
    yield _house
    _house.check_logs(marks)


@pytest_asyncio.fixture(loop_scope="session")
async def house_context(browser: Browser) -> AsyncGenerator[BrowserContext]:
    async with _context(browser) as context:
        yield context


@pytest_asyncio.fixture(loop_scope="session")
async def house_people(house: House) -> AsyncGenerator[People]:
    async with People(house.sandbox_url) as people:
        yield people


@pytest.fixture
def open_house(house_context: BrowserContext, house: House) -> Open:
    """Opens a window of the house's page."""

    async def open_window(query: str = "") -> Chat:
        return await Chat.open(await house_context.new_page(), f"{house.sandbox_url}/{query}")

    return open_window


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A sandbox whose bot the test itself plays."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process.url
    assert process.end(signal.SIGTERM) == 0


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncGenerator[BrowserContext]:
    async with _context(browser) as context:
        yield context


@pytest_asyncio.fixture(loop_scope="session")
async def people(url: str) -> AsyncGenerator[People]:
    async with People(url) as people:
        yield people


@pytest.fixture
def open_window(context: BrowserContext, url: str) -> Open:
    """Opens a window of the sandbox's page."""

    async def open_window(query: str = "") -> Chat:
        return await Chat.open(await context.new_page(), f"{url}/{query}")

    return open_window
