"""axe-core finds nothing, in light and in dark."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect
from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto

from tests.browser.chat import Chat
from tests.browser.conftest import Open
from tests.sandbox.client import People
from tests.sandbox.conftest import jpeg, make_bot


async def violations(chat: Chat) -> list[str]:
    """What axe finds, each with where."""
    # Colours are measured, so nothing may still be fading in.
    await chat.page.evaluate(
        "Promise.all(document.getAnimations().map((a) => a.finished.catch(() => null)))"
    )
    found = (await Axe().run(chat.page)).response["violations"]
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"]
    ]


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(open_window: Open, people: People, url: str, scheme: str) -> None:
    chat = await open_window(f"?me={await people.add_user('Ada')}")
    await chat.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # one of the two
    assert await violations(chat) == []

    user = chat.me
    ben = await people.add_user("Ben")
    photo = await people.send_photo(user, jpeg(), caption="mine /status")
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Cancel", callback_data="x")]])
    group = await people.add_group([user, ben])
    styles = ("danger", "success", "primary")
    colours = [InlineKeyboardButton(style, callback_data=style, style=style) for style in styles]
    copying = InlineKeyboardButton("Seed", copy_text=CopyTextButton("42"))
    async with make_bot(url) as bot:
        await bot.send_media_group(user, [InputMediaPhoto(jpeg()) for _ in range(3)])
        await bot.send_document(user, jpeg(), filename="picture.jpg", caption="full size")
        rows = InlineKeyboardMarkup([colours, [copying]])
        await bot.send_photo(user, jpeg(), caption="done", reply_markup=rows)
        await bot.send_message(user, "see /help", reply_to_message_id=photo.id)
        await bot.send_message(user, "https://example.org", reply_markup=keyboard)
        await bot.send_message(group, "hello group")
    await people.send_text(group, "hello bot", user=ben)
    await expect(chat.page.get_by_role("button", name="Cancel")).to_be_visible()
    assert await violations(chat) == []

    await chat.field.fill("/")
    assert await violations(chat) == []
    await chat.page.get_by_role("button", name="Add a photo").click()
    assert await violations(chat) == []
    await chat.page.keyboard.press("Escape")
    await chat.page.locator(".photo").last.click()
    assert await violations(chat) == []
    await chat.page.keyboard.press("Escape")
    await chat.page.get_by_role("button", name="About Lookalike").click()
    assert await violations(chat) == []
    await chat.page.keyboard.press("Escape")
    await chat.page.get_by_role("button", name="New group").click()
    assert await violations(chat) == []
    await chat.page.keyboard.press("Escape")
    await chat.page.get_by_role("link", name="The group").click()
    await expect(chat.message("hello bot")).to_be_visible()
    assert await violations(chat) == []
    await chat.page.set_viewport_size({"width": 360, "height": 740})
    await chat.page.get_by_role("button", name="All chats").click()
    assert await violations(chat) == []


async def test_new_messages_are_announced(open_window: Open, people: People, url: str) -> None:
    user = await people.add_user("Ada")
    await people.send_text(user, "hello")
    chat = await open_window(f"?me={user}")
    async with make_bot(url) as bot:
        await bot.send_message(user, "listen to this")
    log = chat.page.get_by_role("log", name="New messages")
    await expect(log).to_contain_text("Lookalike: listen to this")
    assert await log.get_attribute("aria-live") == "polite"
