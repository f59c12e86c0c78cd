"""What the bot and others do appears at once; the test plays the bot."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, FilePayload, Page, expect
from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup

from tests.browser.chat import Chat
from tests.browser.conftest import Open
from tests.sandbox.client import People
from tests.sandbox.conftest import jpeg
from tests.stack import running_stack
from tests.waiting import eventually


def buttons(*names: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(name, callback_data=name) for name in names]]
    )


async def drop_or_paste(page: Page, target: str, kind: str, photo: bytes) -> None:
    """Lets the browser believe that a photo is dropped on, or pasted into, an element."""
    script = """([target, kind, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], "mine.jpg", {type: "image/jpeg"}));
        const of = {bubbles: true, cancelable: true};
        const event = kind === "paste"
            ? new ClipboardEvent("paste", {...of, clipboardData: data})
            : new DragEvent("drop", {...of, dataTransfer: data});
        document.querySelector(target).dispatchEvent(event);
    }"""
    await page.evaluate(script, [target, kind, list(photo)])


async def test_messages_edits_and_deletions_appear(open_window: Open, bot: Bot, ada: int) -> None:
    chat = await open_window(f"?me={ada}")
    sent = await bot.send_message(ada, "first words", reply_markup=buttons("one", "two"))
    await expect(chat.message("first words")).to_be_visible()
    one = chat.page.get_by_role("button", name="one")
    await one.focus()
    await bot.edit_message_text(
        "other words", ada, sent.message_id, reply_markup=buttons("one", "two")
    )
    await expect(chat.message("other words")).to_be_visible()
    await expect(one).to_be_focused()  # an edit takes nobody's focus
    photo = await bot.send_photo(ada, jpeg(), caption="a red one")
    await bot.delete_message(ada, sent.message_id)
    await expect(chat.message("other words")).to_have_count(0)
    await expect(chat.message("a red one")).to_be_visible()
    await bot.edit_message_caption(ada, photo.message_id, caption="a very red one")
    await expect(chat.message("a very red one")).to_be_visible()


async def test_text_is_text_and_entities_are_shown(open_window: Open, bot: Bot, ada: int) -> None:
    chat = await open_window(f"?me={ada}")
    await bot.send_message(ada, "<img src=x onerror=alert(1)> stays as it is")
    await expect(chat.message("<img src=x onerror=alert(1)>")).to_be_visible()
    html = "😀 <b>bold <i>both</i></b> <a href='https://example.org/'>link</a> /status"
    await bot.send_message(ada, html, parse_mode="HTML")
    words = chat.messages.last.locator(".words")
    await expect(words.locator("strong em")).to_have_text("both")
    await expect(words.get_by_role("link", name="link")).to_have_attribute(
        "rel", re.compile("noopener")
    )
    await words.get_by_role("button", name="/status").click()
    await expect(chat.messages.last).to_contain_text("/status")
    await expect(chat.messages.last).to_have_class(re.compile("own"))


async def test_buttons_show_the_answer_as_a_toast_or_an_alert(
    open_window: Open, bot: Bot, ada: int
) -> None:
    chat = await open_window(f"?me={ada}")
    await bot.send_message(ada, "choose", reply_markup=buttons("soft", "loud"))

    async def answer(text: str, *, alert: bool) -> None:
        offset = None
        while True:
            for update in await bot.get_updates(offset=offset, timeout=5):
                offset = update.update_id + 1
                if update.callback_query:
                    await update.callback_query.answer(text, show_alert=alert)
                    await bot.get_updates(offset=offset)
                    return

    for name, alert in (("soft", False), ("loud", True)):
        button = chat.page.get_by_role("button", name=name)
        answering = asyncio.create_task(answer(f"a {name} answer", alert=alert))
        await button.click()
        if alert:
            dialog = chat.page.get_by_role("dialog", name="Lookalike")
            await expect(dialog).to_contain_text("a loud answer")
            await chat.page.keyboard.press("Enter")
            await expect(dialog).to_have_count(0)
        else:
            await expect(chat.toast).to_have_text("a soft answer")
        await answering
        await expect(button).not_to_have_class(re.compile("busy"))


async def test_what_the_bot_is_doing_is_shown(open_window: Open, bot: Bot, ada: int) -> None:
    chat = await open_window(f"?me={ada}")
    await bot.send_chat_action(ada, "upload_photo")
    await expect(chat.subtitle).to_have_text("Lookalike is sending a photo…")
    await expect(chat.page.locator("#acting")).to_be_visible()
    await bot.send_message(ada, "here")
    await expect(chat.page.locator("#acting")).to_be_hidden()


async def test_whether_the_bot_listens_is_shown(open_window: Open, bot: Bot, ada: int) -> None:
    chat = await open_window(f"?me={ada}")
    await expect(chat.subtitle).to_contain_text("starting", timeout=15_000)
    await bot.get_updates()
    await expect(chat.subtitle).to_have_text("online")


async def test_commands_are_offered_while_typing_and_by_a_button(
    open_window: Open, bot: Bot, ada: int
) -> None:
    await bot.set_my_commands([BotCommand("start", "Start it"), BotCommand("status", "How it is")])
    chat = await open_window(f"?me={ada}")
    options = chat.page.get_by_role("option")
    await chat.field.press_sequentially("/sta")
    await expect(options).to_have_count(2)
    await chat.field.press_sequentially("tu")
    await expect(options).to_have_count(1)
    await chat.field.press("Enter")
    await expect(chat.messages.last).to_contain_text("/status")
    await chat.page.get_by_role("button", name="Commands").click()
    await expect(options).to_have_count(2)
    await chat.page.get_by_role("button", name="Commands").click()
    await expect(options).to_have_count(0)
    # Another menu comes in while the page is open.
    await bot.set_my_commands([BotCommand("other", "Another one")])

    async def other() -> bool | None:
        await chat.page.get_by_role("button", name="Commands").click()
        found = await options.all_text_contents()
        await chat.page.get_by_role("button", name="Commands").click()
        return found == ["/otherAnother one"] or None

    await eventually(other)


async def test_photos_go_in_by_click_drop_and_paste_with_words(
    open_window: Open, people: People, ada: int
) -> None:
    chat = await open_window(f"?me={ada}")
    tray = chat.page.get_by_role("list", name="To be sent")
    photo: FilePayload = {"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    await chat.page.locator("input[type=file]").set_input_files([photo])
    await expect(tray.get_by_role("listitem")).to_have_count(1)
    await drop_or_paste(chat.page, "#timeline", "drop", jpeg(colour="blue"))
    await drop_or_paste(chat.page, "#words", "paste", jpeg(colour="green"))
    await expect(tray.get_by_role("listitem")).to_have_count(3)
    await tray.get_by_role("button", name="Remove mine.jpg").first.click()
    await chat.write("two of them")
    await expect(chat.page.locator("li.message.own .photo")).to_have_count(2)
    await expect(tray).to_be_hidden()
    sent = (await people.messages(ada))[-2:]
    assert [message.caption for message in sent] == ["two of them", ""]
    assert sent[0].media_group_id == sent[1].media_group_id is not None


async def test_a_file_that_is_no_image_is_told_before_anything_is_sent(
    open_window: Open, people: People, ada: int
) -> None:
    chat = await open_window(f"?me={ada}")
    broken: FilePayload = {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": b"no image"}
    photo: FilePayload = {"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    await chat.page.locator("input[type=file]").set_input_files([broken, photo])
    await expect(chat.toast).to_contain_text("“broken.jpg” is no image")
    tray = chat.page.get_by_role("list", name="To be sent")
    await expect(tray.get_by_role("listitem")).to_have_count(1)
    assert len(await people.messages(ada)) == 1


@pytest.mark.long
async def test_a_reply_quotes_and_its_quote_jumps(
    open_window: Open, people: People, bot: Bot, ada: int
) -> None:
    for n in range(150):  # more than are loaded at first
        await people.send_text(ada, f"line {n:03}")
    chat = await open_window(f"?me={ada}")
    assert await chat.is_at_end()
    first = (await people.messages(ada))[1]
    await bot.send_message(ada, "an answer", reply_to_message_id=first.id)
    quote = chat.message("an answer").locator(".quote")
    await expect(quote).to_contain_text("line 000")
    await quote.click()
    target = chat.messages.filter(has_text="line 000", has_not=chat.page.locator(".quote"))
    await expect(target).to_be_in_viewport()
    await expect(chat.page.get_by_role("button", name=re.compile("^To the end"))).to_be_visible()

    # One's own reply, by the message's menu.
    await chat.page.get_by_role("button", name=re.compile("^To the end")).click()
    await chat.message("an answer").click(button="right", position={"x": 30, "y": 10})
    await chat.page.get_by_role("menuitem", name="Reply").click()
    await chat.write("a reply to it")
    await expect(chat.message("a reply to it").locator(".quote")).to_contain_text("an answer")
    last = (await people.messages(ada))[-1]
    assert last.reply_to == (await people.messages(ada))[-2].id


async def test_scrolling_stays_where_one_reads_and_new_messages_are_counted(
    open_window: Open, people: People, bot: Bot, ada: int
) -> None:
    for n in range(60):
        await people.send_text(ada, f"line {n}")
    chat = await open_window(f"?me={ada}")
    await bot.send_message(ada, "seen at the end")
    await expect(chat.message("seen at the end")).to_be_in_viewport()
    await chat.page.locator("#timeline").hover()
    await chat.page.mouse.wheel(0, -900)
    to_end = chat.page.get_by_role("button", name=re.compile("^To the end"))
    await expect(to_end).to_be_visible()
    await bot.send_message(ada, "a new one")
    await expect(to_end).to_have_accessible_name("To the end, 1 unread")
    await expect(chat.message("a new one")).not_to_be_in_viewport()
    await expect(chat.page).to_have_title(re.compile(r"^\(1\) "))
    await to_end.click()
    await expect(chat.message("a new one")).to_be_in_viewport()
    await expect(to_end).to_be_hidden()
    await expect(chat.page).not_to_have_title(re.compile(r"^\("))


async def test_older_messages_come_while_one_scrolls_up(
    open_window: Open, people: People, ada: int
) -> None:
    for n in range(140):
        await people.send_text(ada, f"line {n}")
    chat = await open_window(f"?me={ada}")
    assert await chat.messages.count() < 140
    await chat.page.locator("#timeline").hover()
    for _ in range(30):
        await chat.page.mouse.wheel(0, -2000)
        if await chat.message("hello bot").count():
            break
    await expect(chat.messages).to_have_count(141)


async def test_own_messages_can_be_edited_and_deleted(
    open_window: Open, people: People, ada: int
) -> None:
    chat = await open_window(f"?me={ada}")
    await chat.write("wrong wrods")
    await expect(chat.message("wrong wrods")).to_be_visible()
    await chat.field.press("ArrowUp")
    await expect(chat.field).to_have_value("wrong wrods")
    await chat.field.fill("right words")
    await chat.field.press("Enter")
    await expect(chat.message("right words")).to_contain_text("edited")
    assert (await people.messages(ada))[-1].edits == 1

    message = chat.message("right words")
    await message.hover()
    await message.get_by_role("button", name="More").click()
    await chat.page.get_by_role("menuitem", name="Delete").click()
    await chat.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(chat.message("right words")).to_have_count(0)


async def test_other_chats_count_what_is_unread(
    open_window: Open, people: People, bot: Bot, ada: int
) -> None:
    group = await people.add_group([ada])
    chat = await open_window(f"?me={ada}&chat={group}")
    await bot.send_message(ada, "over here")
    entry = chat.page.get_by_role("link", name=re.compile("Lookalike"))
    badge = entry.locator(".badge")
    await expect(badge).to_have_text("1")
    await expect(entry).to_contain_text("over here")
    await chat.page.reload()
    await expect(badge).to_have_text("1")
    await entry.click()
    await expect(chat.message("over here")).to_be_visible()
    await expect(badge).to_have_count(0)
    await chat.page.go_back()
    await expect(chat.page.get_by_role("heading", name="The group")).to_be_visible()


async def test_a_draft_and_the_conversation_outlive_a_reload(open_window: Open, ada: int) -> None:
    chat = await open_window(f"?me={ada}")
    await chat.write("kept")
    await expect(chat.message("kept")).to_be_visible()
    await chat.field.fill("half a sent")
    await chat.page.reload()
    await expect(chat.message("kept")).to_be_visible()
    await expect(chat.field).to_have_value("half a sent")


@pytest.mark.long
async def test_more_windows_than_a_browser_has_connections_stay_live(
    open_window: Open, bot: Bot, ada: int
) -> None:
    windows = [await open_window(f"?me={ada}") for _ in range(8)]
    await bot.send_message(ada, "to all")
    for chat in windows:
        await expect(chat.message("to all")).to_have_count(1)
    await windows[0].page.close()  # which has followed the stream for all
    await bot.send_message(ada, "to those that are left")
    for chat in windows[1:]:
        await expect(chat.message("to those that are left")).to_have_count(1)


@pytest.mark.long
async def test_a_restart_of_the_server_is_bridged(context: BrowserContext, tmp_path: Path) -> None:
    with running_stack(tmp_path, None, "sandbox") as stack:
        url = stack.url("sandbox")
        async with People(url) as people:
            user = await people.add_user("Ada")
            chat = await Chat.open(await context.new_page(), f"{url}/?me={user}")
            await chat.write("before")
            await expect(chat.message("before")).to_be_visible()
        assert stack.stop() == {"sandbox": 0}
        await expect(chat.subtitle).to_have_text("connecting…")
        await chat.write("nobody hears this")
        await expect(chat.toast).to_contain_text("does not answer")

        stack.start("sandbox")
        async with People(url) as people:
            await people.send_text(user, "after")
            await expect(chat.message("after")).to_be_visible()
            await expect(chat.subtitle).not_to_have_text("connecting…")
            await expect(chat.message("before")).to_have_count(1)
            await chat.page.close()
