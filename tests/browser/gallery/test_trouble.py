"""What the page does when it gets nothing, or a no."""

import pytest
from playwright.async_api import BrowserContext, Route, expect

from tests.browser.gallery.conftest import OpenGallery
from tests.browser.gallery.fake import Fake, made
from tests.browser.gallery.telegram import address


async def test_an_empty_gallery_says_what_to_do(open_gallery: OpenGallery, fake: Fake) -> None:
    fake.rows.clear()
    page = (await open_gallery()).page
    await expect(page.get_by_text("Nothing painted yet.")).to_be_visible()
    fake.rows = made(3).rows
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")
    await expect(page.locator(".cell")).to_have_count(3)
    await expect(page.get_by_text("Nothing painted yet.")).to_have_count(0)


async def test_a_page_that_does_not_come_is_asked_for_again(
    open_gallery: OpenGallery, fake: Fake
) -> None:
    fake.fail("pictures", 503, "unavailable", "Not just now.")
    page = (await open_gallery()).page
    await expect(page.get_by_text("Not just now.")).to_be_visible()
    assert fake.calls["pictures"] == 1  # it does not hammer
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".cell").first).to_be_visible()
    await expect(page.get_by_text("Not just now.")).to_have_count(0)


async def test_without_an_answer_to_begin_with_one_can_try_again(
    open_gallery: OpenGallery, context: BrowserContext
) -> None:
    await context.route("**/api/**", lambda route: route.abort())
    page = (await open_gallery()).page
    retry = page.get_by_role("button", name="Try again")
    await expect(retry).to_be_visible()
    await context.unroute("**/api/**")
    await retry.click()
    await expect(page.locator(".cell").first).to_be_visible()


@pytest.mark.parametrize(
    ("status", "code", "detail"),
    [
        (401, "expired", "Open me again from the chat."),
        (403, "not-allowed", "This bot is not for you."),
    ],
)
async def test_whoever_is_not_let_in_is_told_why(
    open_gallery: OpenGallery, fake: Fake, status: int, code: str, detail: str
) -> None:
    fake.fail("session", status, code, detail)
    fake.fail("pictures", status, code, detail)
    telegram = await open_gallery()
    await expect(telegram.page.get_by_role("heading", name=detail)).to_be_visible()
    await telegram.page.get_by_role("button", name="Close").click()
    await telegram.until_posted("web_app_close")


async def test_a_session_that_runs_out_takes_the_page(
    open_gallery: OpenGallery, fake: Fake
) -> None:
    telegram = await open_gallery()
    await telegram.page.locator(".cell button").first.click()
    await expect(telegram.page.get_by_role("region", name="Family")).to_be_visible()
    fake.fail("star", 401, "expired", "Open me again from the chat.")
    await telegram.page.get_by_role("button", name="Star").click()
    heading = telegram.page.get_by_role("heading", name="Open me again from the chat.")
    await expect(heading).to_be_focused()
    assert await telegram.until_posted("web_app_setup_back_button") == {"is_visible": False}
    await telegram.page.go_back()
    await expect(heading).to_be_visible()
    await expect(telegram.page.locator(".toast")).to_have_count(0)


@pytest.mark.parametrize("given", ["", "forged=1&hash=00"])
async def test_who_comes_from_nowhere_sees_nothing(
    context: BrowserContext, origin: str, fake: Fake, given: str
) -> None:
    page = await context.new_page()
    await page.goto(address(origin, init_data=given))
    expected = "This is not from Telegram." if given else "Open the gallery from the chat."
    await expect(page.get_by_role("heading", name=expected)).to_be_visible()
    assert fake.calls["thumbnail"] == 0


