"""Telegram's colours, light and dark, sizes; axe-core finds nothing."""

from collections.abc import Mapping

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, ViewportSize, expect

from tests.browser.gallery.conftest import OpenGallery
from tests.browser.gallery.fake import Fake
from tests.browser.gallery.telegram import DAY, NIGHT, Telegram

PHONE: ViewportSize = {"width": 390, "height": 844}
HARD: Mapping[str, Mapping[str, str]] = {
    "all grey": dict.fromkeys(DAY, "#777777"),
    "white on white": dict.fromkeys(DAY, "#ffffff"),
    "cards unlike the page": {**DAY, "secondary_bg_color": "#000000"},
    "words alone": {"text_color": "#ff0000"},
    "no colours": {"bg_color": "red; x", "text_color": "#fff"},
}


async def violations(page: Page) -> list[str]:
    """What axe finds, each with where."""
    await page.evaluate(
        "Promise.all(document.getAnimations().map((a) => a.finished.catch(() => null)))"
    )
    found = (await Axe().run(page)).response["violations"]
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"]
    ]


async def contrasts(page: Page) -> dict[str, float]:
    """Of each text colour with what it may stand on."""
    script = """() => {
        const style = getComputedStyle(document.documentElement);
        const names = ["page", "card", "text", "soft", "accent", "danger", "fill", "on-fill"];
        return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`)]));
    }"""
    colours: dict[str, str] = await page.evaluate(script)
    pairs = [(text, on) for text in ("text", "soft", "accent", "danger") for on in ("page", "card")]
    return {
        f"{text} on {on}": _contrast(colours[text], colours[on])
        for text, on in [*pairs, ("on-fill", "fill")]
    }


def _contrast(one: str, other: str) -> float:
    dark, bright = sorted(map(_luminance, (one, other)))
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.long
@pytest.mark.parametrize("theme", [None, DAY, NIGHT], ids=["own", "day", "night"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(
    open_gallery: OpenGallery, fake: Fake, theme: Mapping[str, str] | None, scheme: str
) -> None:
    fake.rows[1].starred = True
    telegram = await open_gallery(theme=theme)
    page = telegram.page
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # one of the two
    await expect(page.locator(".cell").first).to_be_visible()
    assert await violations(page) == []
    await page.locator(".cell button").nth(4).click()
    await expect(page.get_by_role("region", name="Family")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("button", name="Freer").click()
    await expect(page.locator(".toast")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("button", name="Delete").click()
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    fake.fail("star", 401, "expired", "Open me again from the chat.")
    await page.get_by_role("button", name="Star").click()
    await expect(page.get_by_role("button", name="Close")).to_be_visible()
    assert await violations(page) == []


async def test_axe_finds_nothing_where_nothing_is(open_gallery: OpenGallery, fake: Fake) -> None:
    fake.fail("pictures", 503, "unavailable", "Not just now.")
    fake.rows.clear()
    page = (await open_gallery()).page
    await expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_text("Nothing painted yet.")).to_be_visible()
    assert await violations(page) == []


@pytest.mark.long
@pytest.mark.parametrize("theme", [DAY, NIGHT, *HARD.values()], ids=["day", "night", *HARD])
async def test_every_text_can_be_read(open_gallery: OpenGallery, theme: Mapping[str, str]) -> None:
    page = (await open_gallery(theme=theme)).page
    await expect(page.locator(".cell").first).to_be_visible()
    found = await contrasts(page)
    assert min(found.values()) >= 4.5, found


async def test_the_theme_is_followed_while_the_page_is_open(open_gallery: OpenGallery) -> None:
    telegram = await open_gallery(theme=DAY)
    assert await telegram.posted("web_app_request_theme") == [{}]
    body = telegram.page.locator("#grid")
    await expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
    assert (await telegram.posted("web_app_set_header_color"))[-1] == {"color": "#ffffff"}
    await telegram.tell("theme_changed", {"theme_params": dict(NIGHT)})
    await expect(body).to_have_css("background-color", "rgb(33, 33, 33)")
    assert (await telegram.posted("web_app_set_background_color"))[-1] == {"color": "#212121"}
    await telegram.tell("theme_changed", {"theme_params": {}})
    await telegram.page.emulate_media(color_scheme="dark")
    await expect(body).to_have_css("background-color", "rgb(18, 20, 31)")


async def overflow(page: Page) -> list[str]:
    """What sticks out of the window at its sides."""
    script = """() => [...document.querySelectorAll("body *")]
        .filter((e) => e.checkVisibility({visibilityProperty: true}))
        .filter((e) => !e.closest(".sprite, .thumbnails, .stage"))
        .filter((e) => {
            const box = e.getBoundingClientRect();
            return box.width > 0 && (box.left < -1 || box.right > innerWidth + 1);
        })
        .map((e) => e.outerHTML.slice(0, 100))"""
    found: list[str] = await page.evaluate(script)
    return found


@pytest.mark.parametrize(
    "size", [{"width": 320, "height": 568}, PHONE, {"width": 1280, "height": 800}]
)
async def test_nothing_sticks_out(
    open_gallery: OpenGallery, fake: Fake, size: ViewportSize
) -> None:
    for row in fake.rows[5:40]:
        row.parent = fake.rows[4].id  # a large family
    page = (await open_gallery()).page
    await page.set_viewport_size(size)
    await expect(page.locator(".cell").first).to_be_visible()
    assert await overflow(page) == []
    await page.locator(".cell button").nth(4).click()
    await expect(page.get_by_role("region", name="Family")).to_be_visible()
    assert await overflow(page) == []


async def test_reduced_motion_is_respected(open_gallery: OpenGallery) -> None:
    page = (await open_gallery()).page
    await page.emulate_media(reduced_motion="reduce")
    await page.locator(".cell button").first.click()
    await page.get_by_role("button", name="Star").click()
    await expect(page.locator(".toast")).to_have_css("animation-duration", "0.001s")


async def test_nothing_that_is_secret_is_told_to_the_frame_around(framed: Telegram) -> None:
    page = framed.page
    posted = await page.evaluate("JSON.stringify(window.posted)")
    assert "auth_date" not in posted
    assert (await framed.posted("iframe_ready")) == [{}]

    # Another frame of the page is not Telegram.
    gallery = page.frames[1]
    await gallery.locator(".cell button").first.click()
    await expect(gallery.get_by_role("article")).to_be_focused()
    await gallery.evaluate(
        "window.postMessage(JSON.stringify({eventType: 'back_button_pressed'}), '*')"
    )
    await gallery.get_by_role("button", name="Star").click()
    await expect(gallery.locator(".toast")).to_be_visible()
    await framed.tell("back_button_pressed")
    await expect(gallery.get_by_role("heading", name="Your pictures")).to_be_visible()
