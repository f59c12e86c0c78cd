"""What comes in, over the sandbox's Bot API: odd updates, odd files, odd senders, odd buttons."""

import logging
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from telegram.ext import JobQueue

from bot import app, captioners
from bot.callbacks import cancel_data
from bot.clients.dbservice import DatabaseClient, DatabaseUnavailable, TooManyUnfinished
from bot.context import BotData, Context
from bot.handlers import table
from bot.receive import Receiver
from bot.scheduler import Scheduler
from bot.texts import of
from bot.transports import kept
from bot.transports.kept import KeptUpdates
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, make_bot, picture
from tests.generator import scripted
from tests.sandbox.client import Json, ShownMessage
from tests.waiting import eventually

EN = of("en")


@pytest.fixture
def quick(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captioners, "create", lambda *_args, **_options: desk.captioner)
    monkeypatch.setattr(scripted, "png_of", lambda _task: picture("PNG"))
    monkeypatch.setattr("bot.pace._PRIVATE_SECONDS", 0.0)
    monkeypatch.setattr("bot.pace._GROUP_SECONDS", 0.0)
    monkeypatch.setattr("bot.transports.polling._FIRST_PAUSE", 0.01)
    monkeypatch.setattr("bot.transports.polling._LONGEST_PAUSE", 0.05)


@pytest.fixture
async def bot(desk: Desk, quick: None) -> AsyncIterator[app.RunningBot]:
    assert quick is None
    async with app.running(desk.settings) as running:
        await desk.people.send_text(desk.chat, "/start")  # opens the chat
        await told(desk, desk.chat, EN.start)
        yield running


