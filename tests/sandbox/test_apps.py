"""Mini Apps: the buttons that open them, what they are told, what they have their users send."""

import json
import time
from typing import Any

import httpx
import init_data_py
import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultCachedPhoto,
    MenuButtonCommands,
    MenuButtonDefault,
    MenuButtonWebApp,
    WebAppInfo,
)
from telegram.error import BadRequest

from sandbox.telegram import prepared
from tests.sandbox.client import Json, People
from tests.sandbox.conftest import TOKEN, jpeg

URL = "http://127.0.0.1:5080/app/"
BUTTON = MenuButtonWebApp("Gallery", WebAppInfo(URL))
OPENS = InlineKeyboardMarkup.from_button(InlineKeyboardButton("Open", web_app=WebAppInfo(URL)))
APP: Json = {"text": "x", "web_app": {"url": URL}}


@pytest.fixture
async def photo(bot: Bot, chat: int) -> str:
    return (await bot.send_photo(chat, jpeg())).photo[-1].file_id


async def test_a_menu_button_for_all_and_for_one_chat(bot: Bot, people: People, chat: int) -> None:
    assert await bot.get_chat_menu_button() == MenuButtonDefault()
    await bot.set_chat_menu_button(menu_button=BUTTON)
    assert await bot.get_chat_menu_button() == BUTTON
    assert await bot.get_chat_menu_button(chat) == MenuButtonDefault()
    await bot.set_chat_menu_button(chat, MenuButtonCommands())
    assert await bot.get_chat_menu_button(chat) == MenuButtonCommands()
    assert (await people.bot())["menu_buttons"] == [
        {"chat_id": None, "button": BUTTON.to_dict()},
        {"chat_id": chat, "button": {"type": "commands"}},
    ]
    with pytest.raises(AssertionError, match="does not offer that app"):
        await people.open_app(chat, URL)
    await bot.set_chat_menu_button(chat)
    assert await bot.get_chat_menu_button(chat) == MenuButtonDefault()
    assert await people.open_app(chat, URL)
    await bot.set_chat_menu_button(menu_button=MenuButtonDefault())
    assert (await people.bot())["menu_buttons"] == []


@pytest.mark.parametrize(
    ("fields", "description"),
    [
        ({"menu_button": "{"}, "can't parse menu button JSON object"),
        ({"menu_button": []}, "can't parse menu button: MenuButton must be an Object"),
        ({"menu_button": {"type": "x"}}, "MenuButton has unsupported type"),
        ({"menu_button": {"type": "web_app"}}, 'Field "text" must be of type String'),
        ({"menu_button": {"type": "web_app", **APP, "text": " "}}, "text must be non-empty"),
        ({"menu_button": {"type": "web_app", **APP, "text": "x" * 65}}, "BUTTON_TEXT_INVALID"),
        ({"menu_button": {"type": "web_app", "text": "x"}}, '"web_app" must be of type Object'),
        (
            {"menu_button": {"type": "web_app", "text": "x", "web_app": {"url": "http://x.org"}}},
            "menu button web app URL 'http://x.org' is invalid: Only HTTPS links are allowed",
        ),
        ({"chat_id": -5}, "invalid chat_id specified"),
        ({"chat_id": 5}, "user not found"),
    ],
)
async def test_menu_buttons_that_are_refused(
    http: httpx.AsyncClient, fields: Json, description: str
) -> None:
    answer = await http.post("/setChatMenuButton", json=fields)
    assert answer.status_code == 400
    assert description in answer.json()["description"]


