"""Inline mode: a person writes after the bot's name, and sends what the bot offers."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQuery,
    InlineQueryResultCachedPhoto,
    InlineQueryResultsButton,
    Message,
    SwitchInlineQueryChosenChat,
)
from telegram.error import BadRequest

from tests.sandbox.client import Offer, People
from tests.sandbox.conftest import jpeg

TOO_LATE = "Query is too old and response timeout expired or query id is invalid"


@pytest.fixture
async def photo(bot: Bot, people: People, chat: int) -> str:
    """A file_id, of a bot that has inline mode."""
    await people.set_inline_mode()
    await bot.get_updates(allowed_updates=["inline_query", "message"])
    return (await bot.send_photo(chat, jpeg())).photo[-1].file_id


async def asked(bot: Bot, offset: int = 0) -> tuple[int, InlineQuery]:
    (update,) = await bot.get_updates(offset, timeout=10)
    assert update.inline_query is not None
    return update.update_id + 1, update.inline_query


async def answered(
    bot: Bot, people: People, user: int, results: Sequence[Any], **how: Any
) -> Offer:
    looking = asyncio.create_task(people.look_for(user, "a cat", chat=how.pop("chat", None)))
    await bot.get_updates(-1, timeout=10)
    _, query = await asked(bot)
    await query.answer(results, **how)
    offer = await looking
    assert offer is not None
    return offer


async def test_what_the_bot_offers_is_sent_in_the_persons_name(
    bot: Bot, people: People, chat: int, photo: str
) -> None:
    friend = await people.add_user("Eve")
    group = await people.add_group([chat, friend])
    looking = asyncio.create_task(people.look_for(chat, "a cat", offset="7", chat=group))
    after, query = await asked(bot, -1)
    assert (query.query, query.offset, query.chat_type) == ("a cat", "7", "group")
    assert query.from_user.id == chat
    buttons = InlineKeyboardMarkup.from_button(InlineKeyboardButton("x", callback_data="y"))
    results = [
        InlineQueryResultCachedPhoto("one", photo, caption="a cat"),
        InlineQueryResultCachedPhoto("two", photo, reply_markup=buttons),
    ]
    button = InlineQueryResultsButton("More", start_parameter="more")
    await query.answer(results, is_personal=True, cache_time=5, next_offset="9", button=button)
    offer = await looking
    assert offer is not None
    assert offer.results == {"one": "a cat", "two": ""}
    assert (offer.next_offset, offer.button) == ("9", "More")
    assert offer.json["is_personal"]
    sent = await people.choose(offer, "one", group)
    assert (sent.sender_id, sent.caption, sent.photo) == (chat, "a cat", photo)
    (update,) = await bot.get_updates(after, timeout=10)
    assert update.message is not None
    assert update.message.via_bot == await bot.get_me()
    assert [each.via_bot for each in await people.messages(group)] == [True]
    with pytest.raises(AssertionError, match="has not offered"):
        await people.choose(offer, "three", group)
    with pytest.raises(AssertionError, match="has not offered"):
        await people.choose(Offer(offer.id, friend, offer.json), "one", group)


async def test_a_query_in_the_chat_with_the_bot_says_so(
    bot: Bot, people: People, chat: int, photo: str
) -> None:
    assert photo
    looking = asyncio.create_task(people.look_for(chat))
    _, query = await asked(bot, -1)
    assert (query.query, query.offset, query.chat_type) == ("", "", "sender")
    await query.answer([])
    offer = await looking
    assert offer is not None
    assert offer.results == {}
    with pytest.raises(BadRequest, match=TOO_LATE):
        await query.answer([])
    with pytest.raises(BadRequest, match=TOO_LATE):
        await bot.answer_inline_query("1", [])


@pytest.mark.parametrize(
    ("results", "more", "description"),
    [
        ({}, {}, "expected an Array"),
        ([{"type": "photo", "photo_file_id": "x", "id": "1"}], {}, "wrong file identifier"),
        ([{"type": "article", "id": "1"}], {}, "type is unsupported"),
        ([{"type": "photo", "photo_file_id": "{photo}", "id": "é" * 33}], {}, "RESULT_ID_INVALID"),
        ([{"type": "photo", "photo_file_id": "{photo}", "id": "1"}] * 2, {}, "RESULT_ID_DUPLICATE"),
        ([{}] * 51, {}, "RESULTS_TOO_MUCH"),
        ([], {"next_offset": "x" * 65}, "NEXT_OFFSET_INVALID"),
        ([], {"button": {"text": "x", "start_parameter": "a b"}}, "START_PARAM_INVALID"),
    ],
)
async def test_what_telegram_refuses(
    people: People, http: httpx.AsyncClient, photo: str, results: Any, more: Any, description: str
) -> None:
    assert people
    if isinstance(results, list):
        results = [
            {name: photo if value == "{photo}" else value for name, value in each.items()}
            for each in results
        ]
    body = {"inline_query_id": "1", "results": results, **more}
    response = await http.post("/answerInlineQuery", json=body)
    assert response.status_code == 400
    assert description in response.json()["description"]


async def test_without_inline_mode_there_is_none(bot: Bot, people: People, chat: int) -> None:
    chosen = SwitchInlineQueryChosenChat("#1", allow_user_chats=True)
    button = InlineKeyboardButton("Share", switch_inline_query_chosen_chat=chosen)
    markup = InlineKeyboardMarkup.from_button(button)

    async def send() -> Message:
        return await bot.send_message(chat, "x", reply_markup=markup)

    assert not (await bot.get_me()).supports_inline_queries
    with pytest.raises(BadRequest, match="Button_type_invalid"):
        await send()
    with pytest.raises(AssertionError, match="no inline mode"):
        await people.look_for(chat)
    await people.set_inline_mode()
    assert (await bot.get_me()).supports_inline_queries
    assert (await send()).reply_markup == markup
    assert (await people.messages(chat))[-1].buttons[0].query == "#1"
    assert (await people.bot())["inline_mode"]


async def test_buttons_to_inline_mode_that_are_refused(
    people: People, http: httpx.AsyncClient, chat: int
) -> None:
    await people.set_inline_mode()
    for action, value, description in (
        ("switch_inline_query", "x" * 257, "BUTTON_DATA_INVALID"),
        ("switch_inline_query", {"query": "x"}, "must be of type String"),
        ("switch_inline_query_chosen_chat", "x", "must be of type Object"),
        ("switch_inline_query_chosen_chat", {"query": "x"}, "at least one chat type"),
    ):
        markup = {"inline_keyboard": [[{"text": "x", action: value}]]}
        body = {"chat_id": chat, "text": "x", "reply_markup": markup}
        response = await http.post("/sendMessage", json=body)
        assert response.status_code == 400, (action, value)
        assert description in response.json()["description"]
