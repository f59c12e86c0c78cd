"""How smoothly the gallery's page scrolls: frames, requests, memory.

    python -m benchmarks.gallery [--pictures 10000] [--seconds 30] [--desktop]

The page runs in Chromium, without a GPU, with the bot that its tests play; it is scrolled down at
an even pace from the first picture to the last, as a finger does that is in a hurry, and back up.
Nothing is asserted.
"""

import argparse
import asyncio
from dataclasses import dataclass

from playwright.async_api import CDPSession, Page, ViewportSize, async_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.gallery import images
from tests.browser.gallery.fake import Fake, made, served
from tests.browser.gallery.telegram import address

_PHONE: ViewportSize = {"width": 390, "height": 844}
_DESKTOP: ViewportSize = {"width": 1280, "height": 800}

_SCROLL = """async ({from, to, seconds}) => {
    const grid = document.querySelector("#grid");
    const foot = document.querySelector("#foot");
    const frame = () => new Promise(requestAnimationFrame);
    const began = await frame();
    const frames = [];
    let cells = 0;
    let last = began;
    let at = from;
    for (;;) {
        const now = await frame();
        frames.push(now - last);
        cells = Math.max(cells, document.querySelectorAll(".cell").length);
        at += (to - from) * (now - last) / (1000 * seconds);
        last = now;
        grid.scrollTop = at;
        const isThere = to > from
            ? foot.dataset.state === "complete" && at >= grid.scrollHeight - grid.clientHeight
            : at <= 0;
        // What is not there yet is waited for, as one waits who has come to the end of the list.
        at = Math.min(at, grid.scrollHeight - grid.clientHeight);
        if (isThere) return {frames, cells, seconds: (now - began) / 1000};
    }
}"""


@dataclass(frozen=True)
class Way:
    """What scrolling one way took.

    Attributes:
        frames: milliseconds between two of them.
        cells: so many were in the page at the most.
        seconds: from its first frame to its last.
    """

    frames: list[float]
    cells: int
    seconds: float

    def over(self, milliseconds: float) -> float:
        """The share of frames that took longer, with a tenth of a frame for the clock."""
        return sum(each > milliseconds + 1.7 for each in self.frames) / len(self.frames)

    @property
    def worst(self) -> float:
        """99 of 100 frames took no longer."""
        return sorted(self.frames)[len(self.frames) * 99 // 100]


async def _measure(fake: Fake, origin: str, viewport: ViewportSize, seconds: float) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport=viewport)
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable")
        await page.goto(address(origin))
        await page.locator(".cell").first.wait_for()
        await page.wait_for_load_state("networkidle")
        await _report("when the page has come", fake, session)
        high = await _height(page, len(fake.rows))
        for name, start, end in (("down", 0.0, high), ("up again", high, 0.0)):
            script = {"from": start, "to": end, "seconds": seconds}
            way = Way(**await page.evaluate(_SCROLL, script))
            print(
                f"{name}: {way.seconds:.0f} s, {len(way.frames)} frames,"
                f" {way.over(16.7):.1%} over 16.7 ms, {way.over(33.3):.1%} over 33.3 ms,"
                f" 99 of 100 within {way.worst:.0f} ms; at the most {way.cells} cells"
            )
            await _report(f"after it went {name}", fake, session)
        await browser.close()


async def _height(page: Page, pictures: int) -> float:
    """Pixels of the whole list."""
    script = """() => {
        const cells = [...document.querySelectorAll(".cell")];
        const tops = cells.map((cell) => cell.getBoundingClientRect().top);
        const columns = tops.filter((top) => top === tops[0]).length;
        return [columns, tops[columns] - tops[0]];
    }"""
    columns, row = await page.evaluate(script)
    return float(-(-pictures // columns) * row)


async def _report(when: str, fake: Fake, session: CDPSession) -> None:
    await session.send("HeapProfiler.collectGarbage")
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    found = {each["name"]: each["value"] for each in metrics}
    print(
        f"{when}: {found['JSHeapUsedSize'] / 2**20:.1f} MiB of JavaScript,"
        f" {found['Nodes']:.0f} nodes; {fake.calls['pictures']} pages,"
        f" {fake.calls['thumbnail']} thumbnails asked for"
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gallery")
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30, help="from one end to the other")
    parser.add_argument("--desktop", action="store_true", help="1280 x 800, not a phone")
    given = parser.parse_args()
    for kind in range(images.KINDS):
        images.thumbnail(kind)  # so that none is made while it is measured
    fake = made(given.pictures)
    viewport = _DESKTOP if given.desktop else _PHONE
    with served(fake.app()) as origin:
        asyncio.run(_measure(fake, origin, viewport, given.seconds))


if __name__ == "__main__":
    main()
