"""Sizes, light and dark, motion."""

import pytest_asyncio
from playwright.async_api import ViewportSize, expect

from tests.browser.chat import Chat
from tests.browser.conftest import Open
from tests.sandbox.client import People
from tests.sandbox.conftest import jpeg

PHONE: ViewportSize = {"width": 360, "height": 740}
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest_asyncio.fixture(loop_scope="session")
async def user(people: People) -> int:
    user = await people.add_user("Ada")
    await people.send_photo(user, jpeg(), caption="words " * 30)
    await people.send_photo(user, jpeg(300, 1200))
    await people.send_text(user, "w" * 500)
    return user


async def overflow(chat: Chat) -> list[str]:
    """What sticks out of the window at its sides."""
    script = """() => [...document.querySelectorAll("body *")]
        .filter((e) => e.checkVisibility() && !e.closest(".sprite, .heard-only"))
        .filter((e) => {
            const box = e.getBoundingClientRect();
            return box.width > 0 && (box.left < -1 || box.right > innerWidth + 1);
        })
        .map((e) => e.outerHTML.slice(0, 100))"""
    found: list[str] = await chat.page.evaluate(script)
    return found


async def test_a_phone_shows_one_thing_at_a_time(open_window: Open, user: int) -> None:
    chat = await open_window(f"?me={user}")
    await chat.page.set_viewport_size(PHONE)
    sidebar = chat.page.get_by_role("region", name="Chats")
    await expect(sidebar).to_be_hidden()
    await expect(chat.messages.last).to_be_in_viewport()
    assert await overflow(chat) == []
    await chat.page.get_by_role("button", name="All chats").click()
    await expect(sidebar).to_be_visible()
    await expect(chat.field).to_be_hidden()
    assert await overflow(chat) == []
    await chat.page.get_by_role("link", name="Lookalike").click()
    await expect(chat.field).to_be_visible()
    await chat.page.go_back()
    await expect(sidebar).to_be_visible()


async def test_the_welcome_fits_a_phone(open_window: Open, people: People) -> None:
    chat = await open_window(f"?me={await people.add_user('Ada')}")
    await chat.page.set_viewport_size(PHONE)
    for sample in await chat.page.locator(".sample").all():
        await expect(sample).to_be_in_viewport(ratio=1)
    assert await overflow(chat) == []


async def test_a_growing_field_leaves_the_newest_message_in_sight(
    open_window: Open, user: int
) -> None:
    chat = await open_window(f"?me={user}")
    await chat.field.fill("\n".join("line" for _ in range(8)))
    await expect(chat.messages.last).to_be_in_viewport()
    await chat.page.set_viewport_size({"width": 360, "height": 400})  # a keyboard comes up
    await chat.reaches_its_end()


async def test_dark_and_light_follow_the_machine_or_the_person(
    open_window: Open, user: int
) -> None:
    chat = await open_window(f"?me={user}")
    light = await chat.page.evaluate(BACKGROUND)
    await chat.page.emulate_media(color_scheme="dark")
    dark = await chat.page.evaluate(BACKGROUND)
    assert light != dark

    await chat.page.get_by_role("button", name="Who you are").click()
    await chat.page.get_by_role("menuitemradio", name="Light").click()
    assert await chat.page.evaluate(BACKGROUND) == light
    await chat.page.reload()
    assert await chat.page.evaluate(BACKGROUND) == light  # also before the modules have run
    await chat.wait_until_ready()
    await chat.page.get_by_role("button", name="Who you are").click()
    chosen = chat.page.get_by_role("menuitemradio", name="Light")
    await expect(chosen).to_have_attribute("aria-checked", "true")
    await chat.page.get_by_role("menuitemradio", name="As this machine").click()
    assert await chat.page.evaluate(BACKGROUND) == dark


async def test_reduced_motion_is_respected(open_window: Open, user: int, people: People) -> None:
    chat = await open_window(f"?me={user}")
    await chat.page.emulate_media(reduced_motion="reduce")
    await people.send_text(user, "no show")
    stack = chat.message("no show").locator(".stack")
    duration = await stack.evaluate("e => getComputedStyle(e).animationDuration")
    assert duration == "0.001s"
