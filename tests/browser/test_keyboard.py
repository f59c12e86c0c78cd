"""Everything without a mouse."""

from playwright.async_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import Open
from tests.sandbox.client import People


async def press_until_focused(chat: Chat, key: str, selector: str) -> None:
    """Presses a key until an element has the focus."""
    for _ in range(30):
        if await chat.page.evaluate("s => document.activeElement?.matches(s)", selector):
            return
        await chat.page.keyboard.press(key)
    raise AssertionError(f"{key} never leads to {selector}")


async def test_a_photo_is_sent_and_looked_at(open_window: Open, people: People) -> None:
    chat = await open_window(f"?me={await people.add_user('Ada')}")
    keys = chat.page.keyboard
    await expect(chat.field).to_be_focused()
    await press_until_focused(chat, "Shift+Tab", "[aria-label='Add a photo']")
    await keys.press("Enter")
    await expect(chat.page.get_by_role("menuitem", name="Photo")).to_be_focused()
    await keys.press("End")
    await keys.press("ArrowUp")
    await keys.press("Enter")  # the camera
    await expect(chat.messages).to_have_count(1)
    await expect(chat.field).to_be_focused()

    await press_until_focused(chat, "Shift+Tab", ".photo")
    await keys.press("Enter")
    dialog = chat.page.get_by_role("dialog", name="Picture")
    await expect(dialog).to_be_visible()
    await keys.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(chat.page.locator(".photo")).to_be_focused()
    await keys.press("Escape")
    await expect(chat.field).to_be_focused()


async def test_messages_are_walked_through_and_answered(open_window: Open, people: People) -> None:
    user = await people.add_user("Ada")
    for n in range(3):
        await people.send_text(user, f"line {n}")
    chat = await open_window(f"?me={user}")
    keys = chat.page.keyboard
    await press_until_focused(chat, "Shift+Tab", "li.message")
    await expect(chat.message("line 2")).to_be_focused()
    await keys.press("ArrowUp")
    await expect(chat.message("line 1")).to_be_focused()
    await keys.press("Enter")
    await expect(chat.page.get_by_role("menuitem", name="Reply")).to_be_focused()
    await keys.press("Enter")
    await expect(chat.field).to_be_focused()
    await keys.type("an answer")
    await keys.press("Shift+Enter")
    await keys.type("in two lines")
    await keys.press("Enter")
    await expect(chat.messages.last.locator(".quote")).to_contain_text("line 1")
    sent = (await people.messages(user))[-1]
    assert sent.text == "an answer\nin two lines"


async def test_escape_leaves_one_thing_at_a_time(open_window: Open, people: People) -> None:
    user = await people.add_user("Ada")
    await people.send_text(user, "hello")
    chat = await open_window(f"?me={user}")
    keys = chat.page.keyboard
    await keys.press("ArrowUp")  # edits the last message
    await expect(chat.field).to_have_value("hello")
    await keys.press("Escape")
    await expect(chat.field).to_have_value("")
    await press_until_focused(chat, "Shift+Tab", "#chat-menu")
    await keys.press("Escape")
    await expect(chat.field).to_be_focused()


async def test_chats_are_chosen_with_the_arrow_keys(open_window: Open, people: People) -> None:
    user = await people.add_user("Ada")
    await people.send_text(user, "hello")
    group = await people.add_group([user])
    chat = await open_window(f"?me={user}&chat={group}")
    await press_until_focused(chat, "Shift+Tab", ".chat-entry")
    await chat.page.keyboard.press("Home")
    await chat.page.keyboard.press("Enter")
    await expect(chat.page.get_by_role("heading", name="Lookalike", level=2)).to_be_visible()
    await expect(chat.field).to_be_focused()


async def test_the_focus_can_be_seen(open_window: Open, people: People) -> None:
    chat = await open_window(f"?me={await people.add_user('Ada')}")
    outline = "e => getComputedStyle(e).outlineStyle"
    await press_until_focused(chat, "Shift+Tab", ".sample")
    assert await chat.page.locator(".sample:focus").evaluate(outline) == "solid"
