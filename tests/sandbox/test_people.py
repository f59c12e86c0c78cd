import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from tests.sandbox.client import LOOPBACK, People
from tests.sandbox.conftest import jpeg

JSON = {"content-type": "application/json"}


@pytest.fixture
def url(shared_url: str) -> str:
    return shared_url


@pytest.fixture
async def api(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{url}/sandbox", **LOOPBACK) as api:
        yield api


async def test_events_tell_what_happens_in_order(bot: Bot, people: People, chat: int) -> None:
    start = await people.last_event()
    waiting = asyncio.create_task(people.events(start, 30))
    sent = await bot.send_message(chat, "one")
    first = (await asyncio.wait_for(waiting, 10))[0]
    assert first["kind"] == "message"
    await bot.edit_message_text("two", chat, sent.message_id)
    await bot.delete_message(chat, sent.message_id)

    events = [event for event in await people.events(start) if event["kind"] != "call"]
    assert [event["kind"] for event in events] == ["message", "edit", "delete"]
    assert [event["data"]["chat_id"] for event in events] == [chat] * 3
    assert events[1]["data"]["message"]["text"] == "two"
    assert events[1]["data"]["message"]["edits"] == 1
    numbers = [event["n"] for event in events]
    assert numbers == sorted(numbers)


async def test_the_transcript_holds_each_call_without_bytes(
    bot: Bot, people: People, chat: int
) -> None:
    start = await people.last_event()
    photo = jpeg()
    await bot.send_photo(chat, photo, caption="so")
    (call,) = await people.calls("sendPhoto", after=start)
    assert call.params["caption"] == "so"
    assert [file["size"] for file in call.files.values()] == [len(photo)]
    assert call.status == 200
    assert call.answer["result"]["caption"] == "so"


async def test_people_edit_their_messages(people: People, chat: int) -> None:
    (start,) = await people.messages(chat)
    text = await people.send_text(chat, "/status", reply_to=start.id)
    assert text.reply_to == start.id
    photo = await people.send_photo(chat, jpeg(), caption="a")
    assert (await people.edit(text, "no command")).json.get("entities") is None
    assert (await people.edit(photo, "b")).caption == "b"
    edited = [m for m in await people.messages(chat) if m.edits]
    assert [(m.text, m.caption) for m in edited] == [("no command", ""), ("", "b")]


async def test_what_people_cannot_do(
    bot: Bot, people: People, chat: int, api: httpx.AsyncClient
) -> None:
    other = await people.add_user("Ben")
    group = await people.add_group([other])
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="x")]])
    sent = await bot.send_message(chat, "x", reply_markup=keyboard)
    message = f"/chats/{chat}/messages/{sent.message_id}"
    refused = [
        (await api.post(f"/chats/{chat}/messages", data={"user": chat}), 422),
        (await api.post(f"/chats/{chat}/messages", data={"user": 1, "text": "x"}), 404),
        (await api.post("/chats/5/messages", data={"user": chat, "text": "x"}), 404),
        (await api.post(f"/chats/{group}/messages", data={"user": chat, "text": "x"}), 409),
        (await api.patch(message, json={"user": chat, "text": "y"}), 409),
        (await api.post(f"{message}/press", json={"user": chat, "data": "y"}), 409),
        (await api.post(f"{message}/press", json={"user": other, "data": "x"}), 409),
        (await api.delete(f"/chats/{chat}/messages/99999"), 404),
        (await api.put(f"/chats/{chat}/bot", json={"status": "left"}), 409),
        (await api.post(f"/chats/{chat}/migrate"), 409),
        (await api.get("/files/never"), 404),
        (await api.delete("/files/never"), 404),
        (await api.delete("/faults/99999"), 404),
        (await api.post("/chats", json={"type": "group", "title": "x", "members": [1]}), 404),
        (await api.post("/chats", json={"type": "group", "title": "x", "members": []}), 422),
        (await api.post("/users", json={"first_name": ""}), 422),
        (await api.post("/users", content=b'{"first_name": "\\ud800"}', headers=JSON), 422),
        (await api.get(f"/chats/{10**20}/messages"), 422),
        (await api.get("/nothing"), 404),
    ]
    for answer, status in refused:
        assert answer.status_code == status, answer.request.url
        assert "detail" in answer.json()
    await people.block(chat)
    blocked = await api.post(f"/chats/{chat}/messages", data={"user": chat, "text": "x"})
    assert blocked.status_code == 409
    assert blocked.json() == {"detail": "the user has blocked the bot"}


async def test_telegram_takes_no_broken_photo_of_a_user(chat: int, api: httpx.AsyncClient) -> None:
    files = {"photo": ("x.jpg", b"no image", "image/jpeg")}
    answer = await api.post(f"/chats/{chat}/messages", data={"user": chat}, files=files)
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "Bad Request: IMAGE_PROCESS_FAILED",
    )


async def test_chats_are_listed(people: People, chat: int) -> None:
    group = await people.add_group([chat])
    known = {entry["id"]: entry for entry in await people.chats()}
    assert known[chat]["type"] == "private"
    assert known[group]["members"] == [chat]
