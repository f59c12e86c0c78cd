"""A Mini App opens in a sheet, and the page and the app speak with one another."""

import json
from collections.abc import Generator

import init_data_py
import pytest
from playwright.async_api import expect
from telegram import (
    Bot,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultCachedPhoto,
    MenuButtonWebApp,
    WebAppInfo,
)

from tests.browser.chat import Chat
from tests.browser.conftest import Open
from tests.browser.test_accessibility import violations
from tests.browser.test_keyboard import press_until_focused
from tests.browser.test_looks import PHONE, overflow
from tests.browser.tiny_app import TinyApp, opened, serving
from tests.sandbox.client import Json, People
from tests.sandbox.conftest import TOKEN, jpeg
from tests.waiting import eventually

DECLINED = '{"eventType":"prepared_message_failed","eventData":{"error":"USER_DECLINED"}}'


@pytest.fixture(scope="session")
def app_url() -> Generator[str]:
    with serving() as url:
        yield url


async def offer(bot: Bot, user: int, url: str, name: str = "Gallery") -> None:
    """Has the user's chat, and nobody else's, have a menu button."""
    await bot.set_chat_menu_button(user, MenuButtonWebApp(name, WebAppInfo(url)))


async def open_by_menu(chat: Chat) -> TinyApp:
    await chat.page.get_by_role("button", name="Gallery").click()
    return await opened(chat.page)


async def theme_heard(app: TinyApp, count: int) -> Json:
    """The colours of the last of so many events."""
    await expect(app.heard).to_have_count(count)
    event: Json = json.loads(await app.heard.last.inner_text())
    assert event["eventType"] == "theme_changed"
    colours: Json = event["eventData"]["theme_params"]
    return colours


async def test_the_menu_button_comes_and_goes(
    open_window: Open, bot: Bot, ada: int, app_url: str
) -> None:
    chat = await open_window(f"?me={ada}")
    commands = chat.page.get_by_role("button", name="Commands", exact=True)
    await expect(commands).to_be_visible()
    await bot.set_my_commands([("start", "Begin")], scope=BotCommandScopeChat(ada))
    await offer(bot, ada, app_url)
    await expect(chat.page.get_by_role("button", name="Gallery")).to_be_visible()
    await expect(commands).to_be_hidden()
    await chat.field.fill("/")
    await expect(chat.page.get_by_role("option", name="/start")).to_be_visible()
    await chat.field.fill("")
    await bot.set_chat_menu_button(ada)
    await expect(commands).to_be_visible()
    await expect(chat.page.get_by_role("button", name="Gallery")).to_be_hidden()


async def test_it_learns_who_opens_it_and_the_colours(
    open_window: Open, bot: Bot, ada: int, app_url: str
) -> None:
    chat = await open_window(f"?me={ada}")
    await chat.page.emulate_media(color_scheme="light")
    await offer(bot, ada, app_url)
    app = await open_by_menu(chat)
    told = await app.told()
    data = init_data_py.validate_by_hash(told["tgWebAppData"], TOKEN)
    assert data.user is not None
    assert (data.user.id, data.user.first_name, data.user.language_code) == (ada, "Ada", "en")
    assert data.user.allows_write_to_pm
    light: Json = json.loads(told["tgWebAppThemeParams"])
    assert (light["bg_color"], light["text_color"]) == ("#ffffff", "#16182a")
    assert all(len(colour) == 7 for colour in light.values())

    await app.post("web_app_request_theme")
    assert await theme_heard(app, 1) == light
    await chat.page.emulate_media(color_scheme="dark")
    dark = await theme_heard(app, 2)
    assert (dark["bg_color"], dark["text_color"]) == ("#171a27", "#eceefa")
    await chat.page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert await theme_heard(app, 3) == light
    await chat.page.evaluate("document.documentElement.dataset.theme = 'auto'")

    await app.post("web_app_request_viewport")
    viewport = json.loads(await app.heard.nth(4).inner_text())
    assert viewport["eventType"] == "viewport_changed"
    assert viewport["eventData"]["width"] == 420
    assert viewport["eventData"]["is_state_stable"]


async def test_a_button_of_a_message_opens_it_and_the_app_closes(
    open_window: Open, bot: Bot, ada: int, app_url: str
) -> None:
    chat = await open_window(f"?me={ada}")
    button = InlineKeyboardButton("Open all", web_app=WebAppInfo(app_url))
    await bot.send_message(ada, "yours", reply_markup=InlineKeyboardMarkup.from_button(button))
    opener = chat.page.get_by_role("button", name="Open all")
    await opener.click()
    app = await opened(chat.page)
    data = init_data_py.validate_by_hash((await app.told())["tgWebAppData"], TOKEN)
    assert data.user is not None
    assert data.user.id == ada

    back = app.sheet.get_by_role("button", name="Back")
    await expect(back).to_be_hidden()
    await app.post("web_app_setup_back_button", {"is_visible": True})
    await back.click()
    await expect(app.heard).to_have_text(['{"eventType":"back_button_pressed","eventData":{}}'])
    await app.post("web_app_setup_back_button", {"is_visible": False})
    await expect(back).to_be_hidden()
    await expect(app.sheet.get_by_role("button", name="Close")).to_be_focused()

    header = app.sheet.locator("header")
    await app.post("web_app_set_header_color", {"color": "#aaff00"})
    await expect(header).to_have_css("background-color", "rgb(170, 255, 0)")
    await expect(header).to_have_css("color", "rgb(0, 0, 0)")
    await app.post("web_app_set_header_color", {"color_key": "button_color"})
    await expect(header).to_have_css("color", "rgb(255, 255, 255)")
    await app.post("web_app_set_background_color", {"color": "#010203"})
    await expect(app.sheet.locator("iframe")).to_have_css("background-color", "rgb(1, 2, 3)")

    await app.post("web_app_close")
    await expect(app.sheet).to_have_count(0)
    await expect(opener).to_be_focused()