async def test_a_picture_that_is_gone_leads_back(open_gallery: OpenGallery, fake: Fake) -> None:
    page = (await open_gallery()).page
    cell = page.locator(".cell button").first
    label = await cell.get_attribute("aria-label")
    fake.rows.pop(0)
    await cell.click()
    await expect(
        page.get_by_role("article", name="This picture is no longer there.")
    ).to_be_focused()
    await page.get_by_role("article").get_by_role("button", name="Back").click()
    await expect(cell).to_be_focused()
    assert await cell.get_attribute("aria-label") != label


async def test_what_cannot_be_done_is_told_and_undone(
    open_gallery: OpenGallery, fake: Fake
) -> None:
    page = (await open_gallery()).page
    await page.locator(".cell button").first.click()
    fake.fail("star", 503, "unavailable", "Not just now.")
    await page.get_by_role("button", name="Star").click()
    await expect(page.locator(".toast")).to_have_text("Not just now.")
    await expect(page.get_by_role("button", name="Star", exact=True)).to_be_visible()

    fake.rows[0].unfinished = True
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Delete it").click()
    await expect(page.locator(".toast").last).to_have_text("It is still being painted.")
    await expect(page.get_by_role("button", name="Delete")).to_be_visible()

    fake.fail("children", 429, "refused", "That was all for today.")
    await page.get_by_role("button", name="Freer").click()
    await expect(page.locator(".toast").last).to_have_text("That was all for today.")


async def test_a_family_that_does_not_come_leaves_the_picture(
    open_gallery: OpenGallery, fake: Fake
) -> None:
    fake.fail("picture", 503, "unavailable", "Not just now.")
    page = (await open_gallery()).page
    await page.locator(".cell button").first.click()
    await expect(page.get_by_text("Not just now.")).to_be_visible()
    await expect(page.get_by_role("slider")).to_be_visible()
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("region", name="Family")).to_be_visible()


@pytest.mark.long
async def test_addresses_that_have_run_out_are_asked_for_anew_once(
    open_gallery: OpenGallery, fake: Fake
) -> None:
    page = (await open_gallery()).page
    await expect(page.locator(".cell").first).to_be_visible()
    await page.wait_for_load_state("networkidle")
    fake.window += 1
    await page.locator("#grid").evaluate("grid => { grid.scrollTop = 2500; }")
    seen = page.locator(".cell[aria-posinset='140'] img")
    await expect(seen).to_be_in_viewport()
    await page.wait_for_function(
        "() => document.querySelector(\".cell[aria-posinset='140'] img\").naturalWidth > 0"
    )
    assert fake.calls[f"picture {fake.rows[139].id}"] == 1

    fake.window += 1
    await seen.click()
    await page.wait_for_function(
        "() => [...document.querySelectorAll('.stage img')].every((i) => i.naturalWidth > 0)"
    )


async def test_an_image_that_never_comes_is_asked_for_twice_at_the_most(
    open_gallery: OpenGallery, fake: Fake, context: BrowserContext
) -> None:
    asked: list[str] = []
    fake.rows = made(1).rows

    async def refuse(route: Route) -> None:
        asked.append(route.request.url)
        fake.window += 1  # so that the picture has other addresses, which are no better
        await route.fulfill(status=403)

    await context.route("**/thumbnail?*", refuse)
    page = (await open_gallery()).page
    await expect(page.locator(".cell .failed")).to_have_count(1)
    await page.wait_for_load_state("networkidle")
    assert len(asked) == 2
    assert await page.locator(".cell button").is_enabled()


async def test_a_photo_that_does_not_come_leaves_the_picture(
    open_gallery: OpenGallery, context: BrowserContext
) -> None:
    await context.route("**/photo?*", lambda route: route.fulfill(status=503))
    page = (await open_gallery()).page
    await page.locator(".cell button").first.click()
    await expect(page.locator(".stage-photo.failed")).to_have_count(1)
    await expect(page.get_by_role("slider")).to_have_count(0)
    await page.wait_for_function("() => document.querySelector('.stage-picture').naturalWidth > 0")
    await expect(page.locator(".stage-picture")).to_be_visible()