@pytest.mark.parametrize(
    ("app", "description"),
    [
        ("x", 'Field "web_app" must be of type Object'),
        ({"address": URL}, 'Can\'t find field "url"'),
        ({"url": 1}, 'Field "url" must be of type String'),
        ({"url": "https://[x"}, "Wrong HTTP URL"),
        ({"url": "https://x.org/\n"}, "Wrong HTTP URL"),
        ({"url": "https://x.org/" + "x" * 2048}, "Wrong HTTP URL"),
        ({"url": "https:///app"}, "URL host is empty"),
        (
            {"url": "http://x.org"},
            "keyboard button Web App URL 'http://x.org' is invalid: Only HTTPS links are allowed",
        ),
        ({"url": "ftp://127.0.0.1"}, "Only HTTPS links are allowed"),
    ],
)
async def test_apps_that_are_refused(
    http: httpx.AsyncClient, chat: int, app: Any, description: str
) -> None:
    markup = {"inline_keyboard": [[{"text": "x", "web_app": app}]]}
    body = {"chat_id": chat, "text": "x", "reply_markup": markup}
    answer = await http.post("/sendMessage", json=body)
    assert answer.status_code == 400
    assert description in answer.json()["description"]


async def test_apps_open_in_private_chats_only(bot: Bot, people: People, chat: int) -> None:
    sent = await bot.send_message(chat, "x", reply_markup=OPENS)
    assert sent.reply_markup == OPENS
    assert [button.app for button in (await people.messages(chat))[-1].buttons] == [URL]
    public = InlineKeyboardButton("Open", web_app=WebAppInfo("https://example.org/app"))
    await bot.edit_message_reply_markup(
        chat, sent.message_id, reply_markup=InlineKeyboardMarkup.from_button(public)
    )
    group = await people.add_group([chat])
    with pytest.raises(BadRequest, match="Button_type_invalid"):
        await bot.send_message(group, "x", reply_markup=OPENS)
    plain = await bot.send_message(group, "x")
    with pytest.raises(BadRequest, match="Button_type_invalid"):
        await bot.edit_message_text("y", group, plain.message_id, reply_markup=OPENS)


async def test_an_app_is_told_who_opens_it(bot: Bot, people: People) -> None:
    user = await people.add_user(
        "Ada", last_name="Lovelace", username="lovelace", language_code="de"
    )
    await bot.set_chat_menu_button(menu_button=BUTTON)
    told = await people.open_app(user, URL, theme={"bg_color": "#ffffff"})
    assert (told["tgWebAppVersion"], told["tgWebAppPlatform"]) == ("9.1", "weba")
    assert json.loads(told["tgWebAppThemeParams"]) == {"bg_color": "#ffffff"}
    data = init_data_py.validate_by_hash(told["tgWebAppData"], TOKEN)
    assert data.user == init_data_py.User(
        id=user, first_name="Ada", last_name="Lovelace", username="lovelace", language_code="de"
    )
    assert abs(data.auth_date - time.time()) < 60
    assert data.query_id
    assert (data.chat_type, data.chat_instance, data.signature) == (None, None, None)
    assert not init_data_py.is_valid_by_hash(told["tgWebAppData"], "1:another")

    for status, may_write in (("member", True), ("kicked", None)):
        await people.send_text(user, "/start") if may_write else await people.block(user)
        told = await people.open_app(user, URL)
        data = init_data_py.parse(told["tgWebAppData"])
        assert data.user is not None
        assert data.user.allows_write_to_pm is may_write, status


async def test_an_app_is_opened_where_it_is_offered(bot: Bot, people: People, chat: int) -> None:
    with pytest.raises(AssertionError, match="does not offer that app"):
        await people.open_app(chat, URL)
    await bot.send_message(chat, "x", reply_markup=OPENS)
    message = (await people.messages(chat))[-1]
    told = await people.open_app(chat, URL, message=message)
    data = init_data_py.validate_by_hash(told["tgWebAppData"], TOKEN)
    assert data.user is not None
    assert data.user.id == chat
    with pytest.raises(AssertionError, match="does not offer that app"):
        await people.open_app(chat, "http://127.0.0.1:1/", message=message)
    stranger = await people.add_user("Eve")
    with pytest.raises(AssertionError, match="not in this chat"):
        await people.open_app(stranger, URL, message=message)


