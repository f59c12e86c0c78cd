"""The whole bot by webhook, over the sandbox's Bot API; see also `test_receive`."""

import asyncio
import logging

import httpx
import pytest

from bot import app
from bot.web import webhook
from tests.bot.desk import Desk, picture
from tests.bot.front import BY_WEBHOOK, EN, has_file, message, nothing_waits, told
from tests.sandbox.client import LOOPBACK

pytestmark = pytest.mark.slow


@pytest.mark.long
async def test_what_has_waited_for_a_start_comes_in(desk: Desk, quick: None) -> None:
    assert quick is None
    chats = [{"id": -group, "type": "group", "title": "x"} for group in range(1, 34)]
    await desk.people.send_updates([message(desk.chat, chat=chat) for chat in chats] * 30)
    photos = [await desk.people.send_photo(desk.chat, picture()) for _ in range(10)]
    async with app.running(desk.settings.model_copy(update=BY_WEBHOOK)):
        await has_file(desk, desk.chat, *photos)
        await nothing_waits(desk)


async def test_a_command_whose_200_was_lost_is_answered_once(desk: Desk, quick: None) -> None:
    assert quick is None
    async with app.running(desk.settings.model_copy(update=BY_WEBHOOK)):
        fault = await desk.people.add_fault("cut", method="delivery", contains="/help")
        await desk.people.send_text(desk.chat, "/help")
        await desk.people.wait_for_fault(fault)
        await nothing_waits(desk)
        await desk.people.send_text(desk.chat, "/start")
        await told(desk, desk.chat, EN.start)
    assert len(await told(desk, desk.chat, EN.help)) == 1


async def test_the_webhook_outlives_a_stop_and_goes_with_the_first_poll(
    desk: Desk, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert quick is None
    caplog.set_level(logging.INFO)
    settings = desk.settings.model_copy(update=BY_WEBHOOK)
    async with app.running(settings) as running:
        await desk.people.send_text(desk.chat, "/start")
        await told(desk, desk.chat, EN.start)
        url = f"http://{running.address}{webhook.PATH}"
        assert (await desk.people.bot())["webhook"] == url
        assert f"Updates come in by the webhook {url}." in caplog.messages
    assert (await desk.people.bot())["webhook"] == url
    await desk.people.send_text(desk.chat, "/help")
    async with app.running(desk.settings):
        await told(desk, desk.chat, EN.help)
    assert (await desk.people.bot())["webhook"] is None
    assert "Updates come in by polling." in caplog.messages
    assert settings.webhook_secret not in caplog.text


async def test_a_bot_that_polls_has_no_such_route(desk: Desk, bot: app.RunningBot) -> None:
    secret = {"X-Telegram-Bot-Api-Secret-Token": desk.settings.webhook_secret}
    async with httpx.AsyncClient(headers=secret, **LOOPBACK) as http:
        answer = await http.post(f"http://{bot.address}{webhook.PATH}", json={"update_id": 1})
    assert answer.status_code == 404


async def test_what_is_being_taken_at_a_stop_is_answered(
    desk: Desk, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quick is None
    taking, go_on = asyncio.Event(), asyncio.Event()
    receive_photo = desk.database.receive_photo.__func__  # type: ignore[attr-defined]

    async def slowly(self: object, request: object) -> object:
        taking.set()
        await go_on.wait()
        return await receive_photo(self, request)

    monkeypatch.setattr("bot.clients.dbservice.DatabaseClient.receive_photo", slowly)
    async with app.running(desk.settings.model_copy(update=BY_WEBHOOK)) as running:
        photo = await desk.people.send_photo(desk.chat, picture())
        await asyncio.wait_for(taking.wait(), 20)
        running.stop.set()
        await asyncio.sleep(0.1)  # it stops meanwhile
        go_on.set()
    await nothing_waits(desk)
    await has_file(desk, desk.chat, photo)
