"""What is posted is taken once, whatever comes and whoever is away; nobody else gets in."""

import asyncio

import httpx
import pytest

from bot.transports import webhook
from bot.transports.base import UPDATES, Json
from bot.web import webhook as route
from tests.bot.transports.hooking import HEADER, SECRET, hooked
from tests.bot.transports.telegram import Door, ScriptedTelegram, holds
from tests.sandbox.client import LOOPBACK

WRONG = [None, "", SECRET[:-1], SECRET + "0", SECRET.upper(), "ä"]


# Who gets in.


@pytest.mark.parametrize("secret", WRONG)
async def test_without_the_secret_nobody_gets_in(
    telegram: ScriptedTelegram, secret: str | None
) -> None:
    door = Door()
    async with hooked(telegram, door) as hook:
        await hook.is_open()
        answer = await hook.post(1, secret)
    assert answer.status_code == 403
    assert SECRET not in answer.text
    assert door.taken == [0]


async def test_without_the_secret_no_body_is_read(telegram: ScriptedTelegram) -> None:
    async with hooked(telegram, Door()) as hook:
        host, _, port = hook.address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {route.PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"
        writer.write(head.encode())
        assert b" 403 " in await asyncio.wait_for(reader.readline(), 10)
        writer.close()


async def test_elsewhere_and_by_other_methods_there_is_nothing(telegram: ScriptedTelegram) -> None:
    async with hooked(telegram, Door()) as hook:
        assert (await hook.get()).status_code == 405
        async with httpx.AsyncClient(headers={HEADER: SECRET}, **LOOPBACK) as http:
            for path in ("/telegram", "/telegram/webhook/1", "/webhook", "/"):
                answer = await http.post(f"http://{hook.address}{path}", content=b"{}")
                assert answer.status_code == 404, path


async def test_telegram_is_told_where_and_keeps_it(telegram: ScriptedTelegram) -> None:
    async with hooked(telegram, Door()) as hook:
        await hook.is_open()
        await holds(lambda: hook.transport.check() is None)
    assert telegram.webhook == {
        "url": hook.url,
        "secret_token": SECRET,
        "max_connections": webhook.MOST_AT_ONCE,
        "allowed_updates": list(UPDATES),
        "pending_update_count": 0,
    }
    assert telegram.calls["deleteWebhook"] == 0


# What is taken.


async def test_a_hundred_at_once_are_taken_one_by_one(telegram: ScriptedTelegram) -> None:
    door = Door()
    async with hooked(telegram, door) as hook:
        await hook.is_open()
        answers = await asyncio.gather(*(hook.post(number) for number in range(1, 101)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.content for answer in answers} == {b""}, "Telegram would take it for a method"
    assert sorted(door.taken) == list(range(101))


async def test_an_update_whose_200_was_lost_is_not_taken_twice(
    telegram: ScriptedTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "_MOST_TAKEN", 3)
    door = Door()
    async with hooked(telegram, door) as hook:
        await hook.is_open()
        for _ in range(2):
            for number in (1, 2, 3):
                assert (await hook.post(number)).status_code == 200
        assert door.taken == [0, 1, 2, 3]
        assert (await hook.post(4)).status_code == 200
        assert (await hook.post(1)).status_code == 200
    assert door.taken == [0, 1, 2, 3, 4, 1], "so many are known"


BROKEN = {
    "nested deeply": b'{"update_id": 7, "message": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a huge number": b'{"update_id": 7, "message": ' + b"9" * 5000 + b"}",
    "no UTF-8": b'{"update_id": 7, "message": {"text": "\xff\xfe"}}',
    "no JSON": b'{"update_id": 7, "message": {{{',
    "too long": b'{"update_id": 7, "message": "' + b"x" * 3 * route.MOST_BYTES + b'"}',
    "a number that is a text": b'{"update_id": "7"}',
    "a number that is none": b'{"update_id": -1}',
    "no number": b'{"message": {}}',
    "a list": b"[]",
    "nothing": b"",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_what_nobody_can_decode_is_kept_and_comes_no_more(
    telegram: ScriptedTelegram, broken: bytes
) -> None:
    door = Door()
    async with hooked(telegram, door) as hook:
        await hook.is_open()
        assert (await hook.post(broken)).status_code == 200
    assert door.taken == [0]
    ((number, data),) = door.passed_over.items()
    assert number == (7 if b'"update_id": 7' in broken else None)
    assert data == broken[: route.MOST_BYTES]


# What has to come again.


async def test_what_cannot_be_recorded_comes_again(telegram: ScriptedTelegram) -> None:
    door = Door()
    door.not_now = {1}
    async with hooked(telegram, door) as hook:
        await hook.is_open()
        answers = [await hook.post(number) for number in (1, 1, 2)]
        assert [answer.status_code for answer in answers] == [503, 503, 200]
        assert answers[0].headers["Retry-After"] == "1"
        door.not_now.clear()
        assert (await hook.post(1)).status_code == 200
    assert door.taken == [0, 2, 1]


async def test_whatever_hangs_telegram_hears_of_it_within_ten_seconds(
    telegram: ScriptedTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert webhook.TAKE_SECONDS + route._BODY_SECONDS < 10
    monkeypatch.setattr(webhook, "TAKE_SECONDS", 0.2)
    free = asyncio.Event()

    class Hanging(Door):
        async def put(self, update: Json) -> None:
            if update["update_id"]:
                await free.wait()
            await super().put(update)

    door = Hanging()
    async with hooked(telegram, door) as hook:
        await hook.is_open()
        answers = await asyncio.gather(*(hook.post(number) for number in range(1, 41)))
        assert {answer.status_code for answer in answers} == {503}
        free.set()
        assert (await hook.post(1)).status_code == 200
    assert door.taken == [0, 1]


async def test_a_body_that_does_not_arrive_comes_again(
    telegram: ScriptedTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "_BODY_SECONDS", 0.1)
    async with hooked(telegram, Door()) as hook:
        host, _, port = hook.address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {route.PATH} HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\n"
        writer.write(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        assert b" 503 " in await asyncio.wait_for(reader.readline(), 10)
        writer.close()


async def test_nothing_is_taken_before_the_door_is_there_nor_by_an_older_process(
    telegram: ScriptedTelegram,
) -> None:
    known = asyncio.Event()
    may_take = [True]

    async def is_newest() -> bool | None:
        return True if known.is_set() else None

    async def may() -> bool:
        return may_take[0]

    door = Door()
    async with hooked(telegram, door, is_newest, may_take=may) as hook:
        assert (await hook.post(1)).status_code == 503
        assert telegram.calls["setWebhook"] == 0
        known.set()
        await hook.is_open()
        may_take[0] = False
        assert (await hook.post(2)).status_code == 503
    assert door.taken == [0]
