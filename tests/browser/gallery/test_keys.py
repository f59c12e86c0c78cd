"""Everything without a mouse, and for those who listen."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.gallery.conftest import OpenGallery
from tests.browser.gallery.fake import Fake


def cell(page: Page, number: int) -> Locator:
    return page.locator(f".cell[aria-posinset='{number}']").get_by_role("button")


async def columns(page: Page) -> int:
    script = """() => {
        const cells = [...document.querySelectorAll(".cell")];
        const top = cells[0].getBoundingClientRect().top;
        return cells.filter((cell) => cell.getBoundingClientRect().top === top).length;
    }"""
    return int(await page.evaluate(script))


async def test_the_grid_is_walked_through_with_arrows(open_gallery: OpenGallery) -> None:
    page = (await open_gallery()).page
    await expect(cell(page, 1)).to_be_visible()
    wide = await columns(page)
    keys = page.keyboard
    await keys.press("Tab")
    await expect(cell(page, 1)).to_be_focused()
    for key, number in (
        ("ArrowRight", 2),
        ("ArrowDown", 2 + wide),
        ("ArrowLeft", 1 + wide),
        ("ArrowUp", 1),
        ("ArrowUp", 1),
    ):
        await keys.press(key)
        await expect(cell(page, number)).to_be_focused()
    await keys.press("End")  # of those that are known, and so further ones come
    await expect(cell(page, 1)).not_to_be_in_viewport()
    while await page.locator("#foot").get_attribute("data-state") != "complete":
        await keys.press("End")
    await keys.press("End")
    await expect(cell(page, 200)).to_be_focused()
    await expect(cell(page, 200)).to_be_in_viewport()
    await keys.press("PageUp")
    await expect(cell(page, 200)).not_to_be_focused()
    await expect(page.locator(".cell :focus")).to_be_in_viewport(ratio=0.99)
    await keys.press("Home")
    await expect(cell(page, 1)).to_be_focused()
    await expect(page.get_by_role("heading", name="Your pictures")).to_be_in_viewport()


async def test_the_grid_is_one_stop_of_the_tab_key(open_gallery: OpenGallery) -> None:
    page = (await open_gallery()).page
    await expect(cell(page, 1)).to_be_visible()
    await expect(page.locator(".cell [tabindex='0']")).to_have_count(1)
    await page.locator("#grid").evaluate("grid => { grid.scrollTop = 2000; }")
    await expect(cell(page, 1)).to_have_count(0)
    await page.keyboard.press("Tab")
    await expect(page.locator(".cell :focus")).to_be_in_viewport(
        ratio=1
    )  # none that is out of sight


async def test_the_focus_stays_with_its_picture_out_of_sight(open_gallery: OpenGallery) -> None:
    page = (await open_gallery()).page
    await cell(page, 3).focus()
    await page.locator("#grid").evaluate("grid => { grid.scrollTop = 2500; }")
    await expect(cell(page, 130)).to_be_visible()
    await expect(cell(page, 3)).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(cell(page, 4)).to_be_focused()
    await expect(cell(page, 4)).to_be_in_viewport()


async def test_a_picture_is_opened_and_left_by_key(open_gallery: OpenGallery) -> None:
    page = (await open_gallery()).page
    keys = page.keyboard
    await cell(page, 5).focus()
    await keys.press("Enter")
    await expect(page.get_by_role("article")).to_be_focused()
    await expect(page.get_by_role("slider")).to_be_visible()
    await keys.press("Tab")
    await expect(page.get_by_role("slider")).to_be_focused()
    await keys.press("ArrowLeft")
    await expect(page.get_by_role("slider")).to_have_value("49")
    await keys.press("Tab")
    await expect(page.get_by_role("button", name="Star")).to_be_focused()
    await keys.press("Shift+Tab")
    await keys.press("Escape")
    await expect(cell(page, 5)).to_be_focused()


async def test_escape_closes_the_question_alone(open_gallery: OpenGallery, fake: Fake) -> None:
    telegram = await open_gallery()
    page = telegram.page
    await cell(page, 1).click()
    delete = page.get_by_role("button", name="Delete")
    question = page.get_by_role("dialog")
    await delete.click()
    await expect(question.get_by_role("button", name="Keep it")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await expect(delete).to_be_focused()
    await delete.click()
    await telegram.tell("back_button_pressed")
    await expect(question).to_have_count(0)
    await expect(delete).to_be_visible()
    assert len(fake.rows) == 200


async def test_what_is_done_is_read_out(open_gallery: OpenGallery) -> None:
    page = (await open_gallery()).page
    await cell(page, 2).click()
    await page.get_by_role("button", name="Star").click()
    await expect(page.get_by_role("status").filter(has_text="Starred.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(cell(page, 2)).to_have_attribute("aria-label", _ends_with("Starred"))


@pytest.mark.long
@pytest.mark.parametrize("count", [1, 2, 5])
async def test_the_focus_goes_on_when_a_picture_is_deleted(
    open_gallery: OpenGallery, fake: Fake, count: int
) -> None:
    del fake.rows[count:]
    page = (await open_gallery()).page
    await cell(page, count).click()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Delete it").click()
    if count == 1:
        await expect(page.get_by_text("Nothing painted yet.")).to_be_visible()
    else:
        await expect(cell(page, count - 1)).to_be_focused()


def _ends_with(text: str) -> re.Pattern[str]:
    return re.compile(f"{re.escape(text)}$")