async def test_what_it_has_prepared_goes_where_its_user_says(
    open_window: Open, people: People, bot: Bot, ada: int, app_url: str
) -> None:
    group = await people.add_group([ada])
    channel = await people.add_group([ada], kind="channel")
    photo = (await bot.send_photo(ada, jpeg())).photo[-1].file_id
    saved = await bot.save_prepared_inline_message(
        ada,
        InlineQueryResultCachedPhoto("1", photo, caption="a cat"),
        allow_bot_chats=True,
        allow_group_chats=True,
    )
    await offer(bot, ada, app_url)
    chat = await open_window(f"?me={ada}")
    app = await open_by_menu(chat)
    await app.post("web_app_send_prepared_message", {"id": saved.id})
    share = chat.page.get_by_role("dialog", name="Share")
    await expect(share.get_by_role("radio", name="a cat")).to_be_checked()
    places = share.get_by_label("Chat")
    assert await places.locator("option").evaluate_all("all => all.map((o) => +o.value)") == [
        ada,
        group,
    ]
    await places.select_option(str(group))
    await share.get_by_role("button", name="Send").click()
    await expect(app.heard).to_have_text(['{"eventType":"prepared_message_sent","eventData":{}}'])
    (shown,) = await people.messages(group)
    assert (shown.sender_id, shown.caption, shown.via_bot) == (ada, "a cat", True)
    await expect(app.sheet).to_be_visible()

    await app.post("web_app_send_prepared_message", {"id": saved.id})
    await share.get_by_role("button", name="Cancel").click()
    await expect(app.heard.last).to_have_text(DECLINED)
    await app.post("web_app_send_prepared_message", {"id": "another"})
    await expect(app.heard.last).to_contain_text("MESSAGE_EXPIRED")
    to_users = await bot.save_prepared_inline_message(
        ada, InlineQueryResultCachedPhoto("1", photo), allow_user_chats=True
    )
    await app.post("web_app_send_prepared_message", {"id": to_users.id})
    await expect(app.heard.last).to_contain_text("UNSUPPORTED")
    assert await people.messages(channel) == []


async def test_nobody_else_speaks_for_it(
    open_window: Open, bot: Bot, ada: int, app_url: str
) -> None:
    chat = await open_window(f"?me={ada}")
    await offer(bot, ada, app_url)
    app = await open_by_menu(chat)
    close = json.dumps({"eventType": "web_app_close"})
    await chat.page.evaluate("close => postMessage(close, '*')", close)
    for odd in ("{", "[]", '{"eventType": "constructor"}', "x" * 70_000, {"eventType": "x"}):
        await app.frame.evaluate("odd => parent.postMessage(odd, host)", odd)
    limits = await app.sheet.locator("iframe").get_attribute("sandbox")
    assert limits is not None
    assert "top-navigation" not in limits
    await app.post("web_app_request_theme")
    await theme_heard(app, 1)
    await expect(app.sheet).to_be_visible()

    await offer(bot, ada, "https://example.org/app", "Elsewhere")
    await app.sheet.get_by_role("button", name="Close").click()
    await expect(app.sheet).to_have_count(0)
    await chat.page.get_by_role("button", name="Elsewhere").click()
    await expect(chat.toast).to_have_text("Only apps on this machine open here.")


async def test_it_is_reached_and_left_by_keyboard(
    open_window: Open, bot: Bot, ada: int, app_url: str
) -> None:
    chat = await open_window(f"?me={ada}")
    await offer(bot, ada, app_url)
    await expect(chat.page.get_by_role("button", name="Gallery")).to_be_visible()
    keys = chat.page.keyboard
    await press_until_focused(chat, "Shift+Tab", ".app-button")
    await keys.press("Enter")
    app = await opened(chat.page)
    await expect(app.sheet.get_by_role("button", name="Close")).to_be_focused()
    await keys.press("Tab")
    await expect(app.frame.get_by_role("button", name="A button")).to_be_focused()
    await press_until_focused(chat, "Shift+Tab", ".sheet-bar button")
    await keys.press("Escape")
    await expect(app.sheet).to_have_count(0)
    await expect(chat.page.get_by_role("button", name="Gallery")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_and_it_fills_a_phone(
    open_window: Open, bot: Bot, ada: int, app_url: str, scheme: str
) -> None:
    chat = await open_window(f"?me={ada}")
    await chat.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # one of the two
    await offer(bot, ada, app_url)
    await expect(chat.page.get_by_role("button", name="Gallery")).to_be_visible()
    assert await violations(chat) == []
    app = await open_by_menu(chat)
    await app.post("web_app_setup_back_button", {"is_visible": True})
    assert await violations(chat) == []
    await chat.page.set_viewport_size(PHONE)

    async def fills() -> bool | None:
        return (await app.sheet.bounding_box()) == {"x": 0, "y": 0, **PHONE} or None

    await eventually(fills)  # it is laid out anew a moment later
    assert await overflow(chat) == []
    await app.sheet.get_by_role("button", name="Close").click()
    await expect(app.sheet).to_have_count(0)
    assert await overflow(chat) == []
