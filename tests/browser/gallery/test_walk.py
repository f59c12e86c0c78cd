"""The gallery from the grid to a picture and back, with all that can be done with one."""

import re

import pytest
from playwright.async_api import BrowserContext, Frame, Locator, Page, expect

from tests.browser.gallery.conftest import OpenGallery
from tests.browser.gallery.fake import Fake, Row
from tests.browser.gallery.telegram import Telegram, address
from tests.waiting import eventually


def toast(page: Page | Frame, text: str) -> Locator:
    return page.locator(".toast").filter(has_text=text)


async def test_a_picture_is_opened_starred_painted_from_shared_and_deleted(
    framed: Telegram, fake: Fake
) -> None:
    page = framed.page
    gallery = page.frames[1]

    picture = fake.rows[4]  # number 196: painted from 195
    await gallery.get_by_role("button", name="Open", exact=False).nth(4).click()
    await expect(gallery.get_by_role("article", name="a cat on a sofa")).to_be_focused()
    assert await framed.until_posted("web_app_setup_back_button") == {"is_visible": True}

    slider = gallery.get_by_role("slider", name="Compare the picture with its photo")
    await slider.focus()
    await slider.press("Home")
    await expect(slider).to_have_attribute("aria-valuetext", "Photo 0 %")
    await slider.press("ArrowRight")
    await expect(slider).to_have_attribute("aria-valuetext", "Photo 1 %")

    await gallery.get_by_role("button", name="Star").click()
    await expect(toast(gallery, "Starred.")).to_be_visible()
    assert picture.starred
    await expect(gallery.get_by_role("button", name="Unstar")).to_be_visible()

    await gallery.get_by_role("button", name="Share").click()
    told = await framed.until_posted("web_app_send_prepared_message")
    assert told == {"id": "prepared-196"}
    await framed.tell("prepared_message_sent")
    await expect(toast(gallery, "Sent.")).to_be_visible()

    await gallery.get_by_role("button", name="Closer").click()
    await expect(toast(gallery, "On its way.")).to_be_visible()
    await expect(gallery.get_by_text("The picture comes in the chat.")).to_be_visible()
    assert [body["way"] for body in fake.bodies] == ["closer"]

    family = gallery.get_by_role("region", name="Family")
    await family.get_by_role("button").click()
    await expect(gallery.get_by_role("heading", name="Painted from this", level=3)).to_be_visible()
    await framed.tell("back_button_pressed")
    await expect(gallery.get_by_role("heading", name="Painted from", exact=True)).to_be_visible()

    await gallery.get_by_role("button", name="Delete").click()
    question = gallery.get_by_role("dialog", name="Delete this picture for good?")
    await question.get_by_role("button", name="Keep it").click()
    await expect(question).to_have_count(0)
    assert picture in fake.rows
    await gallery.get_by_role("button", name="Delete").click()
    await question.get_by_role("button", name="Delete it").click()
    await expect(toast(gallery, "Deleted.")).to_be_visible()
    assert picture not in fake.rows

    await expect(gallery.get_by_role("heading", name="Your pictures")).to_be_visible()
    assert await framed.until_posted("web_app_setup_back_button") == {"is_visible": False}
    await expect(gallery.locator(".cell").nth(4).get_by_role("button")).to_be_focused()


async def test_the_way_back_is_the_browsers_as_well(open_gallery: OpenGallery) -> None:
    page = (await open_gallery()).page
    grid = page.get_by_role("heading", name="Your pictures")
    await page.locator(".cell button").first.click()
    await expect(grid).to_be_hidden()
    await page.go_back()
    await expect(grid).to_be_visible()
    await page.go_forward()
    await expect(grid).to_be_hidden()
    await page.reload()  # what was open is open
    await expect(page.get_by_role("button", name="Star")).to_be_visible()
    await page.go_back()
    await expect(grid).to_be_visible()


async def test_a_finger_moves_the_slider_from_anywhere(open_gallery: OpenGallery) -> None:
    page = (await open_gallery()).page
    await page.locator(".cell button").first.click()
    await expect(page.get_by_role("slider")).to_be_visible()
    stage = page.locator(".stage")
    box = await stage.bounding_box()
    assert box
    await page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 40)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 60, steps=4)
    await page.mouse.up()
    await expect(page.get_by_role("slider")).to_have_value("75")


