"""The pictures at the top of the README, taken from the running demo.

    python -m tests.browser.pictures [FOLDER]

They go to docs/images, or to FOLDER: `conversation.webp`, a whole conversation on a phone, and
`dial.webp`, photos and their pictures along the dial. The seeds are chance: look at the pictures
before you commit them, and take others until they show what the small model can do.
"""

import asyncio
import base64
import io
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.async_api import Browser, Locator, ViewportSize, async_playwright, expect

from bot.recipes.children import DIAL
from lookalike.processes import clean_environment
from tests.browser.chat import Chat
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.commands import started
from tests.docs.documents import ROOT
from tests.end_to_end.chats import EN, delivered, next_picture, press
from tests.sandbox.client import People

_SAID = EN.pictures
_TIMEOUT = 120_000  # milliseconds
_PHONE: ViewportSize = {"width": 390, "height": 1296}  # tall, so that three hold the conversation
_SAMPLES = ROOT / "sandbox" / "page" / "assets" / "samples"
_STYLE = """
    main { display: inline-grid; font: 600 15px "Noto Sans", sans-serif; color: #16182a; }
    .phones { grid-auto-flow: column; gap: 24px; }
    .phones img { width: 390px; border-radius: 28px; outline: 1px solid #b4b8d2; }
    .dial { grid-template-columns: repeat(5, 160px); gap: 8px; padding: 8px; background: #fff; }
    .dial img { width: 160px; height: 160px; object-fit: cover; border-radius: 8px; }
    .dial span { text-align: center; }
"""


@contextmanager
def _demo() -> Generator[str]:
    """A demo in a home of its own; gives the page's address."""
    with TemporaryDirectory() as home:
        environment = {**clean_environment(), "LOOKALIKE_HOME": home, "BROWSER": "true"}
        with started("demo", folder=Path(home), environment=environment) as demo:
            demo.wait_for(r"Everything is ready\.")
            yield demo.wait_for(r"http://127\.0\.0\.1:\d+/")[0]
            demo.end(signal.SIGINT)


async def _converse(browser: Browser, url: str) -> list[bytes]:
    """Ada sends a palace and goes on from its picture; gives what her phone shows, three times."""
    async with People(url.rstrip("/")) as people:
        ada = await people.add_user("Ada")
    page = await browser.new_page(
        viewport=_PHONE,
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
        locale="en-GB",
    )
    chat = await Chat.open(page, f"{url}?me={ada}")
    pictures = chat.answers_with_picture()
    shown: list[bytes] = []

    def button(text: str) -> Locator:
        return chat.messages.last.get_by_role("button", name=text)

    async def take() -> None:
        await expect(chat.page.get_by_role("button", name=EN.cancel_button)).to_have_count(0)
        await expect(chat.toast).to_have_count(0)
        await chat.field.blur()
        await page.wait_for_load_state("networkidle")
        shown.append(await page.screenshot())

    await page.get_by_role("button", name="Close this note").click()
    await chat.send_sample("A palace")
    await expect(pictures).to_have_count(1, timeout=_TIMEOUT)
    await take()

    await button(_SAID.closer_button).click()
    await expect(pictures).to_have_count(2, timeout=_TIMEOUT)
    await button(_SAID.style_button).click()
    await button(_SAID.style_on_button("anime")).click()
    await expect(pictures).to_have_count(3, timeout=_TIMEOUT)
    await take()

    await pictures.first.click()
    await page.get_by_role("button", name="Reply to this picture").click()
    await chat.write("a castle")
    await expect(pictures).to_have_count(4, timeout=_TIMEOUT)
    await chat.write("/history")
    await expect(button(_SAID.show_button)).to_be_visible()
    await button(_SAID.older_button).click()
    await expect(chat.messages.last).to_contain_text("Cousin")
    await button(_SAID.star_button(starred=False)).click()
    await expect(button(_SAID.star_button(starred=True))).to_be_visible()
    await take()
    await page.close()
    return shown


async def _turn_the_dial(url: str) -> list[list[bytes]]:
    """Rows of a photo and its pictures, from Dream to Twin."""
    rows: list[list[bytes]] = []
    async with People(url.rstrip("/")) as people:
        user = await people.add_user("Eve")
        for name in ("camera", "palace"):
            photo = (_SAMPLES / f"{name}.jpg").read_bytes()
            picture = await delivered(people, await people.send_photo(user, photo))
            shown = [picture]
            while _SAID.closer_button in {button.text for button in picture.buttons}:
                await press(people, picture, _SAID.closer_button)
                picture = await next_picture(people, picture)
                shown.append(picture)
            files = [each.photo for each in shown if each.photo is not None]
            rows.append([photo, *[await people.original(file) for file in files]])
    return rows


async def _compose(browser: Browser, kind: str, content: str, path: Path) -> None:
    """Makes one picture of some."""
    page = await browser.new_page(device_scale_factor=2)
    await page.set_content(f"<style>{_STYLE}</style><main class='{kind}'>{content}</main>")
    shot = await page.locator("main").screenshot(omit_background=True)
    await page.close()
    Image.open(io.BytesIO(shot)).save(path, quality=90, method=6)


def _images(files: Sequence[bytes]) -> str:
    return "".join(
        f"<img src='data:image/*;base64,{base64.b64encode(file).decode()}'>" for file in files
    )


async def _main(folder: Path) -> None:
    with _demo() as url:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            phones = _images(await _converse(browser, url))
            await _compose(browser, "phones", phones, folder / "conversation.webp")
            steps = ("Photo", *map(_SAID.dial, DIAL))
            dial = "".join(f"<span>{step}</span>" for step in steps)
            dial += "".join(map(_images, await _turn_the_dial(url)))
            await _compose(browser, "dial", dial, folder / "dial.webp")
            await browser.close()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"))
