"""`reply_markup`: what buttons can be, and what Telegram refuses of them."""

import httpx
import pytest
from telegram import (
    Bot,
    CopyTextButton,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from telegram.constants import KeyboardButtonStyle
from telegram.error import BadRequest

from tests.sandbox.client import Button, Json, People

DATA: Json = {"text": "x", "callback_data": "x"}


@pytest.fixture
def url(shared_url: str) -> str:
    return shared_url


async def test_buttons_have_a_style_and_may_copy(bot: Bot, people: People, chat: int) -> None:
    keyboard = InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton("Keep", callback_data="k", style=KeyboardButtonStyle.SUCCESS),
                InlineKeyboardButton("Delete", callback_data="d", style="danger"),
            ],
            [InlineKeyboardButton("Seed", copy_text=CopyTextButton("1" * 256))],
        ]
    )
    sent = await bot.send_message(chat, "x", reply_markup=keyboard)
    assert sent.reply_markup == keyboard
    assert (await people.messages(chat))[-1].buttons == [
        Button("Keep", "k", None, style="success"),
        Button("Delete", "d", None, style="danger"),
        Button("Seed", None, None, copies="1" * 256),
    ]


@pytest.mark.parametrize(
    ("markup", "description"),
    [
        ([], "object expected as reply markup"),
        ({"inline_keyboard": {}}, "must be an Array"),
        ({"inline_keyboard": [{}]}, "must be an Array of Arrays"),
        ({"inline_keyboard": [["x"]]}, "InlineKeyboardButton must be an Object"),
        ({"inline_keyboard": [[{"text": "x"}]]}, "Text buttons are unallowed"),
        ({"inline_keyboard": [[{"text": 1, "callback_data": "x"}]]}, "must be of type String"),
        ({"inline_keyboard": [[{"callback_data": "x"}]]}, 'Can\'t find field "text"'),
        ({"inline_keyboard": [[{"text": " ", "callback_data": "x"}]]}, "BUTTON_TEXT_INVALID"),
        ({"inline_keyboard": [[{"text": "x", "callback_data": "é" * 33}]]}, "BUTTON_DATA_INVALID"),
        ({"inline_keyboard": [[{"text": "x", "url": "nowhere"}]]}, "BUTTON_URL_INVALID"),
        ({"inline_keyboard": [[{**DATA, "url": "https://x.org"}]]}, "exactly one action"),
        ({"inline_keyboard": [[{"text": "x", "pay": True}]]}, "BUTTON_TYPE_INVALID"),
        ({"inline_keyboard": [[{**DATA, "style": "pink"}]]}, "invalid button style"),
        ({"inline_keyboard": [[{"text": "x", "copy_text": "y"}]]}, "must be of type Object"),
        (
            {"inline_keyboard": [[{"text": "x", "copy_text": {"text": "y" * 257}}]]},
            "BUTTON_COPY_TEXT_INVALID",
        ),
        ({"inline_keyboard": [[DATA] * 9]}, "reply markup is too long"),
        ({"inline_keyboard": [[DATA]] * 101}, "reply markup is too long"),
        ({"force_reply": True, "input_field_placeholder": "x" * 65}, "placeholder is too long"),
    ],
)
async def test_bad_keyboards_are_refused(
    http: httpx.AsyncClient, chat: int, markup: object, description: str
) -> None:
    answer = await http.post(
        "/sendMessage", json={"chat_id": chat, "text": "x", "reply_markup": markup}
    )
    assert answer.status_code == 400
    assert answer.json()["error_code"] == 400
    assert description in answer.json()["description"]


async def test_64_bytes_of_callback_data_are_taken(bot: Bot, chat: int) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="é" * 32)]])
    assert (await bot.send_message(chat, "x", reply_markup=keyboard)).reply_markup == keyboard


async def test_a_broken_reply_markup_is_refused(http: httpx.AsyncClient, chat: int) -> None:
    answer = await http.post(
        "/sendMessage", data={"chat_id": chat, "text": "x", "reply_markup": "{"}
    )
    description = "Bad Request: can't parse reply keyboard markup JSON object"
    assert answer.json() == {"ok": False, "error_code": 400, "description": description}


async def test_a_question_asks_for_a_reply_and_is_never_edited(
    bot: Bot, people: People, chat: int
) -> None:
    start = await people.last_event()
    asked = await bot.send_message(chat, "What is it?", reply_markup=ForceReply(selective=True))
    assert asked.reply_markup is None  # a Message has inline keyboards only
    question = (await people.messages(chat))[-1]
    assert question.forces_reply
    (event,) = await people.events(start, kinds=["message"])
    assert event["data"]["message"]["client_markup"]["force_reply"]
    answer = await people.send_text(chat, "A helmet", reply_to=question.id)
    assert answer.reply_to == asked.message_id
    assert "client_markup" not in str(answer.json)

    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", chat, asked.message_id)
    plain = await bot.send_message(chat, "x", reply_markup=ReplyKeyboardRemove())
    await bot.edit_message_text("y", chat, plain.message_id)
    for markup in (ForceReply(), ReplyKeyboardMarkup([["x"]])):
        with pytest.raises(BadRequest, match="Inline keyboard expected"):
            await bot.edit_message_text(
                "z",
                chat,
                plain.message_id,
                reply_markup=markup,  # type: ignore[arg-type]  # PTB's types know
            )
