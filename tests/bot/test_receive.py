"""What comes in, over the sandbox's Bot API: odd updates, odd files, odd senders, odd buttons."""

import logging
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from telegram.ext import JobQueue

from bot import app
from bot.callbacks import cancel_data
from bot.context import BotData, Context
from bot.handlers import table
from bot.receive import Receiver
from bot.scheduler import Scheduler
from bot.transports import kept
from bot.transports.kept import KeptUpdates
from bot.work.incarnation import Incarnation
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import Desk, make_bot, picture
from tests.bot.front import (
    BY_WEBHOOK,
    EN,
    IN_BOTH_WAYS,
    has_file,
    message,
    nothing_waits,
    press,
    states,
    told,
)
from tests.sandbox.client import Json
from tests.waiting import eventually

pytestmark = pytest.mark.slow

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
    "a reply to a file without an id": lambda chat: message(
        chat, reply_to_message=message(chat, document={"file_id": 7})["message"]
    ),
    "a date of another type": lambda chat: message(chat, date="today"),
    "a message that is a list": lambda _chat: {"message": []},
    "a press without data": lambda chat: press(chat, None),
    "a press by nobody": lambda chat: press(chat, "x", **{"from": None}),
    "an edit of nothing": lambda _chat: {"edited_message": {}},
}


@pytest.mark.long
@IN_BOTH_WAYS
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


@pytest.mark.long
@pytest.mark.parametrize("way", [{}, BY_WEBHOOK], ids=["polling", "webhook"])
async def test_nothing_is_confirmed_while_dbservice_is_away(
    desk: Desk,
    quick: None,
    way: dict[str, str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert quick is None

    async def is_newest(_self: Incarnation) -> bool:
        return True

    monkeypatch.setattr(Incarnation, "is_newest", is_newest)  # so said dbservice before it left
    there = desk.settings.model_copy(update=way)
    away = there.model_copy(update={"dbservice_address": "127.0.0.1:1"})
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
        async with app.running(there):
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
        application = app.create_application(bot, queue, data)
        yield Receiver(
            bot,
            KeptUpdates(desk.home / "kept"),
            table.register(application, desk.services),
            application.update_queue,
            desk.services.traces,
        )


async def test_what_was_written_with_a_photo_is_recorded_without_what_no_database_keeps(
    desk: Desk,
) -> None:
    photo = await desk.people.send_photo(desk.chat, picture())
    update = message(desk.chat, text=None, photo=photo.json["photo"], caption="a\0 cat")
    async with door_of_a_dying_bot(desk) as door:
        await door.put({"update_id": 1} | update)
    (lease,) = await desk.leasing.lease({})
    assert lease.photo.user_text == "a cat"


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
        cancel = message(desk.chat, message_id=100, **CANCEL)
        await door.put({"update_id": 3} | cancel)
        assert await states(desk, desk.chat, desk.chat) == [db.GENERATION_STATE_CANCELLED] * 2
        later = message(desk.chat, message_id=101, text=None, photo=photo.json["photo"])
        await door.put({"update_id": 4} | later)
        await door.put({"update_id": 3} | cancel)  # it was not confirmed
        assert (await states(desk, desk.chat, desk.chat))[0] == db.GENERATION_STATE_RECEIVED


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
