"""Ten thousand pictures: what is in the page, asked for and kept stays bounded."""

import pytest
from playwright.async_api import Page, Request, expect

from tests.browser.gallery.conftest import OpenGallery
from tests.browser.gallery.fake import PAGE, Fake, made

COUNT = 10_000
MOST_CELLS = 200
MOST_BYTES_EACH = 3_000
"""Of the page's memory, for each picture that is known: mostly its three addresses."""

_WATCH_SHIFTS = """() => {
    window.shifted = [];
    const isPushedDown = (node) => node.closest("#foot"); // what turns while more is coming
    new PerformanceObserver((list) => {
        const nodes = list.getEntries().flatMap(({sources}) => sources.map(({node}) => node));
        window.shifted.push(...nodes.filter((node) => !isPushedDown(node)).map((n) => n.outerHTML));
    }).observe({type: "layout-shift", buffered: true});
}"""

_TO_END = """async (goal) => {
    const grid = document.querySelector("#grid");
    const frame = () => new Promise(requestAnimationFrame);
    let cells = 0;
    while (document.querySelector("#foot").dataset.state !== "complete") {
        grid.scrollTop += 4 * grid.clientHeight;
        await frame();
        cells = Math.max(cells, document.querySelectorAll(".cell").length);
    }
    grid.scrollTop = grid.scrollHeight;
    return cells;
}"""


async def heap(page: Page) -> int:
    """Bytes of JavaScript after a collection."""
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    return int((await session.send("Runtime.getHeapUsage"))["usedSize"])


@pytest.mark.long
async def test_ten_thousand_pictures_are_scrolled_through(
    open_gallery: OpenGallery, fake: Fake
) -> None:
    fake.rows = made(COUNT).rows
    page = (await open_gallery()).page
    await page.set_viewport_size({"width": 390, "height": 844})
    await expect(page.locator(".cell").first).to_be_visible()
    before = await heap(page)
    waiting: set[Request] = set()
    most_waiting = 0

    def begin(request: Request) -> None:
        nonlocal most_waiting
        waiting.add(request)
        most_waiting = max(most_waiting, len(waiting))

    def end(request: Request) -> None:
        waiting.discard(request)

    page.on("request", begin)
    page.on("requestfinished", end)
    page.on("requestfailed", end)

    most_cells = await page.evaluate(_TO_END)
    assert 20 < most_cells <= MOST_CELLS
    last = page.locator(f".cell[aria-posinset='{COUNT}']")
    await expect(last).to_be_in_viewport()
    await expect(last).to_have_attribute("aria-setsize", str(COUNT))
    assert await page.locator("body *").count() < 1_000

    assert fake.calls["pictures"] == -(-COUNT // PAGE)  # each page once
    assert fake.most_at_once["pictures"] == 1
    assert most_waiting <= MOST_CELLS  # what is scrolled past is no longer waited for
    assert fake.calls["image"] == fake.calls["photo"] == 0
    assert await heap(page) - before < COUNT * MOST_BYTES_EACH

    await page.locator("#grid").evaluate("grid => { grid.scrollTop = 0; }")
    await expect(page.locator(".cell[aria-posinset='1']")).to_be_in_viewport()
    assert await page.locator(".cell").count() <= MOST_CELLS
    assert fake.calls["pictures"] == -(-COUNT // PAGE)  # nothing is fetched again


@pytest.mark.long
async def test_nothing_moves_while_pictures_come(open_gallery: OpenGallery, fake: Fake) -> None:
    fake.delay = 0.05
    page = (await open_gallery()).page
    await page.evaluate(_WATCH_SHIFTS)
    await expect(page.locator(".cell").first).to_be_visible()
    for _ in range(5):
        await page.locator("#grid").evaluate("grid => grid.scrollBy(0, grid.clientHeight)")
        await page.wait_for_load_state("networkidle")
    await page.locator(".cell button").nth(30).click()
    await expect(page.get_by_role("region", name="Family")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    assert await page.evaluate("window.shifted") == []


async def test_the_way_back_leads_to_where_one_was(open_gallery: OpenGallery) -> None:
    page = (await open_gallery()).page
    await expect(page.locator(".cell").first).to_be_visible()
    await page.locator("#grid").evaluate("grid => { grid.scrollTop = 1500; }")
    cell = page.locator(".cell[aria-posinset='90']").get_by_role("button")
    await cell.click()
    await expect(page.get_by_role("article")).to_be_focused()
    await page.go_back()
    await expect(cell).to_be_focused()
    assert await page.locator("#grid").evaluate("grid => grid.scrollTop") == 1500


async def test_another_width_leaves_in_sight_what_was(open_gallery: OpenGallery) -> None:
    page = (await open_gallery()).page
    await expect(page.locator(".cell").first).to_be_visible()
    await page.locator("#grid").evaluate("grid => { grid.scrollTop = 1500; }")
    top = await page.evaluate("""() => {
        const grid = document.querySelector("#grid").getBoundingClientRect().top;
        const cells = [...document.querySelectorAll(".cell")];
        return cells.find((cell) => cell.getBoundingClientRect().bottom > grid + 1).ariaPosInSet;
    }""")
    await page.set_viewport_size({"width": 390, "height": 844})
    await expect(page.locator(f".cell[aria-posinset='{top}']")).to_be_in_viewport()


async def test_the_date_shows_while_one_scrolls(open_gallery: OpenGallery) -> None:
    page = (await open_gallery()).page
    await expect(page.locator(".cell").first).to_be_visible()
    when = page.locator("#when span")
    await expect(when).to_be_hidden()
    await page.locator("#grid").evaluate("grid => { grid.scrollTop = 1500; }")
    await expect(when).to_be_visible()
    await expect(when).to_contain_text("Today, ")
    await expect(when).to_be_hidden()
