"""A whole conversation, as a person has it: by clicking and typing in the page."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from bot.recipes import png
from bot.recipes.styles import STYLES
from tests.browser.chat import Chat
from tests.browser.conftest import Open
from tests.end_to_end.chats import EN
from tests.sandbox.client import People

SAID = EN.pictures
STAR, STARRED = (SAID.star_button(starred=starred) for starred in (False, True))
TIMEOUT = 60_000  # milliseconds; a picture takes seconds

ENDS = [SAID.full_size_button, SAID.delete_button]
DREAM = [SAID.closer_button, SAID.again_button, SAID.style_button, SAID.recipe_button, *ENDS]
ACTING = [SAID.show_button, SAID.delete_button, EN.gallery.history_button]
COUSIN = [SAID.closer_button, SAID.freer_button, *DREAM[1:]]


def button(message: Locator, text: str) -> Locator:
    return message.get_by_role("button", name=text, exact=True)


async def offers(message: Locator, labels: list[str]) -> None:
    """Waits until these buttons are under a message, in this order."""
    await expect(message.locator(".inline-button")).to_have_text(labels)


async def newest(chat: Chat) -> Locator:
    """The message that is the last one now, also once others follow and its buttons change."""
    number = await chat.messages.last.get_attribute("data-id")
    return chat.page.locator(f"li.message[data-id='{number}']")


async def painted(chat: Chat, count: int) -> Locator:
    """The newest picture, once there are so many, and nothing is being painted any more."""
    await expect(chat.answers_with_picture()).to_have_count(count, timeout=TIMEOUT)
    await expect(chat.page.get_by_role("button", name=EN.cancel_button)).to_have_count(0)
    return await newest(chat)


async def paints_closer_and_in_a_style(chat: Chat) -> Locator:
    """A photo, a picture of what it shows, one that is closer to it, and that in watercolour."""
    await chat.send_sample("A cat")
    caption = chat.message("says the offline captioner")
    await expect(caption).to_contain_text("a photo of a tabby cat", timeout=TIMEOUT)
    dream = await painted(chat, 1)
    await expect(dream.locator(".words")).to_have_text(re.compile(r"^a photo of a tabby cat\d"))
    await offers(dream, DREAM)

    await button(dream, SAID.closer_button).click()
    await expect(chat.toast).to_have_text(SAID.coming)
    cousin = await painted(chat, 2)
    await expect(cousin).to_contain_text("Cousin: your photo's light and layout, painted anew")
    await expect(cousin.locator(".quote")).to_contain_text("Ada")
    await offers(cousin, COUSIN)

    await button(cousin, SAID.style_button).click()
    styles = [SAID.style_on_button(name) for name in STYLES]
    await offers(cousin, [*styles, SAID.no_style_button, SAID.back_button])
    await button(cousin, "💧 Watercolour").click()
    watercolour = await painted(chat, 3)
    await expect(watercolour).to_contain_text(
        "Cousin · watercolour, as far as this small model can"
    )
    await offers(cousin, COUSIN)
    return watercolour


async def paints_with_words(chat: Chat, picture: Locator) -> Locator:
    """The words are a reply: to a double click beside the picture."""
    await picture.dblclick(position={"x": 700, "y": 20})
    await expect(chat.page.locator(".context")).to_contain_text("Reply to Lookalike")
    await chat.field.press_sequentially("black")
    await chat.field.press("Enter")
    await expect(chat.message("black").first.locator(".quote")).to_contain_text("watercolour")
    black = await painted(chat, 4)
    await expect(black.locator(".quote")).to_contain_text("black")
    await expect(black.locator(".words")).to_contain_text("black, a photo of a tabby cat")
    await expect(black).to_contain_text("Cousin · watercolour")
    return black


async def keeps_the_file(chat: Chat, picture: Locator) -> Locator:
    """The picture as a document, which is downloaded, and has the recipe in it."""
    await button(picture, SAID.full_size_button).click()
    link = chat.messages.last.get_by_role("link", name="picture.png")
    await expect(link).to_contain_text("Download")
    file = await newest(chat)
    await expect(file.locator(".quote")).to_contain_text("black, a photo of a tabby cat")
    async with chat.page.expect_download() as downloading:
        await link.click()
    download = await downloading.value
    assert download.suggested_filename == "picture.png"
    recipe = png.read(Path(await download.path()).read_bytes())
    assert (recipe["dial"], recipe["style"], recipe["words"]) == ("cousin", "watercolour", "black")
    return file


async def turns_and_stars_the_card(chat: Chat) -> Locator:
    """The command is completed while it is typed."""
    await chat.field.press_sequentially("/his")
    await chat.field.press("Enter")
    await expect(button(chat.messages.last, SAID.show_button)).to_be_visible()
    card = await newest(chat)
    await expect(card).to_contain_text("black, a photo of a tabby cat")
    await expect(card).to_contain_text("Cousin · watercolour · ")
    await offers(card, ["1/4", SAID.older_button, STAR, *ACTING])

    picture = str(await card.locator(".photo img").get_attribute("src"))
    await button(card, SAID.older_button).click()
    await offers(card, [SAID.newer_button, "2/4", SAID.older_button, STAR, *ACTING])
    await expect(card.locator(".photo img")).not_to_have_attribute("src", picture)
    await expect(card).not_to_contain_text("black")

    await button(card, STAR).click()
    await expect(chat.toast.last).to_have_text(SAID.starred)
    await offers(card, [SAID.newer_button, "2/4", SAID.older_button, STARRED, *ACTING])
    return card


async def deletes_once_it_is_meant(chat: Chat, picture: Locator) -> None:
    await button(picture, SAID.delete_button).click()
    await offers(picture, [SAID.delete_for_good_button, SAID.keep_button])
    await button(picture, SAID.keep_button).click()
    await offers(picture, COUSIN)
    await button(picture, SAID.delete_button).click()
    await button(picture, SAID.delete_for_good_button).click()
    await expect(chat.toast.last).to_have_text(SAID.deleted)
    await expect(picture).to_have_count(0)


@pytest.mark.long
async def test_from_a_photo_to_a_picture_that_is_gone(
    open_stack: Open, stack_people: People
) -> None:
    chat = await open_stack(f"?me={await stack_people.add_user('Ada')}")
    picture = await paints_with_words(chat, await paints_closer_and_in_a_style(chat))
    file = await keeps_the_file(chat, picture)
    card = await turns_and_stars_the_card(chat)
    await deletes_once_it_is_meant(chat, picture)

    await expect(chat.answers_with_picture()).to_have_count(3)
    await expect(file).to_have_count(0)
    await button(card, "2/4").click()
    await offers(card, ["1/3", SAID.older_button, STARRED, *ACTING])

    shown = await chat.messages.count()
    await chat.page.reload()
    await expect(chat.messages).to_have_count(shown)
    await expect(picture).to_have_count(0)
    await expect(file).to_have_count(0)
