"""A picture is reacted to, and shared in another chat, by clicking."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from lookalike.processes.stack import Stack
from tests.browser.chat import Chat
from tests.browser.conftest import Open
from tests.browser.test_conversation import new_person
from tests.browser.test_walk import TIMEOUT, button
from tests.end_to_end.chats import EN
from tests.sandbox.client import People


@pytest_asyncio.fixture(loop_scope="session")
async def inline_mode(stack: Stack, stack_people: People) -> AsyncGenerator[None]:
    """Turned on at @BotFather; the bot learns of it when it starts."""
    for enabled in (True, False):
        await stack_people.set_inline_mode(enabled=enabled)
        stack.stop("bot")
        stack.start("bot")
        if enabled:
            yield


async def painted(chat: Chat) -> Locator:
    await chat.send_sample("A cat")
    await expect(chat.answers_with_picture()).to_have_count(1, timeout=TIMEOUT)
    number = await chat.messages.last.get_attribute("data-id")
    return chat.page.locator(f"li.message[data-id='{number}']")


@pytest.mark.long
@pytest.mark.usefixtures("inline_mode")
async def test_a_picture_is_starred_by_a_reaction_and_shared(
    open_stack: Open, stack_people: People
) -> None:
    chat = await open_stack(await new_person(stack_people))
    picture = await painted(chat)
    await picture.click(button="right", position={"x": 20, "y": 20})
    await chat.page.get_by_role("menuitem", name="React with 👍").click()
    reaction = picture.locator(".reaction")
    await expect(reaction).to_have_text("👍")
    await chat.write("/history")
    starred = EN.pictures.star_button(starred=True)
    await expect(button(chat.messages.last, starred)).to_be_visible()

    await button(picture, EN.inline.share_button).click()
    sheet = chat.page.get_by_role("dialog")
    await expect(sheet.get_by_role("radio")).to_have_count(1)
    await expect(sheet.get_by_role("radio")).to_be_checked()
    count = await chat.messages.count()
    await sheet.get_by_role("button", name="Send").click()
    await expect(chat.messages).to_have_count(count + 1)
    await expect(chat.messages.last.locator(".photo img")).to_be_visible()

    await reaction.click()
    await expect(reaction).to_have_count(0)