async def test_an_address_keeps_its_own_fragment(
    bot: Bot, people: People, http: httpx.AsyncClient, url: str
) -> None:
    user = await people.add_user()
    for own, begins in (("top", "#top?tgWebAppData="), ("a=b", "#a=b&tgWebAppData=")):
        app = f"{URL}#{own}"
        await bot.set_chat_menu_button(menu_button=MenuButtonWebApp("x", WebAppInfo(app)))
        body = {"user": user, "url": app}
        opened = await http.post(f"{url}/sandbox/chats/{user}/app", json=body)
        assert begins in opened.json()["url"]


async def test_a_prepared_message_is_sent_in_the_users_name(
    bot: Bot, people: People, chat: int, photo: str
) -> None:
    group = await people.add_group([chat])
    result = InlineQueryResultCachedPhoto("1", photo, caption="<b>a cat</b>", parse_mode="HTML")
    saved = await bot.save_prepared_inline_message(
        chat, result, allow_bot_chats=True, allow_group_chats=True
    )
    assert 0 < saved.expiration_date.timestamp() - time.time() <= prepared.KEPT_SECONDS
    shown = await people.prepared(chat, saved.id)
    assert (shown.caption, shown.photo, shown.kinds) == ("a cat", photo, ["bot", "group"])
    after = (await bot.get_updates())[-1].update_id + 1
    for place in (group, chat):
        sent = await people.send_prepared(chat, saved.id, place)
        assert (sent.sender_id, sent.caption, sent.photo) == (chat, "a cat", photo)
        assert sent.via_bot
    first, second = await bot.get_updates(after)
    assert first.message is not None
    assert second.message is not None
    assert first.message.via_bot == second.message.via_bot == await bot.get_me()
    channel = await people.add_group([chat], kind="channel")
    with pytest.raises(AssertionError, match="not for such a chat"):
        await people.send_prepared(chat, saved.id, channel)


async def test_a_prepared_message_is_one_users_and_expires(
    bot: Bot, people: People, chat: int, photo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = InlineQueryResultCachedPhoto("1", photo)
    saved = await bot.save_prepared_inline_message(chat, result, allow_bot_chats=True)
    other = await people.add_user("Eve")
    for user, prepared_id in ((other, saved.id), (chat, "another")):
        with pytest.raises(AssertionError, match="404"):
            await people.prepared(user, prepared_id)
        with pytest.raises(AssertionError, match="404"):
            await people.send_prepared(user, prepared_id, user)
    monkeypatch.setattr(prepared, "KEPT_SECONDS", 0)
    saved = await bot.save_prepared_inline_message(chat, result, allow_bot_chats=True)
    with pytest.raises(AssertionError, match="has expired"):
        await people.send_prepared(chat, saved.id, chat)


@pytest.mark.long
@pytest.mark.parametrize(
    ("fields", "description"),
    [
        ({"user_id": 0}, "invalid user_id specified"),
        ({"user_id": 5}, "user not found"),
        ({"result": None}, "result isn't specified"),
        ({"result": {"type": "article", "id": "1"}}, "type is unsupported"),
        ({"allow_user_chats": False}, "at least one chat type must be allowed"),
        ({"reply_markup": APP}, "BUTTON_TYPE_INVALID"),
        ({"reply_markup": {"text": "x", "switch_inline_query": "x"}}, "BUTTON_TYPE_INVALID"),
    ],
)
async def test_prepared_messages_that_are_refused(
    http: httpx.AsyncClient, chat: int, photo: str, fields: Json, description: str
) -> None:
    result: Json = {"type": "photo", "id": "1", "photo_file_id": photo}
    if "reply_markup" in fields:
        result["reply_markup"] = {"inline_keyboard": [[fields["reply_markup"]]]}
    body = {"user_id": chat, "result": result, "allow_user_chats": True, **fields}
    answer = await http.post("/savePreparedInlineMessage", json=body)
    assert answer.status_code == 400
    assert description in answer.json()["description"]
