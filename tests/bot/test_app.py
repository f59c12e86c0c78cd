"""The whole bot in one process, from its composition root."""

import asyncio
import gettext
import logging
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from bot import app, captioners, profile
from bot.captioners.base import CaptionerUnavailable
from bot.observers import LogObserver
from bot.readiness import STUCK_SECONDS
from bot.texts import catalogues, of
from bot.texts.texts import Texts
from bot.work.item import WorkItem
from bot.work.leasing import Leasing
from lookalike.errors import StartError
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT_TOKEN, CAPTION, Desk, make_bot, picture
from tests.bot.front import pictured
from tests.generator import scripted
from tests.sandbox.client import LOOPBACK, ShownMessage
from tests.waiting import eventually

pytestmark = pytest.mark.slow

EN = of("en")
LANGUAGE = "eo"


class Bracketed(gettext.NullTranslations):
    """A language in which everything is in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


OTHER = Texts(Bracketed())


@pytest.fixture
async def bot(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[app.RunningBot]:
    monkeypatch.setattr(captioners, "create", lambda *_args, **_options: desk.captioner)
    monkeypatch.setattr(scripted, "png_of", lambda _task: picture("PNG"))
    monkeypatch.setattr("bot.work.backoff._LONGEST_WAIT", 0.0)
    monkeypatch.setattr("bot.pace._PRIVATE_SECONDS", 0.0)
    monkeypatch.setitem(catalogues.LANGUAGES, LANGUAGE, OTHER)
    async with app.running(desk.settings) as running:
        yield running


def foreign(message: ShownMessage) -> bool:
    """Whether all that a message says is in brackets, and not just a part of it."""
    texts = [message.text or message.caption]
    texts += [button.text for button in message.buttons if re.search(r"[^\W\d_]", button.text)]
    return all("⟦" in text and not re.search(r"[^\W\d_]", _outside(text)) for text in texts)


def _outside(text: str) -> str:
    text = re.sub(r"^/\w+ - ", "", text, flags=re.MULTILINE)
    while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", "", text)) != text:
        text = shorter
    return text


async def told(desk: Desk, chat: int, text: str) -> ShownMessage:
    """Waits until the bot says something that contains the text."""

    def look(messages: list[ShownMessage]) -> list[ShownMessage]:
        return [m for m in messages if m.from_bot and text in (m.text or m.caption)]

    return (await desk.people.wait_for(chat, look))[0]


async def converse(desk: Desk, chat: int, texts: Texts) -> None:
    """Has the bot say nearly everything that it can say."""
    for sent, text in (
        ("/start", texts.start),
        ("/help", texts.help),
        ("hello", texts.pictures.offer("hello")),
        ("/paint", texts.pictures.paint_usage),
        ("/sing", texts.unknown_command),
        ("/status", texts.no_work),
        ("/history", texts.no_history),
        ("/cancel", texts.no_work),
    ):
        await desk.people.send_text(chat, sent)
        await told(desk, chat, text)
    await desk.people.send_document(chat, b"GIF89a" + bytes(50), "a.gif", "image/gif")
    await told(desk, chat, texts.ending("unsupported-format"))
    await desk.people.send_document(chat, picture("PNG"), caption="/paint")
    await told(desk, chat, texts.pictures.no_recipe)
    desk.captioner.script += [CaptionerUnavailable("away")] * 2
    await desk.people.send_photo(chat, picture())
    await told(desk, chat, texts.waiting("captioner-unavailable"))
    caption = db.Caption(text=CAPTION.text, captioner="offline", confidence=CAPTION.confidence)
    await told(desk, chat, texts.caption(caption))
    status = await told(desk, chat, "Painting")
    await desk.people.send_text(chat, "/status")
    await told(desk, chat, f"1. {CAPTION.text}")
    answer = await desk.people.press(status, texts.cancel_button)
    assert answer is not None
    assert answer.text == texts.cancelled
    await told(desk, chat, texts.cancelled)
    await told_nothing_unfinished(desk, chat, texts)


async def told_nothing_unfinished(desk: Desk, chat: int, texts: Texts) -> None:
    """Asks for the status until nothing is unfinished."""

    async def look() -> bool | None:
        sent = await desk.people.send_text(chat, "/status")
        messages = await desk.people.wait_for(
            chat, lambda shown: [m for m in shown if m.from_bot and m.id > sent.id]
        )
        return any(texts.no_work in message.text for message in messages) or None

    await eventually(look)


@pytest.mark.long
async def test_everybody_reads_their_own_language(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    people = desk.people
    chats = {await people.add_user(language_code=LANGUAGE): OTHER, await people.add_user(): EN}
    for chat, texts in chats.items():
        await converse(desk, chat, texts)
    photos = [await people.send_photo(chat, picture()) for chat in chats]
    for chat in chats:
        await told(desk, chat, "Painting")  # at the same time
    desk.executor.go()
    for photo, texts in zip(photos, chats.values(), strict=True):
        chat = photo.chat_id
        await pictured(desk, chat)
        await told_nothing_unfinished(desk, chat, texts)
        await people.send_text(chat, "/history")
        await pictured(desk, chat, times=2)
    for chat, texts in chats.items():
        said = [message for message in await people.messages(chat) if message.from_bot]
        assert len(said) > 10
        told_by_us = [m for m in said if not m.photo]  # a picture says what its photo shows
        assert [m.json for m in told_by_us if foreign(m) != (texts is OTHER)] == []


async def test_the_menu_of_commands_is_there_in_each_language(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    await desk.people.send_text(desk.chat, "/start")
    await told(desk, desk.chat, EN.start)
    menus = (await desk.people.bot())["commands"]
    assert {
        (menu["scope"]["type"], menu["language_code"]): [
            (command["command"], command["description"]) for command in menu["commands"]
        ]
        for menu in menus
    } == {
        (scope, "" if language == catalogues.SOURCE else language): [
            (name, text) for name, text in texts.commands if name not in private_alone
        ]
        for language, texts in catalogues.LANGUAGES.items()
        for scope, private_alone in (
            ("all_private_chats", ()),
            ("all_group_chats", ("start", "export")),
        )
    }
    calls = await desk.people.calls()
    before = [call.method for call in calls if call.method.startswith("setMy")]
    assert len(before) == 4 * len(catalogues.LANGUAGES)
    async with make_bot(desk.settings.telegram_api_url.removeprefix("http://")) as again:
        await profile.set_up(again)
        described = await again.get_my_description(LANGUAGE)
    assert described.description == OTHER.description
    calls = await desk.people.calls()
    assert [call.method for call in calls if call.method.startswith("setMy")] == before


async def test_a_profile_that_cannot_be_set_is_one_line(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captioners, "create", lambda *_args, **_options: desk.captioner)
    await desk.people.add_fault("refuse", method="setMyDescription", description="not now")
    async with app.running(desk.settings):
        await desk.people.send_text(desk.chat, "/start")
        await told(desk, desk.chat, EN.start)
    (line,) = [text for text in caplog.messages if "profile" in text]
    assert line == "The bot's profile is not set yet, the next start tries: Not now."


async def test_a_photo_goes_all_its_way_and_leaves_one_line_and_no_memory(
    desk: Desk, bot: app.RunningBot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot")
    desk.executor.go()
    await desk.people.send_photo(desk.chat, picture())
    await pictured(desk, desk.chat)
    await told_nothing_unfinished(desk, desk.chat, EN)
    (line,) = [text for text in caplog.messages if text.startswith("Delivered")]
    assert re.fullmatch(
        rf"Delivered to telegram:{desk.chat}: caption \d+\.\d s(, waited \d+\.\d s)?,"
        r" painted \d+\.\d s\.",
        line,
    )
    for check in ("live", "ready"):
        assert await health(bot, check) == (200, f"{check}\n")


@pytest.mark.long
async def test_a_bot_with_nothing_to_do_asks_for_nothing_but_work(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(LogObserver, "rpc_done", lambda _self, event: asked.append(event.method))

    async def have_been(asked_for_work: int) -> bool | None:
        return asked.count("LeaseGenerations") >= asked_for_work or None

    async with app.running(desk.settings) as bot:
        async with httpx.AsyncClient(**LOOPBACK) as client:

            async def ready() -> bool | None:
                answer = await client.get(f"http://{bot.address}/health/ready")
                return answer.is_success or None

            await eventually(ready)
        asked.clear()
        await eventually(lambda: have_been(4))
        assert set(asked) == {"LeaseGenerations"}


@pytest.mark.long
async def test_hundreds_of_commands_of_one_user_hold_up_nobody_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captioners, "create", lambda *_args, **_options: desk.captioner)
    people, other = desk.people, await desk.people.add_user()
    await asyncio.gather(*(people.send_text(desk.chat, "/status") for _ in range(150)))
    await people.send_text(other, "/status")
    async with app.running(desk.settings):
        await told(desk, other, EN.no_work)
        assert len(await desk.messages()) < 120  # 30 at once, then 30 a second


async def test_a_second_poller_ends_the_bot_with_a_sentence(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.transports.polling._CONFLICT_SECONDS", 0.0)

    async def serve() -> None:
        async with app.running(desk.settings) as running:
            await desk.people.send_text(desk.chat, "/start")
            await told(desk, desk.chat, EN.start)  # so it polls
            async with httpx.AsyncClient(**LOOPBACK) as http:
                await http.get(f"{desk.settings.telegram_api_url}/bot{BOT_TOKEN}/getUpdates")
            async with asyncio.timeout(20):
                await running.stop.wait()

    with pytest.raises(StartError, match="Another program polls"):
        await serve()


async def test_a_bot_that_telegram_does_not_know_does_not_start(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "REVOKED_SECONDS", 0.0)
    token = SecretStr("10002:another-token-than-the-sandbox-has")
    settings = desk.settings.model_copy(update={"telegram_bot_token": token})

    async def serve() -> None:
        async with app.running(settings) as running, asyncio.timeout(20):
            await running.stop.wait()

    with pytest.raises(StartError, match="BotFather"):
        await serve()


async def test_a_stop_while_its_profile_is_set_waits_for_nothing(desk: Desk, quick: None) -> None:
    assert quick is None
    fault = await desk.people.add_fault("delay", method="getMyDescription", seconds=60, count=50)
    async with asyncio.timeout(40), app.running(desk.settings) as running:
        await desk.people.wait_for_fault(fault)
        running.stop.set()


async def test_a_bot_whose_telegram_is_away_waits_lives_and_stops_when_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_impatient(monkeypatch)
    settings = desk.settings.model_copy(update={"telegram_api_url": "http://127.0.0.1:1"})
    async with app.running(settings) as running:
        await asyncio.sleep(1)
        assert (await health(running, "ready"))[0] == 503
        assert await health(running, "live") == (200, "live\n")


@pytest.mark.long
async def test_a_bot_whose_dbservice_is_away_lives(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_impatient(monkeypatch)
    settings = desk.settings.model_copy(update={"dbservice_address": "127.0.0.1:1"})
    await desk.people.send_text(desk.chat, "/start")
    async with app.running(settings) as running:
        for _ in range(20):
            await asyncio.sleep(0.1)
            assert await health(running, "live") == (200, "live\n")
        assert (await health(running, "ready"))[0] == 503


async def test_a_bot_whose_tick_hangs_does_not_live(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert STUCK_SECONDS + 10 <= 40, "10 s is the longest period"
    be_impatient(monkeypatch)

    free = asyncio.Event()

    async def hang(_self: Leasing, _under_way: object) -> list[WorkItem]:
        await free.wait()
        return []

    monkeypatch.setattr(Leasing, "lease", hang)
    async with app.running(desk.settings) as running:

        async def look() -> bool | None:
            return (await health(running, "live"))[0] == 503 or None

        await eventually(look)
        free.set()


def be_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("bot.app", "bot.transports.calling"):
        monkeypatch.setattr(f"{module}.STUCK_SECONDS", 0.7)


async def health(bot: app.RunningBot, state: str) -> tuple[int, str]:
    async with httpx.AsyncClient(**LOOPBACK) as http:
        answer = await http.get(f"http://{bot.address}/health/{state}")
    return answer.status_code, answer.text