async def test_a_picture_of_words_alone_has_no_slider(
    open_gallery: OpenGallery, fake: Fake
) -> None:
    fake.rows[0].from_photo = False
    page = (await open_gallery()).page
    await page.locator(".cell button").first.click()
    await expect(page.get_by_role("button", name="Again")).to_be_visible()
    await expect(page.get_by_role("button", name="Closer")).to_have_count(0)
    await expect(page.get_by_role("slider")).to_have_count(0)


@pytest.mark.parametrize("shareable", [True, False])
async def test_only_what_can_be_shared_has_the_button(
    open_gallery: OpenGallery, fake: Fake, *, shareable: bool
) -> None:
    fake.rows[0].shareable = shareable
    page = (await open_gallery()).page
    await page.locator(".cell button").first.click()
    await expect(page.get_by_role("button", name="Save")).to_be_visible()
    await expect(page.get_by_role("button", name="Share")).to_have_count(int(shareable))


@pytest.mark.parametrize(("error", "told"), [("USER_DECLINED", 0), ("UNKNOWN_ERROR", 1)])
async def test_a_share_that_fails_is_told_unless_it_was_meant(
    open_gallery: OpenGallery, error: str, told: int
) -> None:
    telegram = await open_gallery()
    await telegram.page.locator(".cell button").first.click()
    await telegram.page.get_by_role("button", name="Share").click()
    await telegram.until_posted("web_app_send_prepared_message")
    await telegram.tell("prepared_message_failed", {"error": error})
    await telegram.page.get_by_role("button", name="Star").click()  # so that time has passed
    await expect(toast(telegram.page, "Starred.")).to_be_visible()
    await expect(toast(telegram.page, "It could not be sent.")).to_have_count(told)


async def test_saving_asks_the_app_and_in_a_browser_downloads(
    open_gallery: OpenGallery, context: BrowserContext, fake: Fake, origin: str
) -> None:
    telegram = await open_gallery()
    await telegram.page.locator(".cell button").first.click()
    fake.window += 1  # the address at hand has run out meanwhile
    await telegram.page.get_by_role("button", name="Save").click()
    told = await telegram.until_posted("web_app_request_file_download")
    assert re.fullmatch(rf"{origin}/app/images/.+/image\?kind=8&until=1", told["url"])
    assert told["file_name"].endswith(".png")

    page = await context.new_page()
    await page.goto(address(origin))
    await page.locator(".cell button").first.click()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Save").click()
    assert (await download.value).suggested_filename == told["file_name"]


async def test_a_press_that_is_not_answered_is_sent_again_as_the_same(
    open_gallery: OpenGallery, fake: Fake
) -> None:
    page = (await open_gallery()).page
    await page.locator(".cell button").first.click()
    again = page.get_by_role("button", name="Again")
    pressed: list[str] = []

    async def lose() -> None:
        async with page.expect_request("**/children") as request:
            await again.click()
        body = (await request.value).post_data_json
        assert body is not None
        pressed.append(body["request"])

    await page.route("**/children", lambda route: route.abort())
    await lose()
    await expect(toast(page, "Something could not be loaded.")).to_be_visible()
    await page.unroute("**/children")
    await expect(again).not_to_have_attribute("aria-busy", "true")
    await again.click()
    await eventually(lambda: _when(len(fake.bodies) == 1))
    await expect(again).not_to_have_attribute("aria-busy", "true")
    await again.click()
    await eventually(lambda: _when(len(fake.bodies) == 2))
    first, second = (body["request"] for body in fake.bodies)
    assert [first] == pressed
    assert second != first


async def _when(there: bool) -> bool | None:  # noqa: FBT001, a condition
    return there or None


async def test_what_is_new_comes_when_one_looks_again(
    open_gallery: OpenGallery, fake: Fake
) -> None:
    page = (await open_gallery()).page
    await page.locator(".cell button").first.click()
    await expect(page.get_by_role("button", name="Star")).to_be_visible()
    fake.rows.insert(0, Row(number=1000, id="a-new-one"))
    await page.keyboard.press("Escape")
    await expect(page.locator(".cell")).not_to_have_count(0)
    await expect(page.locator(".cell button").first).to_have_attribute(
        "aria-label", re.compile("Today, 16:40")
    )
