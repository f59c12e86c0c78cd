"""The gallery with all services behind it: opened from the chat, as whoever tries the demo does."""

import re

import pytest
from playwright.async_api import FrameLocator, Locator, expect

from tests.browser.chat import Chat
from tests.browser.conftest import Open
from tests.browser.test_accessibility import violations
from tests.browser.test_conversation import TIMEOUT, new_person
from tests.end_to_end.chats import EN, cat, delivered
from tests.sandbox.client import People

SAID = EN.gallery.words


async def open_gallery(chat: Chat) -> FrameLocator:
    await chat.page.get_by_role("button", name=EN.gallery.menu_button, exact=True).click()
    return chat.page.frame_locator("dialog iframe")


def button(gallery: FrameLocator, name: str) -> Locator:
    return gallery.get_by_role("button", name=SAID[name], exact=True)


@pytest.mark.long
async def test_pictures_are_looked_at_compared_starred_shared_painted_from_and_deleted(
    open_stack: Open, stack_people: People
) -> None:
    address = await new_person(stack_people)
    user = int(address.partition("=")[2])
    for words in ("in the snow", "as a stamp"):
        photo = await stack_people.send_photo(user, cat(), caption=words)
        await delivered(stack_people, photo)
    chat = await open_stack(address)
    gallery = await open_gallery(chat)
    cells = gallery.locator(".cell")
    await expect(cells).to_have_count(2, timeout=TIMEOUT)
    await expect(cells.first.get_by_role("button")).to_have_accessible_name(
        re.compile("Open as a stamp, a photo of a tabby cat")
    )
    assert await violations(chat) == []

    await cells.first.get_by_role("button").click()
    slider = gallery.get_by_role("slider", name=SAID["compare"])
    await slider.focus()
    await slider.press("Home")
    await expect(slider).to_have_value("0")
    await button(gallery, "star").click()
    await expect(gallery.locator(".toast")).to_contain_text(SAID["star_given"])

    count = await chat.messages.count()
    await button(gallery, "share").click()
    sheet = chat.page.get_by_role("dialog").filter(has=chat.page.get_by_role("radio"))
    await sheet.get_by_role("button", name="Send").click()
    await expect(chat.messages).to_have_count(count + 1)
    await expect(chat.messages.last.locator(".photo img")).to_be_visible()
    await expect(gallery.locator(".toast").last).to_contain_text(SAID["shared"])

    await button(gallery, "closer").click()
    await expect(gallery.get_by_text(SAID["painting"])).to_be_visible()
    await expect(chat.answers_with_picture()).to_have_count(3, timeout=TIMEOUT)

    await button(gallery, "delete").click()
    await button(gallery, "delete_yes").click()
    await expect(chat.answers_with_picture()).to_have_count(2, timeout=TIMEOUT)
    await chat.page.get_by_role("button", name="Close").last.click()
    gallery = await open_gallery(chat)
    await expect(gallery.locator(".cell")).to_have_count(2, timeout=TIMEOUT)
    await gallery.locator(".cell").first.get_by_role("button").click()
    await expect(gallery.get_by_text("Cousin")).to_be_visible()


async def test_the_history_opens_it(open_stack: Open, stack_people: People) -> None:
    address = await new_person(stack_people)
    user = int(address.partition("=")[2])
    await delivered(stack_people, await stack_people.send_photo(user, cat()))
    chat = await open_stack(address)
    await chat.write("/history")
    await chat.page.get_by_role("button", name=EN.gallery.history_button).click()
    gallery = chat.page.frame_locator("dialog iframe")
    await expect(gallery.locator(".cell")).to_have_count(1, timeout=TIMEOUT)
