"""Albums, coloured and copying buttons, edits of media, documents, questions, the profile."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, FloatRect, Locator, expect
from telegram import (
    Bot,
    CopyTextButton,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
)

from tests.browser.chat import Chat
from tests.browser.conftest import Open
from tests.sandbox.client import People
from tests.sandbox.conftest import image, jpeg
from tests.stack import running_stack

COLOURS = ("red", "green", "blue", "orange")


async def box(locator: Locator) -> FloatRect:
    found = await locator.bounding_box()
    assert found is not None
    return found


@pytest.mark.long
async def test_an_album_is_a_grid_with_its_buttons_below(
    open_window: Open, people: People, bot: Bot, ada: int
) -> None:
    chat = await open_window(f"?me={ada}")
    photos = [InputMediaPhoto(jpeg(256, 256, colour)) for colour in COLOURS]
    album = await bot.send_media_group(ada, photos, caption="four of them")
    numbers = [InlineKeyboardButton(str(n), callback_data=str(n)) for n in range(1, 5)]
    await bot.send_message(
        ada,
        "Which one?",
        reply_markup=InlineKeyboardMarkup([numbers]),
        reply_to_message_id=album[0].message_id,
    )
    shown = chat.messages.filter(has=chat.page.locator(".album"))
    tiles = shown.locator(".photo")
    await expect(shown).to_have_count(1)
    await expect(tiles).to_have_count(4)
    await expect(shown.locator(".words")).to_contain_text("four of them")
    arrived = "Promise.all(shown.getAnimations({subtree: true}).map(each => each.finished))"
    await shown.evaluate(f"shown => {arrived}.then(() => null)")
    first, second, third, fourth = [await box(tile) for tile in await tiles.all()]
    assert (first["y"], third["y"]) == (second["y"], fourth["y"])
    assert third["y"] > first["y"]
    assert abs(first["width"] - first["height"]) < 1  # not cropped
    buttons = chat.message("Which one?").locator(".inline-button")
    await expect(buttons).to_have_text(["1", "2", "3", "4"])
    assert (await box(buttons.first))["y"] > third["y"]

    # One by one in the large view, which can reply to any of them.
    await tiles.nth(1).click()
    viewer = chat.page.get_by_role("dialog", name="Picture")
    await chat.page.keyboard.press("ArrowRight")
    await viewer.get_by_role("button", name="Reply to this picture").click()
    await chat.write("this one")
    await expect(chat.message("this one")).to_be_visible()
    assert (await people.messages(ada))[-1].reply_to == album[2].message_id

    # Its photos change and go one by one.
    await tiles.nth(3).focus()
    await bot.edit_message_media(InputMediaPhoto(jpeg(256, 256, "black")), ada, album[0].message_id)
    await bot.delete_message(ada, album[2].message_id)
    await expect(tiles).to_have_count(3)
    await expect(shown).to_have_count(1)


async def test_an_album_that_was_there_before_keeps_its_proportions(
    open_window: Open, bot: Bot, ada: int
) -> None:
    photos = [InputMediaPhoto(jpeg(300, 400)), InputMediaPhoto(jpeg(400, 300, "blue"))]
    await bot.send_media_group(ada, photos)
    chat = await open_window(f"?me={ada}")
    portrait, landscape = [await box(tile) for tile in await chat.page.locator(".photo").all()]
    assert abs(portrait["height"] - landscape["height"]) < 1
    assert abs(portrait["width"] / portrait["height"] - 3 / 4) < 0.02
    assert abs(landscape["width"] / landscape["height"] - 4 / 3) < 0.02


async def test_buttons_have_colours_and_copy(
    open_window: Open, bot: Bot, ada: int, context: BrowserContext
) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat = await open_window(f"?me={ada}")
    styles = ("danger", "success", "primary", None)
    row = [InlineKeyboardButton(str(s), callback_data=str(s), style=s) for s in styles]
    copying = InlineKeyboardButton("Copy the seed", copy_text=CopyTextButton("42"))
    await bot.send_message(ada, "buttons", reply_markup=InlineKeyboardMarkup([row, [copying]]))
    fill = "e => getComputedStyle(e).backgroundColor"
    buttons = chat.message("buttons").locator(".row").first.locator(".inline-button")
    await expect(buttons).to_have_count(4)
    assert len({await button.evaluate(fill) for button in await buttons.all()}) == 4
    calls_before = await bot.get_updates(offset=-1)
    await chat.page.get_by_role("button", name="Copy the seed").click()
    await expect(chat.toast).to_have_text("Copied to the clipboard.")
    assert await chat.page.evaluate("navigator.clipboard.readText()") == "42"
    assert await bot.get_updates(offset=-1) == calls_before  # the bot hears nothing of it


async def test_media_change_in_place(open_window: Open, people: People, bot: Bot, ada: int) -> None:
    for n in range(30):
        await people.send_text(ada, f"line no. {n};")
    chat = await open_window(f"?me={ada}")
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Cancel", callback_data="c")]])
    status = await bot.send_message(ada, "waiting", reply_markup=keyboard)
    cancel = chat.page.get_by_role("button", name="Cancel")
    await cancel.focus()
    watching = """() => {
        window.blank = 0;
        new MutationObserver((changes) => {
            for (const node of changes.flatMap((c) => [...c.addedNodes])) {
                if (node.tagName === "IMG" && !node.complete) window.blank += 1;
            }
        }).observe(document.querySelector("#messages"), {childList: true, subtree: true});
    }"""
    sources: set[str] = set()
    for n, colour in enumerate(COLOURS):
        media = InputMediaPhoto(jpeg(64, 64, colour), caption=f"{n} of 4")
        await bot.edit_message_media(media, ada, status.message_id, reply_markup=keyboard)
        await expect(chat.message(f"{n} of 4")).to_be_visible()
        if n == 0:
            await expect(chat.message("waiting")).to_have_count(0)
            await chat.page.evaluate(watching)
        picture = chat.message("of 4").locator(".photo img")
        for known in sources:
            await expect(picture).not_to_have_attribute("src", known)
        sources.add(str(await picture.get_attribute("src")))
        assert await chat.is_at_end()
    await expect(cancel).to_be_focused()
    assert await chat.page.evaluate("window.blank") == 0  # the old one stays until the new is there

    # What one reads further up stays where it is.
    await chat.page.locator("#timeline").hover()
    await chat.page.mouse.wheel(0, -700)
    line = chat.message("line no. 12;")
    await expect(line).to_be_in_viewport()
    before = (await box(line))["y"]
    media = InputMediaPhoto(jpeg(400, 100), caption="done")
    await bot.edit_message_media(media, ada, status.message_id)
    await expect(chat.message("done").locator("img")).to_have_attribute("width", "400")
    assert (await box(line))["y"] == before
    await expect(chat.message("done")).not_to_contain_text("edited")
    assert (await people.messages(ada))[-1].edits == 5


async def test_a_document_shows_what_it_is_and_can_be_kept(
    open_window: Open, bot: Bot, ada: int
) -> None:
    chat = await open_window(f"?me={ada}")
    png = image(512, 768, "teal", "PNG")
    await bot.send_document(ada, png, filename="picture-42.png", caption="Full size")
    link = chat.message("Full size").get_by_role("link")
    await expect(link).to_contain_text(re.compile(r"picture-42\.png.*\d kB"))
    await expect(link.locator("img")).to_have_js_property("naturalHeight", 320)
    async with chat.page.expect_download() as downloading:
        await link.click()
    download = await downloading.value
    assert download.suggested_filename == "picture-42.png"
    assert Path(await download.path()).read_bytes() == png


async def test_a_question_opens_a_reply_to_itself(
    open_window: Open, people: People, bot: Bot, ada: int
) -> None:
    chat = await open_window(f"?me={ada}")
    question = await bot.send_message(
        ada, "What is it?", reply_markup=ForceReply(input_field_placeholder="A cat")
    )
    context = chat.page.locator(".context")
    await expect(context).to_contain_text("Reply to Lookalike")
    await expect(chat.field).to_have_attribute("placeholder", "A cat")
    await chat.page.reload()  # it waits
    await expect(context).to_contain_text("What is it?")
    await chat.write("A lynx")
    await expect(chat.message("A lynx")).to_be_visible()
    assert (await people.messages(ada))[-1].reply_to == question.message_id
    await expect(context).to_be_hidden()
    await expect(chat.field).to_have_attribute("placeholder", "Message")

    # Any message can be replied to: by a double click beside it, too.
    await chat.messages.nth(-2).dblclick(position={"x": 600, "y": 10})
    await expect(context).to_contain_text("What is it?")


async def test_a_finger_replies(browser: Browser, url: str, bot: Bot, ada: int) -> None:
    sent = await bot.send_message(ada, "draw me to the left")
    phone = await browser.new_context(has_touch=True, viewport={"width": 390, "height": 844})
    chat = await Chat.open(await phone.new_page(), f"{url}/?me={ada}")
    at = await box(chat.message("draw me"))
    session = await phone.new_cdp_session(chat.page)
    for kind, x in (("Start", 300), ("Move", 280), ("Move", 200), ("End", None)):
        points = [] if x is None else [{"x": x, "y": at["y"] + 10}]
        touch = {"type": f"touch{kind}", "touchPoints": points}
        await session.send("Input.dispatchTouchEvent", touch)
    await expect(chat.page.locator(".context")).to_contain_text("draw me to the left")
    await expect(chat.message("draw me")).to_have_attribute("data-id", str(sent.message_id))
    await phone.close()


async def test_the_bot_says_what_it_is(open_window: Open, people: People, bot: Bot) -> None:
    chat = await open_window(f"?me={await people.add_user('Ada')}")
    welcome = chat.page.locator("#welcome")
    await expect(welcome).to_contain_text("Send a photo, and you get back")
    await bot.set_my_description("Send me anything.")
    await bot.set_my_description("Send me a photo.", language_code="en")
    await bot.set_my_short_description("Photos, painted anew")
    await expect(welcome).to_contain_text("Send me a photo.")
    await chat.page.get_by_role("button", name="About Lookalike").click()
    profile = chat.page.get_by_role("dialog", name="Lookalike")
    await expect(profile).to_contain_text("Photos, painted anew")
    await chat.page.keyboard.press("Escape")
    await expect(profile).to_have_count(0)
    for language in ("", "en"):
        await bot.set_my_description("", language_code=language)
    await expect(welcome).to_contain_text("Send a photo, and you get back")


async def test_a_note_that_is_closed_stays_closed(context: BrowserContext, tmp_path: Path) -> None:
    with running_stack(tmp_path, {"SANDBOX_NOTE": "It draws emoji."}, "sandbox") as stack:
        chat = await Chat.open(await context.new_page(), stack.url("sandbox"))
        await expect(chat.page.locator("#me-name")).to_have_text("Robin")  # the first has a name
        note = chat.page.get_by_role("note")
        await expect(note).to_have_text("It draws emoji.")
        await note.get_by_role("button", name="Close this note").click()
        await expect(note).to_be_hidden()
        await expect(chat.field).to_be_focused()
        await chat.page.reload()
        await chat.wait_until_ready()
        await expect(note).to_be_hidden()
        await chat.page.close()
