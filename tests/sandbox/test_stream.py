"""The live stream of events, and who may ask for what."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest
from telegram import Bot

from sandbox.storage import events
from tests.sandbox.client import LOOPBACK, People


@pytest.fixture
async def site(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The server as a browser sees it."""
    async with httpx.AsyncClient(base_url=url, timeout=20, **LOOPBACK) as site:
        yield site


async def stream(
    site: httpx.AsyncClient, after: int, last_id: int | None = None
) -> AsyncGenerator[tuple[str, Any, int | None]]:
    """Each event's kind, data and number."""
    headers = {} if last_id is None else {"Last-Event-ID": str(last_id)}
    request = site.stream("GET", f"/sandbox/stream?after={after}", headers=headers)
    async with asyncio.timeout(20), request as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        async for line in response.aiter_lines():
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
            elif "event" in fields:
                number = int(fields["id"]) if "id" in fields else None
                yield fields["event"], json.loads(fields["data"]), number
                fields = {}


async def take(
    site: httpx.AsyncClient, count: int, after: int, last_id: int | None = None
) -> list[tuple[str, Any, int | None]]:
    """The first events; none about the bot."""
    found = []
    async with aclosing(stream(site, after, last_id)) as events:
        async for event in events:
            if event[0] != "bot":
                found.append(event)
            if len(found) == count:
                break
    return found


async def test_what_happens_is_streamed_in_order(
    site: httpx.AsyncClient, people: People, bot: Bot, chat: int
) -> None:
    start = await people.last_event()
    taking = asyncio.create_task(take(site, 4, start))
    sent = await bot.send_message(chat, "one")
    await bot.edit_message_text("two", chat, sent.message_id)
    await bot.send_chat_action(chat, "typing")
    await bot.delete_message(chat, sent.message_id)
    found = await taking
    assert [kind for kind, _, _ in found] == ["message", "edit", "action", "delete"]
    assert [data["chat_id"] for _, data, _ in found] == [chat] * 4


async def test_a_stream_goes_on_where_it_broke_off(
    site: httpx.AsyncClient, people: People, chat: int
) -> None:
    start = await people.last_event()
    await people.send_text(chat, "one")
    ((_, _, number),) = await take(site, 1, start)
    await people.send_text(chat, "two")
    ((_, data, _),) = await take(site, 1, start, last_id=number)  # a browser repeats the address
    assert data["message"]["text"] == "two"


async def test_a_gap_is_said(
    site: httpx.AsyncClient, people: People, chat: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = await people.last_event()
    ((kind, _, _),) = await take(site, 1, start + 1000)  # the log of another home
    assert kind == "reset"
    monkeypatch.setattr(events, "_EVENTS_KEPT", 3)
    for n in range(6):
        await people.send_text(chat, str(n))
    ((kind, _, number),) = await take(site, 1, start)
    assert (kind, number) == ("reset", await people.last_event())


async def test_new_chats_are_streamed(site: httpx.AsyncClient, people: People) -> None:
    start = await people.last_event()
    user = await people.add_user()
    group = await people.add_group([user])
    ((kind, data, _),) = await take(site, 1, start)
    assert kind == "chat"
    assert (data["chat"]["id"], data["chat"]["members"]) == (group, [user])


async def test_whether_the_bot_listens_is_streamed(
    site: httpx.AsyncClient, people: People, bot: Bot
) -> None:
    async with aclosing(stream(site, await people.last_event())) as events:
        kind, data, number = await anext(events)
        assert (kind, data["listening"], number) == ("bot", False, None)
        await bot.get_updates()
        _, data, _ = await anext(events)
        assert data["listening"] is True


async def test_streams_that_are_left_leave_nothing_behind(
    site: httpx.AsyncClient, people: People, chat: int
) -> None:
    start = await people.last_event()
    for n in range(30):
        await people.send_text(chat, str(n))
        await take(site, 1, start)
    assert len(await people.messages(chat)) == 31


async def test_an_id_that_somebody_chose_is_not_given_again(people: People) -> None:
    first = await people.add_user("Ada")
    await people.add_user("Ben", user_id=first + 1)
    assert await people.add_user("Cleo") not in {first, first + 1}


async def test_lines_of_a_form_end_as_telegram_s(people: People, chat: int) -> None:
    assert (await people.send_text(chat, "one\r\ntwo")).text == "one\ntwo"


async def test_pages_of_older_messages(site: httpx.AsyncClient, people: People, chat: int) -> None:
    sent = [await people.send_text(chat, str(n)) for n in range(5)]
    answer = await site.get(f"/sandbox/chats/{chat}/messages?limit=2&before={sent[3].id}")
    assert [message["text"] for message in answer.json()] == ["1", "2"]


async def test_the_page_allows_nothing_from_elsewhere(site: httpx.AsyncClient) -> None:
    for path in ("/", "/page/js/main.js", "/page/css/theme.css", "/page/samples/cat.jpg"):
        answer = await site.get(path)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await site.get("/page/../people/acting.py")).status_code == 404


@pytest.mark.parametrize("origin", ["https://example.org", "null", "http://127.0.0.1:1"])
async def test_pages_from_elsewhere_may_not_act(
    site: httpx.AsyncClient, people: People, chat: int, origin: str
) -> None:
    answer = await site.post(
        f"/sandbox/chats/{chat}/messages",
        data={"user": chat, "text": "forged"},
        headers={"Origin": origin},
    )
    assert answer.status_code == 403
    assert [message.text for message in await people.messages(chat)] == ["/start"]
    own = str(site.base_url).rstrip("/")
    answer = await site.post(
        f"/sandbox/chats/{chat}/messages",
        data={"user": chat, "text": "own"},
        headers={"Origin": own},
    )
    assert answer.status_code == 200
