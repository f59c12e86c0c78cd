"""The pictures in the documents, taken from the running demo.

    python -m tests.browser.pictures [FOLDER]

They go to docs/images, or to FOLDER: the chat page as `chat.png`, and also on a phone and in the
dark; and `pairs.png`, photos beside what the small model draws of them. Look at them before you
commit them.
"""

import asyncio
import io
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageOps
from playwright.async_api import Browser, async_playwright, expect
from skimage import data

from lookalike.processes import clean_environment
from tests.browser.chat import Chat
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.commands import started
from tests.docs.documents import ROOT
from tests.end_to_end.chats import delivered
from tests.sandbox.client import People

_TIMEOUT = 120_000  # milliseconds
_SIDE = 256  # pixels, of each picture of a pair
_GAP = 8
_SIZES = {"chat": (1000, 1060), "phone": (390, 780), "dark": (1000, 1060)}


@contextmanager
def _demo() -> Generator[str]:
    """A demo in a home of its own; gives the page's address."""
    with TemporaryDirectory() as home:
        environment = {**clean_environment(), "LOOKALIKE_HOME": home, "BROWSER": "true"}
        with started("demo", folder=Path(home), environment=environment) as demo:
            demo.wait_for(r"Everything is ready\.")
            yield demo.wait_for(r"http://127\.0\.0\.1:\d+/")[0]
            demo.end(signal.SIGINT)


async def _converse(browser: Browser, url: str) -> int:
    """Ada sends a palace and a cat; gives her id."""
    async with People(url.rstrip("/")) as people:
        ada = await people.add_user("Ada")
        await people.add_group([ada, await people.add_user("Ben")])
    page = await browser.new_page()
    chat = await Chat.open(page, f"{url}?me={ada}")
    for number, sample in enumerate(("A palace", "A cat"), start=1):
        await chat.send_sample(sample)
        await expect(chat.answers_with_picture()).to_have_count(number, timeout=_TIMEOUT)
    await page.close()
    return ada


def _photos() -> list[bytes]:
    """A cat, a motorcycle (Middlebury 2014 stereo data, in scikit-image) and a palace, as JPEG."""
    palace = Image.open(ROOT / "tests" / "photos" / "palace.jpg")
    cat, motorcycle = (
        Image.fromarray(each) for each in (data.chelsea(), data.stereo_motorcycle()[0])
    )
    files = []
    for photo in (cat, motorcycle, palace):
        file = io.BytesIO()
        photo.save(file, "JPEG", quality=92)
        files.append(file.getvalue())
    return files


async def _take_pairs(url: str, folder: Path) -> None:
    """Photos beside their pictures, from left to right."""
    sheet = Image.new("RGB", (6 * _SIDE + 7 * _GAP, _SIDE + 2 * _GAP), "white")
    async with People(url.rstrip("/")) as people:
        user = await people.add_user("Eve")
        for number, photo in enumerate(_photos()):
            picture = await delivered(people, await people.send_photo(user, photo))
            assert picture.photo is not None
            drawn = await people.original(picture.photo)
            for place, shown in enumerate((photo, drawn)):
                tile = ImageOps.fit(Image.open(io.BytesIO(shown)).convert("RGB"), (_SIDE, _SIDE))
                sheet.paste(tile, (_GAP + (2 * number + place) * (_SIDE + _GAP), _GAP))
    sheet.save(folder / "pairs.png")


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
    with _demo() as url:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            ada = await _converse(browser, url)
            for name in _SIZES:
                await _take(browser, f"{url}?me={ada}", name, folder)
            await _take_pairs(url, folder)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"))
