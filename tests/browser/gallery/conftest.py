"""The gallery's page in Chromium, with a Telegram around it and a bot that the test plays."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext

from tests.browser.gallery.fake import Fake, made, served
from tests.browser.gallery.telegram import Telegram, address, frames

OpenGallery = Callable[..., Awaitable[Telegram]]


@pytest.fixture
def fake() -> Fake:
    """The bot, with 200 pictures; all that it has can be changed before the page is opened."""
    return made(200)


@pytest.fixture
def origin(fake: Fake) -> Generator[str]:
    """Where it listens."""
    with served(fake.app()) as origin:
        yield origin


@pytest.fixture
def open_gallery(context: BrowserContext, origin: str) -> OpenGallery:
    """Opens the gallery in an app's web view; takes what `address` takes."""

    async def open_page(**given: object) -> Telegram:
        telegram = Telegram(await context.new_page())
        await telegram.become()
        await telegram.page.goto(address(origin, **given))  # type: ignore[arg-type]  # a test's
        return telegram

    return open_page


@pytest_asyncio.fixture(loop_scope="session")
async def framed(context: BrowserContext, fake: Fake, origin: str) -> AsyncGenerator[Telegram]:
    """The gallery in a frame, as Telegram Web shows it: the page around it."""
    with served(frames()) as around:
        fake.parents = around
        telegram = Telegram(await context.new_page(), framed=True)
        await telegram.page.goto(f"{around}/#{address(origin)}")
        await telegram.until_posted("web_app_ready")
        yield telegram
