"""The pictures of the chat page in the documents, taken from the running demo.

    python -m tests.browser.pictures [FOLDER]

They go to docs/images, or to FOLDER. Look at them before you commit them.
"""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Browser, async_playwright, expect

from lookalike.processes import clean_environment
from tests.browser.chat import Chat
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.docs.documents import ROOT
from tests.lookalike.commands import LOOKALIKE
from tests.sandbox.client import People

_PATIENCE = 120_000  # milliseconds
_SIZES = {"chat": (1000, 1060), "phone": (390, 780), "dark": (1000, 1060)}


@asynccontextmanager
async def _demo() -> AsyncGenerator[str]:
    """A demo in a home of its own; gives the page's address."""
    with TemporaryDirectory() as home:
        process = await asyncio.create_subprocess_exec(
            *LOOKALIKE,
            "demo",
            env={**clean_environment(), "LOOKALIKE_HOME": home, "BROWSER": "true"},
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        said = (await process.stdout.readuntil(b"Everything is ready.")).decode()
        match = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert match is not None, said
        try:
            yield match[0]
        finally:
            process.send_signal(signal.SIGINT)
            await process.communicate()


async def _converse(browser: Browser, url: str) -> int:
    """Ada sends a cat and a coffee; gives her id."""
    async with People(url.rstrip("/")) as people:
        ada = await people.add_user("Ada")
        await people.add_group([ada, await people.add_user("Ben")])
    page = await browser.new_page()
    chat = await Chat.open(page, f"{url}?me={ada}")
    for number, sample in enumerate(("A coffee", "A cat"), start=1):
        await chat.send_sample(sample)
        await expect(chat.answers_with_picture()).to_have_count(number, timeout=_PATIENCE)
    await page.close()
    return ada


async def _take(browser: Browser, url: str, name: str, folder: Path) -> None:
    width, height = _SIZES[name]
    page = await browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if name == "dark" else "light",
        locale="en-GB",
    )
    chat = await Chat.open(page, url)
    await expect(chat.answers_with_picture()).to_have_count(2)
    await page.wait_for_load_state("networkidle")
    await page.screenshot(path=folder / f"{name}.png")
    await page.close()


async def _main(folder: Path) -> None:
    async with _demo() as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        ada = await _converse(browser, url)
        for name in _SIZES:
            await _take(browser, f"{url}?me={ada}", name, folder)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"))
