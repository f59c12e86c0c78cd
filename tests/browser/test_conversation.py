"""All services behind the page: what people see who have never seen it before."""

import pytest
from playwright.async_api import expect

from lookalike.processes.stack import Stack
from tests.browser.conftest import Open
from tests.end_to_end.chats import EN, cat, delivered
from tests.sandbox.client import People
from tests.stack import occupied

TIMEOUT = 60_000  # milliseconds; a picture takes seconds


async def new_person(people: People, name: str = "Ada") -> str:
    return f"?me={await people.add_user(name)}"


async def test_one_click_leads_to_a_caption_progress_and_a_picture(
    open_stack: Open, stack_people: People, stack: Stack
) -> None:
    chat = await open_stack(await new_person(stack_people))
    await expect(chat.page.locator("#welcome")).to_contain_text("Send me a photo")
    await expect(chat.subtitle).to_have_text("online")
    status = chat.messages.filter(has=chat.page.get_by_role("button", name=EN.cancel_button))
    with occupied(stack):
        await chat.send_sample("A cat")
        await expect(chat.page.locator("#welcome")).to_be_hidden()
        await expect(chat.message("a photo of a tabby cat").first).to_be_visible(timeout=TIMEOUT)
        await expect(status).to_be_visible(timeout=TIMEOUT)
    await expect(chat.answers_with_picture()).to_be_visible(timeout=TIMEOUT)
    await expect(status).to_have_count(0)
    await expect(chat.messages.last).to_contain_text(EN.pictures.again_button)
    assert await chat.is_at_end()

    # Large, with a way to keep it.
    await chat.page.locator("li.message.other .photo").click()
    viewer = chat.page.get_by_role("dialog", name="Picture")
    await expect(viewer.locator("figcaption")).to_contain_text("a photo of a tabby cat")
    async with chat.page.expect_download() as download:
        await viewer.get_by_role("link", name="Download this picture").click()
    assert (await download.value).suggested_filename == "lookalike.png"
    await chat.page.keyboard.press("ArrowLeft")
    await expect(viewer.locator(".viewer-info")).to_contain_text("Ada")
    await chat.page.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)

    # A reload keeps it all.
    shown = await chat.messages.count()
    await chat.page.reload()
    await expect(chat.messages).to_have_count(shown)
    await expect(chat.answers_with_picture()).to_be_visible()


@pytest.mark.long
async def test_the_history_is_turned_and_shows_pictures_again(
    open_stack: Open, stack_people: People
) -> None:
    user = await stack_people.add_user()
    for n in range(3):
        photo = await stack_people.send_photo(user, cat(), caption=f"number {n}")
        await delivered(stack_people, photo)
    chat = await open_stack(f"?me={user}")
    await chat.write("/history")
    said = EN.pictures
    card = chat.messages.filter(has=chat.page.get_by_role("button", name=said.show_button))
    await expect(card).to_contain_text("number 2")
    number = await card.get_attribute("data-id")
    card = chat.page.locator(f"li.message[data-id='{number}']")  # its buttons come and go
    await card.get_by_role("button", name=said.older_button).click()
    await expect(card).to_contain_text("number 1")
    before = await chat.messages.count()
    await card.get_by_role("button", name=said.show_button).click()
    await expect(chat.messages).to_have_count(before + 1)
    await expect(chat.messages.last).to_contain_text("number 1")
    star = card.get_by_role("button", name=said.star_button(starred=False))
    await star.click()
    await expect(card.get_by_role("button", name=said.star_button(starred=True))).to_be_visible()
    await card.get_by_role("button", name=said.delete_button).click()
    await card.get_by_role("button", name=said.delete_for_good_button).click()
    await expect(card).to_contain_text("number 0")
    await card.get_by_role("button", name=said.newer_button).click()
    await expect(card).to_contain_text("number 2")


@pytest.mark.long
async def test_a_button_cancels(open_stack: Open, stack_people: People, stack: Stack) -> None:
    user = await stack_people.add_user()
    chat = await open_stack(f"?me={user}")
    cancel = chat.page.get_by_role("button", name=EN.cancel_button)
    with occupied(stack):
        for n in range(3):
            await stack_people.send_photo(user, cat(), caption=f"number {n}")
        await expect(cancel).to_have_count(3, timeout=TIMEOUT)
        status = await chat.messages.filter(has=cancel).last.get_attribute("data-id")
        await cancel.last.click()
        await expect(chat.toast).to_contain_text(EN.cancelled)
        await expect(cancel).to_have_count(2, timeout=TIMEOUT)
        await expect(chat.message(EN.cancelled)).to_have_attribute("data-id", status or "")
    await expect(cancel).to_have_count(0, timeout=TIMEOUT)
    await expect(chat.answers_with_picture()).to_have_count(2)


@pytest.mark.long
async def test_two_windows_are_two_people(open_stack: Open, stack_people: People) -> None:
    ada = await open_stack(await new_person(stack_people, "Ada"))
    ben = await open_stack(await new_person(stack_people, "Ben"))
    await ada.send_sample("A cat")
    await ben.send_sample("A camera")
    for chat, caption in ((ada, "tabby cat"), (ben, "tripod")):
        await expect(chat.answers_with_picture()).to_be_visible(timeout=TIMEOUT)
        await expect(chat.messages.last).to_contain_text(caption)
    await expect(ada.message("tripod")).to_have_count(0)


@pytest.mark.long
async def test_a_group_sees_each_others_photos_and_only_its_owner_cancels(
    open_stack: Open, stack_people: People, stack: Stack
) -> None:
    ada = await open_stack(await new_person(stack_people, "Ada"))
    await ada.page.get_by_role("button", name="New group").click()
    dialog = ada.page.get_by_role("dialog", name="New group")
    await dialog.get_by_label("Name").fill("Painters")
    for box in await dialog.get_by_role("checkbox").all():
        await box.uncheck()
    await dialog.get_by_label("New people").fill("Cleo")
    await dialog.get_by_role("button", name="Create the group").click()
    await expect(ada.page.get_by_role("heading", name="Painters")).to_be_visible()
    await expect(ada.subtitle).to_have_text("2 people and the bot")

    await ada.page.get_by_role("button", name="More about this chat").click()
    async with ada.page.context.expect_page() as opened:
        await ada.page.get_by_role("menuitem", name="Cleo").click()
    cleo = type(ada)(await opened.value)
    await expect(cleo.page.get_by_role("heading", name="Painters")).to_be_visible()

    with occupied(stack):
        await ada.send_sample("A palace")
        await expect(cleo.page.locator(".sender").first).to_have_text("Ada")
        await ada.write("/paint a palace by the sea")
        await cleo.page.get_by_role("button", name=EN.cancel_button).click(timeout=TIMEOUT)
        await expect(cleo.toast).to_contain_text(EN.not_yours)
    await expect(cleo.answers_with_picture()).to_be_visible(timeout=TIMEOUT)
