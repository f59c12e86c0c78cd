import asyncio
import datetime as dt

import httpx
import pytest
from telegram import Bot
from telegram.error import NetworkError, RetryAfter, TimedOut

from tests.sandbox.client import LOOPBACK, People
from tests.sandbox.conftest import jpeg, make_bot


async def test_too_many_requests(
    bot: Bot, people: People, chat: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # the coming way; the old one warns
    await people.add_fault("too_many_requests", method="sendMessage", retry_after=7, count=2)
    for _ in range(2):
        with pytest.raises(RetryAfter) as refusal:
            await bot.send_message(chat, "x")
        assert refusal.value.retry_after == dt.timedelta(seconds=7)
    await bot.send_message(chat, "y")
    assert [m.text for m in await people.messages(chat)] == ["/start", "y"]
    assert [fault["met"] for fault in await people.faults()] == [2]


async def test_http_errors_perform_nothing(bot: Bot, people: People, chat: int) -> None:
    await people.add_fault("http_error", status=502)
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await bot.send_message(chat, "x")
    assert len(await people.messages(chat)) == 1


async def test_a_delay(bot: Bot, people: People, chat: int, url: str) -> None:
    await people.add_fault("delay", method="sendMessage", seconds=30)
    async with make_bot(url, read_timeout=0.3) as hasty:
        with pytest.raises(TimedOut):
            await hasty.send_message(chat, "late")
    await people.wait_for(chat, lambda messages: messages[-1].text == "late")
    fault_id = await people.add_fault("delay", method="sendMessage", seconds=30)
    slow = asyncio.create_task(bot.send_message(chat, "later"))
    await people.wait_for_fault(fault_id)
    assert not slow.done()
    await people.release(fault_id)
    assert (await asyncio.wait_for(slow, 10)).text == "later"


async def test_a_cut_comes_after_the_message(bot: Bot, people: People, chat: int) -> None:
    await people.add_fault("cut", method="sendPhoto")
    with pytest.raises(NetworkError) as fault:
        await bot.send_photo(chat, jpeg())
    assert isinstance(fault.value.__cause__, httpx.RemoteProtocolError)
    assert (await people.messages(chat))[-1].photo is not None
    (call,) = await people.calls("sendPhoto")
    assert (call.status, call.fault) == (200, "cut")
    await bot.send_photo(chat, jpeg())


async def test_a_held_answer_is_released(bot: Bot, people: People, chat: int) -> None:
    fault_id = await people.add_fault("hold", method="sendMessage")
    held = asyncio.create_task(bot.send_message(chat, "x"))
    call = await people.wait_for_call("sendMessage")
    assert call.fault == "hold"
    assert (await people.messages(chat))[-1].text == "x"
    assert not held.done()
    await people.release(fault_id)
    assert (await asyncio.wait_for(held, 10)).text == "x"
    assert await people.faults() == []


async def test_a_client_that_gives_up_frees_a_held_answer(
    people: People, chat: int, url: str
) -> None:
    fault_id = await people.add_fault("hold", method="sendMessage")
    async with make_bot(url, read_timeout=1) as hasty:
        sending = asyncio.create_task(hasty.send_message(chat, "x"))
        await people.wait_for_held(fault_id, 1)
        with pytest.raises(TimedOut):
            await sending
    await people.wait_for_held(fault_id, 0)
    assert (await people.messages(chat))[-1].text == "x"


async def test_downloads_can_be_held(bot: Bot, people: People, chat: int) -> None:
    shown = await people.send_photo(chat, jpeg())
    assert shown.photo is not None
    file = await bot.get_file(shown.photo)
    fault_id = await people.add_fault("hold", method="download")
    held = asyncio.create_task(file.download_as_bytearray())
    assert (await people.wait_for_call("download")).status == 200
    assert not held.done()
    await people.release(fault_id)
    assert await asyncio.wait_for(held, 10)
    await people.add_fault("http_error", method="download", status=500)
    with pytest.raises(NetworkError):
        await file.download_as_bytearray()


async def test_faults_meet_what_they_name(bot: Bot, people: People, chat: int) -> None:
    other = await people.add_user("Ben")
    await people.send_text(other, "/start")
    await people.add_fault("http_error", status=500, method="sendMessage", chat_id=other)
    await people.add_fault("http_error", status=500, method="*", contains="boom", count=5)
    await bot.send_message(chat, "x")
    await bot.get_me()
    with pytest.raises(NetworkError):
        await bot.send_message(other, "x")
    with pytest.raises(NetworkError):
        await bot.send_message(chat, "and boom!")
    await people.clear_faults()
    await bot.send_message(chat, "and boom!")


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "explode"},
        {"kind": "http_error"},
        {"kind": "http_error", "status": 400},
        {"kind": "cut", "seconds": 1},
        {"kind": "delay", "seconds": 0},
        {"kind": "hold", "count": 0},
        {"kind": "hold", "surprise": 1},
    ],
)
async def test_faults_that_make_no_sense_are_refused(url: str, order: dict[str, object]) -> None:
    async with httpx.AsyncClient(base_url=url, **LOOPBACK) as http:
        assert (await http.post("/sandbox/faults", json=order)).status_code == 422
