"""Whether a webhook is there, and Telegram gets through to it; what is said if not."""

import asyncio
import contextlib

import pytest

from bot.readiness import NotReady, Stuck
from bot.transports import webhook
from lookalike.errors import StartError
from tests.bot.transports.hooking import SECRET, hooked
from tests.bot.transports.telegram import Door, ScriptedTelegram, holds


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
        await holds(lambda: hook.transport.check() is None)


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
