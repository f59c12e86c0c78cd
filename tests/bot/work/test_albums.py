"""A set's album and its buttons: each once, whatever answers are cut and where the process dies."""

from dataclasses import replace
from itertools import count

import pytest

from bot import pace
from bot.refusals import TelegramUnavailable
from bot.stages import deliver
from bot.texts import of
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import Desk
from tests.bot.mortal import Killed, Process
from tests.bot.work.test_outbox import Kind, until_done
from tests.end_to_end.chats import labels
from tests.sandbox.client import ShownMessage

pytestmark = pytest.mark.slow

SAID = of("en").pictures
CHOICES = Kind(
    "choices",
    Desk.finished_set,
    deliver.run,
    lambda item: item.generation.choices_message_id,
)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_PRIVATE_SEND_SECONDS", "_GROUP_SEND_SECONDS"):
        monkeypatch.setattr(pace, name, 0.0)


async def shown(desk: Desk) -> tuple[list[ShownMessage], list[ShownMessage]]:
    """The pictures of the album, and the other messages."""
    messages = await desk.messages()
    return [m for m in messages if m.photo], [m for m in messages if not m.photo]


async def is_whole(desk: Desk, item: db.Item) -> bool:
    """Whether the album and its buttons are there once, and recorded."""
    album, rest = await shown(desk)
    assert [m.id for m in album] == [member.result_message_id for member in item.members]
    assert [m.id for m in rest] == [item.generation.choices_message_id]
    assert item.generation.state == db.GENERATION_STATE_DELIVERED
    return len(album) == 4


async def test_an_album_answers_the_photo_and_its_buttons_answer_it(desk: Desk) -> None:
    item = await desk.finished_set()
    await deliver.run(item, desk.services)
    album, (choices,) = await shown(desk)
    assert await is_whole(desk, item.row)
    assert [m.caption for m in album] == ["a cat on a sofa", "", "", ""]
    assert {m.reply_to for m in album} == {item.photo.message_id}
    assert (choices.text, choices.reply_to) == (SAID.choices, album[0].id)
    numbers = ["1", "2", "3", "4"]
    assert labels(choices) == [*numbers, SAID.again_button, SAID.delete_button]
    assert [m.picture.file_id for m in item.row.members] == [m.photo for m in album]
    assert len(desk.listener.deliveries) == 1


async def test_one_that_alone_succeeded_is_sent_as_any_other(desk: Desk) -> None:
    item = await desk.finished_set(2, lost=1)
    await deliver.run(item, desk.services)
    (message,) = await desk.messages()
    assert SAID.closer_button in labels(message)
    assert item.state == db.GENERATION_STATE_DELIVERED
    assert [m.result_message_id for m in item.row.members] == [0, message.id]


async def test_an_album_that_telegram_refuses_fails(desk: Desk) -> None:
    item = await desk.finished_set()
    await desk.people.add_fault("refuse", method="sendMediaGroup", description="no rights")
    await deliver.run(item, desk.services)
    assert item.generation.error.code == "picture-not-taken"
    assert {member.state for member in item.row.members} == {db.GENERATION_STATE_FAILED}


@pytest.mark.long
@pytest.mark.parametrize("lost", ["", "sendMediaGroup", "sendMessage"])
async def test_a_crash_between_any_two_calls_leaves_one_album_and_its_buttons(
    desk: Desk, lost: str
) -> None:
    for calls in count(1):
        chat = replace(desk, chat=await desk.people.add_user())
        item = await chat.finished_set()
        if lost:
            await desk.people.add_fault("cut", method=lost, chat_id=chat.chat)
            with pytest.raises(TelegramUnavailable):
                await deliver.run(await chat.lease(item.id), chat.services)
        process = Process(chat, calls)
        try:
            await deliver.run(await process.lease(item.id), process.services)
        except Killed:
            found = await until_done(CHOICES, chat, item.id, Process(chat))
            assert await is_whole(chat, found)
        else:
            break
    # An intent, a message and its record, of each of the two.
    assert calls > (5 if lost else 6)