def message(chat: int, /, **fields: Any) -> Json:
    """An update with a private message."""
    sender = {"id": chat, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    place = {"id": chat, "type": "private", "first_name": "Ada"}
    given = {"message_id": 1, "date": 1, "chat": place, "from": sender, "text": "x"} | fields
    return {"message": {name: value for name, value in given.items() if value is not None}}


def press(chat: int, data: Any, /, **fields: Any) -> Json:
    """An update with a pressed button."""
    sender = {"id": chat, "is_bot": False, "first_name": "Ada"}
    query = {"id": "1", "from": sender, "chat_instance": "1", "data": data}
    given = query | message(chat) | fields
    return {"callback_query": {name: value for name, value in given.items() if value is not None}}


UNDECODABLE: dict[str, Callable[[int], Json]] = {
    "a chat without a type": lambda chat: message(chat, chat={"id": chat}),
    "a field of another type": lambda chat: message(chat, chat="nobody"),
    "an id that is a text": lambda chat: message(chat, message_id="7"),
    "an id of 80 digits": lambda chat: message(chat, chat={"id": 10**80, "type": "private"}),
    "a media type that is none": lambda chat: message(chat, document={"file_id": "x"}),
    "a media type of another type": lambda chat: message(
        chat, document={"file_id": "x", "file_unique_id": "y", "mime_type": 7}
    ),
    "photos that are no list": lambda chat: message(chat, photo={"file_id": "x"}),
    "a photo without an id": lambda chat: message(chat, photo=[{"width": 1, "height": 1}]),
    "an entity of no length": lambda chat: message(
        chat, entities=[{"type": "bot_command", "offset": 0}]
    ),
    "a date of another type": lambda chat: message(chat, date="today"),
    "a message that is a list": lambda _chat: {"message": []},
    "a press without data": lambda chat: press(chat, None),
    "a press by nobody": lambda chat: press(chat, "x", **{"from": None}),
    "an edit of nothing": lambda _chat: {"edited_message": {}},
}


async def has_file(desk: Desk, chat: int, *photos: ShownMessage) -> None:
    """Waits until the photos are rows."""

    async def look() -> bool | None:
        request = db.ListHistoryRequest(bot_id=BOT, chat_id=chat, user_id=chat, page_size=50)
        known = {
            item.photo.message_id for item in (await desk.database.list_history(request)).items
        }
        return {photo.id for photo in photos} <= known or None

    await eventually(look)


async def nothing_waits(desk: Desk) -> None:
    """Waits until Telegram has had every update confirmed."""

    async def look() -> bool | None:
        return (await desk.people.bot())["pending_updates"] == 0 or None

    await eventually(look)


async def told(desk: Desk, chat: int, text: str, *, times: int = 1) -> list[ShownMessage]:
    """Waits until the bot has said something so often."""

    def look(messages: list[ShownMessage]) -> list[ShownMessage] | None:
        found = [m for m in messages if m.sender_id == BOT and text in (m.text or m.caption)]
        return found if len(found) >= times else None

    return await desk.people.wait_for(chat, look)


async def test_what_cannot_be_decoded_is_kept_and_its_neighbours_are_recorded(
    desk: Desk, bot: app.RunningBot, caplog: pytest.LogCaptureFixture
) -> None:
    assert bot.address
    photos = []
    for broken in UNDECODABLE.values():
        photos.append(await desk.people.send_photo(desk.chat, picture()))
        await desk.people.send_updates([broken(desk.chat)])
    photos.append(await desk.people.send_photo(desk.chat, picture()))
    await has_file(desk, desk.chat, *photos)
    await nothing_waits(desk)
    files = list(desk.home.joinpath("bot", "undecoded").iterdir())
    assert len(files) == len(UNDECODABLE)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    lines = [record for record in caplog.records if "is passed over" in record.message]
    assert len(lines) == len(UNDECODABLE)
    assert not any(record.exc_info for record in caplog.records)


async def test_only_so_much_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = KeptUpdates(tmp_path / "undecoded")
    for number in range(kept.MOST_FILES + 5):
        await folder.keep(number, b"x" * (kept.MOST_BYTES + number), "a test")
    files = list((tmp_path / "undecoded").iterdir())
    assert len(files) == kept.MOST_FILES
    assert {file.stat().st_size for file in files} == {kept.MOST_BYTES}
    assert not (tmp_path / "undecoded" / "4.json").exists()
    (tmp_path / "file").write_bytes(b"")
    await KeptUpdates(tmp_path / "file").keep(1, b"x", "a test")
    assert "cannot be kept" in caplog.messages[-1]


async def test_nothing_is_confirmed_while_dbservice_is_away(
    desk: Desk, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert quick is None
    away = desk.settings.model_copy(update={"dbservice_address": "127.0.0.1:1"})
    for send in (
        desk.people.send_photo(desk.chat, picture()),
        desk.people.send_text(desk.chat, "/cancel"),
        desk.people.send_updates([press(desk.chat, f"c:{'0' * 32}")]),
    ):
        await send
        async with app.running(away):
            await desk.people.send_text(desk.chat, "/start")

            async def complained() -> bool | None:
                return any("an update cannot be taken" in text for text in caplog.messages) or None

            await eventually(complained)
        assert (await desk.people.bot())["pending_updates"] == 2
        assert not await desk.messages()
        caplog.clear()
        async with app.running(desk.settings):
            await nothing_waits(desk)
            await told(desk, desk.chat, EN.start)
        for said in await desk.messages():
            await desk.people.delete(said)


@asynccontextmanager
async def door_of_a_dying_bot(desk: Desk) -> AsyncIterator[Receiver]:
    """The door of a bot whose handlers never run: as if it died as soon as it has confirmed."""
    async with make_bot(desk.settings.telegram_api_url.removeprefix("http://")) as bot:
        queue: JobQueue[Context] = JobQueue()

        async def tick() -> None:
            raise AssertionError

        data = BotData(desk.services, Scheduler(queue, tick, 1.0))
        application = app._application(bot, queue, data)
        yield Receiver(
            bot,
            KeptUpdates(desk.home / "kept"),
            table.register(application, desk.services),
            application.update_queue,
        )


async def states(desk: Desk, chat: int, owner: int) -> list[int]:
    """How the owner's generations in a chat are, newest first."""
    request = db.ListHistoryRequest(bot_id=BOT, chat_id=chat, user_id=owner, page_size=50)
    return [item.generation.state for item in (await desk.database.list_history(request)).items]


CANCEL = {"text": "/cancel", "entities": [{"type": "bot_command", "offset": 0, "length": 7}]}


async def test_what_makes_or_ends_work_is_done_before_it_is_confirmed(desk: Desk) -> None:
    photo = await desk.people.send_photo(desk.chat, picture())
    another = message(desk.chat, message_id=99, text=None, photo=photo.json["photo"])
    async with door_of_a_dying_bot(desk) as door:
        await door.put({"update_id": 1} | another)
        assert await states(desk, desk.chat, desk.chat) == [db.GENERATION_STATE_RECEIVED]
        item = await desk.receive(photo)
        data = cancel_data(item.id)
        await door.put({"update_id": 2} | press(desk.chat, data, message=photo.json))
        assert await states(desk, desk.chat, desk.chat) == [
            db.GENERATION_STATE_CANCELLED,
            db.GENERATION_STATE_RECEIVED,
        ]
        await door.put({"update_id": 3} | message(desk.chat, **CANCEL))
        assert await states(desk, desk.chat, desk.chat) == [db.GENERATION_STATE_CANCELLED] * 2


STRANGE = [
    "c:",
    "c:" + "0" * 32,
    "c:" + "z" * 32,
    "c:" + "0" * 32 + "\n",
    "h:",
    "h:1:",
    "h:-1:x",
    "h:{chat}:",
    "h:{chat}:no-cursor-of-ours",
    "h:{chat}:" + "٣" * 20,
    "h:" + "9" * 60 + ":x",
    "h:٣:x",
    "o:{chat}:" + "0" * 32,
    "o:{chat}:",
    "x" * 64,
    "\x00",
    "🐈" * 16,
]


async def test_strange_buttons_get_one_answer_each(
    desk: Desk, bot: app.RunningBot, caplog: pytest.LogCaptureFixture
) -> None:
    assert bot.address
    (text,) = await told(desk, desk.chat, EN.start)
    presses = [
        press(desk.chat, data.format(chat=desk.chat), id=str(number), message=text.json)
        for number, data in enumerate(STRANGE)
    ]
    gone = {"message_id": 1, "date": 0, "chat": text.json["chat"]}
    presses += [
        press(desk.chat, data, id=f"no message {data[0]}", message=place)
        for data in (f"h:{desk.chat}:", f"o:{desk.chat}:{'0' * 32}", f"c:{'0' * 32}")
        for place in (None, gone)
    ]
    await desk.people.send_updates(presses)

    async def answered() -> bool | None:
        return len(await desk.people.calls("answerCallbackQuery")) >= len(presses) or None

    await eventually(answered)
    await desk.people.send_text(desk.chat, "/help")
    await told(desk, desk.chat, EN.help)
    asked = [
        call.params["callback_query_id"]
        for call in await desk.people.calls()
        if call.method == "answerCallbackQuery"
    ]
    assert len(asked) == len(presses)
    assert not any(record.exc_info for record in caplog.records)
    assert not any(record.levelno >= logging.ERROR for record in caplog.records)


@pytest.mark.parametrize(
    ("name", "media_type", "taken"),
    [
        ("IMG_0001.JPG", "application/octet-stream", True),
        ("IMG_0001", "application/octet-stream", True),
        ("IMG_0001.JPG", None, True),
        (None, None, True),
        ("photo", "IMAGE/JPEG", True),
        ("photo.jpeg", "text/plain", True),
        ("paper.pdf", "application/pdf", False),
    ],
)
async def test_a_file_that_may_be_a_photo_is_tried(
    desk: Desk, bot: app.RunningBot, name: str | None, media_type: str | None, *, taken: bool
) -> None:
    assert bot.address
    desk.executor.go()
    ada = await desk.people.add_user()
    group = await desk.people.add_group([ada, desk.chat])
    file = (await desk.people.send_document(ada, picture(), "x.pdf", "application/pdf")).json
    document = file["document"] | {"file_name": name, "mime_type": media_type}
    document = {key: value for key, value in document.items() if value is not None}
    await desk.people.send_updates([message(desk.chat, text=None, document=document)])
    if taken:
        await told(desk, desk.chat, "a cat on a sofa")
    else:
        await told(desk, desk.chat, EN.cannot_use)
    in_group = message(desk.chat, text=None, document=document)
    in_group["message"]["chat"] = {"id": group, "type": "group", "title": "x"}
    await desk.people.send_updates([in_group])
    if media_type == "IMAGE/JPEG" or (name or "").lower().endswith((".jpg", ".jpeg")):
        await told(desk, group, "a cat on a sofa")
        return
    await nothing_waits(desk)
    in_group["message"] |= {"message_id": 2, "caption": "@Lookalike_Sandbox_Bot please"}
    await desk.people.send_updates([in_group])
    if taken:
        await told(desk, group, "a cat on a sofa")
    await nothing_waits(desk)
    assert len(await states(desk, group, desk.chat)) == taken


async def test_bytes_that_are_no_image_are_refused_in_words(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    await desk.people.send_document(desk.chat, b"what?", "thing", "application/octet-stream")
    await told(desk, desk.chat, EN.ending("unsupported-format"))


async def test_those_who_share_a_sender_share_nothing_else(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    ada = await desk.people.add_user()
    group = await desk.people.add_group([ada, desk.chat], kind="supergroup")
    sizes = (await desk.people.send_photo(ada, picture())).json["photo"]
    chat = {"id": group, "type": "supergroup", "title": "The group"}
    shared = {"GroupAnonymousBot": 1087968824, "Channel_Bot": 136817688, "Telegram": 777000}
    senders = {group: 1087968824, -1001: 136817688, -1002: 136817688, -1003: 777000, -1004: 777000}
    for number, (sender_chat, user) in enumerate(senders.items(), start=1):
        update = message(ada, text=None, photo=sizes, chat=chat, message_id=number)
        update["message"]["from"] = {"id": user, "is_bot": True, "first_name": "x"}
        kind = "supergroup" if sender_chat == group else "channel"
        update["message"]["sender_chat"] = {"id": sender_chat, "type": kind, "title": "x"}
        await desk.people.send_updates([update])
    await nothing_waits(desk)
    for owner in senders:
        assert len(await states(desk, group, owner)) == 1
    for user in shared.values():
        assert not await states(desk, group, user)


async def test_an_administrator_may_press_what_an_anonymous_one_has_got(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    people = desk.people
    ada, bob = await people.add_user("Ada"), await people.add_user("Bob")
    group = await people.add_group([ada, bob], kind="supergroup")
    await people.send_photo(group, picture(), user=ada, anonymous=True)
    (status,) = await told(desk, group, "Painting")
    for text in ("/status", "/history"):
        await people.send_text(group, text, user=ada, anonymous=True)
    (page,) = await told(desk, group, "UTC")
    for button in (page, "1"), (status, EN.cancel_button):
        answer = await people.press(*button, user=bob)
        assert answer is not None
        assert answer.text == EN.not_yours
    answer = await people.press(page, "1", user=ada)
    assert answer is not None
    assert answer.text == ""
    answer = await people.press(status, EN.cancel_button, user=ada)
    assert answer is not None
    assert answer.text == EN.cancelled
    assert len(await people.calls("getChatAdministrators")) == 1


async def test_a_user_with_too_much_is_told_once_a_minute_and_costs_nobody_anything(
    desk: Desk, bot: app.RunningBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_self: DatabaseClient, _request: db.ReceivePhotoRequest) -> None:
        raise TooManyUnfinished("TOO_MANY_UNFINISHED: as the test says", "TOO_MANY_UNFINISHED")

    assert bot.address
    monkeypatch.setattr(DatabaseClient, "receive_photo", refuse)
    for _ in range(10):
        await desk.people.send_photo(desk.chat, picture())
    await nothing_waits(desk)
    await told(desk, desk.chat, EN.ending("too-many-unfinished"))
    await desk.people.send_text(desk.chat, "/help")
    await told(desk, desk.chat, EN.help)
    assert (await desk.texts()).count(EN.ending("too-many-unfinished")) == 1


async def test_photos_are_refused_in_words_while_the_disk_is_full(
    desk: Desk, bot: app.RunningBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_self: DatabaseClient, _request: db.ReceivePhotoRequest) -> None:
        raise DatabaseUnavailable("DISK_FULL: as the test says", "DISK_FULL")

    assert bot.address
    monkeypatch.setattr(DatabaseClient, "receive_photo", refuse)
    await desk.people.send_photo(desk.chat, picture())
    await told(desk, desk.chat, EN.no_room)
    await desk.people.send_text(desk.chat, "/status")
    await told(desk, desk.chat, EN.no_work)
