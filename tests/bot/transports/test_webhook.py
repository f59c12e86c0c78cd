"""What is posted is taken once, whatever comes and whoever is away; nobody else gets in."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from bot.readiness import NotReady, Stuck
from bot.transports import calling, webhook
from bot.transports.base import UPDATES, Json
from bot.transports.webhook import WebhookTransport
from bot.web import webhook as route
from bot.web.app import create_app
from lookalike import lifecycle, web
from lookalike.errors import StartError
from tests.bot.transports.telegram import (
    Door,
    ScriptedTelegram,
    holds,
    newest,
    scripted_telegram,
)
from tests.sandbox.client import LOOPBACK
from tests.waiting import eventually

SECRET = "f00d" * 16
HEADER = "X-Telegram-Bot-Api-Secret-Token"
WRONG = [None, "", SECRET[:-1], SECRET + "0", SECRET.upper(), "ä"]


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(calling, "_LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(webhook, "_LOOK_SECONDS", 0.1)


@pytest.fixture
async def telegram() -> AsyncIterator[ScriptedTelegram]:
    async with scripted_telegram() as telegram:
        yield telegram


class Hook:
    """A transport with its HTTP route, and whoever posts there."""

    def __init__(self, transport: WebhookTransport, address: str, http: httpx.AsyncClient) -> None:
        self.transport = transport
        self.address = address
        self.receiving: asyncio.Task[None] | None = None
        self._http = http

    async def post(self, content: bytes | int, secret: str | None = SECRET) -> httpx.Response:
        """Posts a body, or an update with this number."""
        if isinstance(content, int):
            content = json.dumps({"update_id": content, "message": {"text": "hello"}}).encode()
        headers = [] if secret is None else [(HEADER.encode(), secret.encode())]
        return await self._http.post(self.url, content=content, headers=headers)

    async def get(self) -> httpx.Response:
        return await self._http.get(self.url, headers={HEADER: SECRET})

    @property
    def url(self) -> str:
        return f"http://{self.address}{route.PATH}"

    async def is_open(self) -> None:
        """Waits until the door is."""

        async def look() -> bool | None:
            return (await self.post(0)).is_success or None

        await eventually(look)


@asynccontextmanager
async def hooked(
    telegram: ScriptedTelegram,
    door: Door,
    is_newest: Callable[[], Awaitable[bool | None]] = newest,
    **options: Any,
) -> AsyncIterator[Hook]:
    bound, stop = lifecycle.bind("127.0.0.1:0", "BOT_LISTEN"), asyncio.Event()
    address = lifecycle.address_of(bound)
    url = f"http://{address}{route.PATH}"
    options = {"may_take": newest} | options
    transport = WebhookTransport(telegram.url, url, SECRET, is_newest, **options)
    app = create_app(
        [transport.check_progress], [transport.check], [route.route(SECRET, transport.take)]
    )
    serving = asyncio.create_task(web.serve(app, bound, stop))
    async with httpx.AsyncClient(timeout=20, **LOOPBACK) as http:
        hook = Hook(transport, address, http)
        hook.receiving = asyncio.create_task(transport.receive(door, stop))
        try:
            yield hook
        finally:
            stop.set()
            await asyncio.wait_for(asyncio.gather(serving, hook.receiving), 10)


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


# Telegram and others.


async def test_a_telegram_that_fails_is_asked_again(telegram: ScriptedTelegram) -> None:
    telegram.refusals = {"setWebhook": [500, 502, 404], "getWebhookInfo": [500]}
    async with hooked(telegram, Door()) as hook:
        await holds(lambda: hook.transport.check() is None)
    assert telegram.calls["setWebhook"] == 4


async def test_a_telegram_that_asks_to_wait_is_given_the_time(telegram: ScriptedTelegram) -> None:
    telegram.refusals, telegram.retry_after = {"setWebhook": [429]}, 1
    begun = asyncio.get_running_loop().time()
    async with hooked(telegram, Door()) as hook:
        await holds(lambda: hook.transport.check() is None)
    assert asyncio.get_running_loop().time() - begun >= 1


async def test_a_token_that_is_refused_for_a_minute_ends_the_bot_with_a_sentence(
    telegram: ScriptedTelegram,
) -> None:
    now = 0.0
    telegram.refusals = {"setWebhook": [401] * 1000, "getMe": [401] * 1000}
    with contextlib.ExitStack() as ends:
        async with hooked(telegram, Door(), clock=lambda: now) as hook:
            await holds(lambda: telegram.calls["getMe"] > 3)
            assert hook.receiving is not None
            assert not hook.receiving.done()
            now = 61.0
            await asyncio.wait({hook.receiving}, timeout=20)
            ends.enter_context(pytest.raises(StartError, match="TELEGRAM_BOT_TOKEN"))
            hook.receiving.result()


@pytest.mark.parametrize("there", ["", "https://example.org/their-secret-path"])
async def test_a_webhook_that_another_program_has_changed_is_set_again(
    telegram: ScriptedTelegram, there: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with hooked(telegram, Door()) as hook:
        await hook.is_open()
        telegram.webhook["url"] = there
        await holds(lambda: telegram.webhook["url"] == hook.url)
    (said,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert ("example.org" if there else "has removed it") in said
    assert "their-secret-path" not in said
    assert SECRET not in caplog.text


async def test_a_webhook_that_a_newer_process_has_set_stays(telegram: ScriptedTelegram) -> None:
    is_newest = [True]

    async def newest() -> bool:
        return is_newest[0]

    async with hooked(telegram, Door(), newest) as hook:
        await hook.is_open()
        is_newest[0] = False
        telegram.webhook["url"] = "http://127.0.0.1:1/telegram/webhook"
        assert hook.receiving is not None
        await asyncio.wait_for(hook.receiving, 20)
        assert (await hook.post(1)).status_code == 503
    assert telegram.webhook["url"] == "http://127.0.0.1:1/telegram/webhook"


async def test_that_telegram_cannot_deliver_is_said_until_it_does(
    telegram: ScriptedTelegram, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with hooked(telegram, Door()) as hook:
        await holds(lambda: hook.transport.check() is None)
        telegram.webhook |= {"last_error_message": "Connection timed out", "last_error_date": 1}
        looks = telegram.calls["getWebhookInfo"]
        await holds(lambda: telegram.calls["getWebhookInfo"] > looks + 2)
        assert hook.transport.check() is None, "nothing waits"
        telegram.webhook["pending_update_count"] = 3
        said = f"{NotReady.UNDELIVERABLE}: Connection timed out"
        await holds(lambda: hook.transport.check() == said)
        assert (await hook.post(1)).status_code == 200
        assert hook.transport.check() is None
        telegram.webhook["pending_update_count"] = 0
        await holds(lambda: "Updates come in again." in caplog.messages)
    assert caplog.messages.count(f"Updates do not come in: {said}") == 1


async def test_an_error_from_before_the_start_says_nothing(telegram: ScriptedTelegram) -> None:
    before = {"last_error_message": "Connection refused", "last_error_date": 1}
    telegram.webhook |= {"pending_update_count": 3} | before
    async with hooked(telegram, Door()) as hook:
        await holds(lambda: telegram.calls["getWebhookInfo"] > 4)
        assert hook.transport.check() is None
        telegram.webhook["last_error_date"] = 2
        await holds(lambda: hook.transport.check() is not None)


async def test_an_address_that_telegram_does_not_take_is_said(telegram: ScriptedTelegram) -> None:
    telegram.refusals = {"setWebhook": [400] * 1000}
    async with hooked(telegram, Door()) as hook:
        await holds(lambda: NotReady.UNDELIVERABLE in (hook.transport.check() or ""))
        assert (hook.transport.check() or "").endswith(": Telegram answers 400: no setWebhook")
        telegram.refusals = {}
        await holds(lambda: hook.transport.check() is None)


# Whether it gets on.


async def test_updates_that_are_refused_without_end_are_not_healthy(
    telegram: ScriptedTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.readiness.READY_SECONDS", 0.5)
    door = Door()
    async with hooked(telegram, door) as hook:
        assert hook.transport.check() is NotReady.TELEGRAM_SILENT
        await holds(lambda: hook.transport.check() is None)
        telegram.webhook["pending_update_count"] = 1
        door.not_now = {1}
        await hook.post(1)
        await holds(lambda: hook.transport.check() is NotReady.UPDATES_STUCK)
        door.not_now.clear()
        await hook.post(1)
        assert hook.transport.check() is None


async def test_one_that_is_refused_though_dbservice_answers_is_stuck(
    telegram: ScriptedTelegram,
) -> None:
    now, says = [0.0], [True]

    async def is_newest() -> bool | None:
        return True if says[0] else None

    async def post_again(seconds: float) -> None:
        now[0] += seconds
        looks = telegram.calls["getWebhookInfo"]
        for _ in range(3):
            await hook.post(1)
            await holds(lambda looks=looks: telegram.calls["getWebhookInfo"] > looks)  # type: ignore[misc]
            looks = telegram.calls["getWebhookInfo"]

    door = Door()
    door.not_now = {1}
    async with hooked(telegram, door, is_newest, clock=lambda: now[0]) as hook:
        await hook.is_open()
        says[0] = False  # dbservice is away: that is not for a restart to mend
        for _ in range(3):
            await post_again(25.0)
            assert hook.transport.check_progress() is None
        says[0] = True
        await post_again(25.0)
        assert hook.transport.check_progress() is None
        await post_again(10.0)
        assert hook.transport.check_progress() is Stuck.UPDATES
        door.not_now.clear()
        await hook.post(1)
        await holds(lambda: hook.transport.check_progress() is None)


async def test_one_that_was_refused_and_does_not_come_again_is_nothing_to_mend(
    telegram: ScriptedTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "_AGAIN_SECONDS", 0.05)
    now = [0.0]
    door = Door()
    door.not_now = {1}
    async with hooked(telegram, door, clock=lambda: now[0]) as hook:
        await hook.is_open()
        await hook.post(1)
        for _ in range(4):
            looks = telegram.calls["getWebhookInfo"]
            await holds(lambda looks=looks: telegram.calls["getWebhookInfo"] > looks + 2)  # type: ignore[misc]
            assert hook.transport.check_progress() is None
            now[0] += 25.0
