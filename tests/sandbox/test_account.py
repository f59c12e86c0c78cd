import asyncio

import httpx
import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
)
from telegram.error import BadRequest

from sandbox.telegram import answering
from tests.sandbox.client import Answer, People

TOO_OLD = "Query is too old and response timeout expired or query id is invalid"
KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton("More", callback_data="m:1")]])


async def test_get_me(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.is_bot, me.can_read_all_group_messages) == (123456789, True, True)


async def test_a_pressed_button_is_answered_once(bot: Bot, people: People, chat: int) -> None:
    sent = await bot.send_message(chat, "x", reply_markup=KEYBOARD)
    shown = (await people.messages(chat))[-1]
    pressing = asyncio.create_task(people.press(shown, "More"))
    (update,) = await bot.get_updates(offset=2, timeout=10)
    query = update.callback_query
    assert query is not None
    assert query.message is not None
    assert (query.data, query.from_user.id) == ("m:1", chat)
    assert query.message.message_id == sent.message_id
    assert not pressing.done()
    assert await query.answer("Done", show_alert=True)
    assert await pressing == Answer("Done", show_alert=True)
    with pytest.raises(BadRequest) as refusal:
        await query.answer()
    assert refusal.value.message == TOO_OLD


async def test_queries_that_are_unknown_or_old(
    bot: Bot, people: People, chat: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query("123")
    await bot.send_message(chat, "x", reply_markup=KEYBOARD)
    assert await people.press((await people.messages(chat))[-1], "More", wait=0) is None
    (update,) = await bot.get_updates(offset=2)
    assert update.callback_query is not None
    with pytest.raises(BadRequest, match="Message_too_long"):
        await update.callback_query.answer("x" * 201)
    monkeypatch.setattr(answering, "ANSWER_SECONDS", 0.0)
    with pytest.raises(BadRequest, match="Query is too old"):
        await update.callback_query.answer()


async def test_commands_by_scope_and_language(bot: Bot, people: People, chat: int) -> None:
    await bot.set_my_commands([("start", "Begin")])
    await bot.set_my_commands([("hilfe", "Hilfe")], language_code="de")
    await bot.set_my_commands([("all", "All")], scope=BotCommandScopeAllGroupChats())
    await bot.set_my_commands([("mine", "Mine")], scope=BotCommandScopeChat(chat))

    assert await bot.get_my_commands() == (BotCommand("start", "Begin"),)
    assert await bot.get_my_commands(language_code="de") == (BotCommand("hilfe", "Hilfe"),)
    assert await bot.get_my_commands(language_code="fr") == ()
    scope = BotCommandScopeChat(chat)
    assert await bot.get_my_commands(scope=scope) == (BotCommand("mine", "Mine"),)
    kept = (await people.bot())["commands"]
    assert {"type": "chat", "chat_id": chat} in [entry["scope"] for entry in kept]
    await bot.delete_my_commands()
    assert await bot.get_my_commands() == ()


@pytest.mark.parametrize(
    ("fields", "description"),
    [
        ({"commands": {}}, "expected an Array of BotCommand"),
        ({"commands": ["start"]}, "can't parse BotCommand: expected an Object"),
        ({"commands": [{"command": "start"}]}, 'Field "description" must be of type String'),
        ({"commands": [{"command": "/", "description": "x"}]}, "command must be non-empty"),
        ({"commands": [{"command": "Start", "description": "x"}]}, "BOT_COMMAND_INVALID"),
        ({"commands": [{"command": "a" * 33, "description": "x"}]}, "BOT_COMMAND_INVALID"),
        ({"commands": [{"command": "a", "description": " "}]}, "BOT_COMMAND_DESCRIPTION_INVALID"),
        ({"commands": [{"command": "a", "description": "x"}] * 101}, "BOT_COMMANDS_TOO_MUCH"),
        ({"commands": [], "language_code": "english"}, "LANG_CODE_INVALID"),
        ({"commands": [], "scope": {"type": "moon"}}, "can't parse BotCommandScope"),
        ({"commands": [], "scope": {"type": "chat", "chat_id": 1}}, "chat not found"),
    ],
)
async def test_bad_commands_are_refused(
    http: httpx.AsyncClient, fields: dict[str, object], description: str
) -> None:
    answer = await http.post("/setMyCommands", json=fields)
    assert answer.status_code == 400
    assert description in answer.json()["description"]
