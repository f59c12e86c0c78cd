"""Each message once, whatever answers are cut and wherever the process dies."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from telegram import Message

from bot import pace
from bot.clients.errors import DatabaseUnavailable
from bot.messenger import Messenger
from bot.refusals import TelegramUnavailable
from bot.services import Services
from bot.stages import caption, close, deliver
from bot.stages.table import STAGES
from bot.work import outbox, status_message
from bot.work.item import RetryLater, WorkItem
from bot.work.suspects import MOST_ATTEMPTS
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, picture
from tests.bot.mortal import Killed, Process
from tests.sandbox.client import ShownMessage

pytestmark = pytest.mark.slow

PROBE = "…"


@dataclass(frozen=True)
class Kind:
    """A kind of message.

    Attributes:
        name: what it is.
        ready: makes a generation that is about to send it.
        act: has it sent.
        recorded: its id, as dbservice has it.
        method: what Telegram's method is.
    """

    name: str
    ready: Callable[[Desk], Awaitable[WorkItem]]
    act: Callable[[WorkItem, Services], Awaitable[None]]
    recorded: Callable[[db.Item], int]
    method: str = "sendMessage"


async def failed(desk: Desk) -> WorkItem:
    item = await desk.stored()
    await item.fail("photo-refused", "not this one")
    return item


async def show(item: WorkItem, services: Services) -> None:
    await status_message.show(item, services.messenger, "something")


CAPTION = Kind("caption", Desk.stored, caption.run, lambda item: item.photo.caption_message_id)
STATUS = Kind("status", Desk.queued, show, lambda item: item.generation.status_message_id)
ENDING = Kind("ending", failed, close.run, lambda item: item.generation.ending_message_id)
PICTURE = Kind(
    "picture",
    Desk.finished,
    deliver.run,
    lambda item: item.generation.result_message_id,
    "sendPhoto",
)

every_kind = pytest.mark.parametrize(
    "kind", [CAPTION, STATUS, ENDING, PICTURE], ids=lambda kind: kind.name
)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_PRIVATE_SEND_SECONDS", "_GROUP_SEND_SECONDS"):
        monkeypatch.setattr(pace, name, 0.0)


async def until_done(
    kind: Kind, desk: Desk, generation_id: str, process: Process, user: int = 0
) -> db.Item:
    """Tries for as long as its state calls for it, as the ticks do."""
    request = db.GetGenerationRequest(
        bot_id=BOT, chat_id=desk.chat, user_id=user or desk.chat, generation_id=generation_id
    )
    while True:
        found = (await desk.database.get_generation(request)).item
        is_due = not found.generation.HasField("closed_at")
        if kind is STATUS:
            is_due = not found.generation.HasField("status_message_id")
        elif is_due:
            is_due = STAGES[found.generation.state] is kind.act
        if not is_due:
            return found
        item = await process.lease(generation_id)
        try:
            await kind.act(item, process.services)
        except (TelegramUnavailable, RetryLater):
            continue
        if item.generation.sending.unseen > 1:
            return found


async def the_message(desk: Desk) -> ShownMessage:
    """The only message in the chat; no probe is left."""
    (message,) = await desk.messages()
    assert message.text != PROBE
    return message


SIX_CUT = ({"kind": "cut"}, {"kind": "cut", "count": 5})  # the second of whatever comes next
SIX_REFUSED = ({"kind": "http_error", "status": 502, "count": 6},)


@pytest.mark.long
@every_kind
@pytest.mark.parametrize("faults", [SIX_CUT, SIX_REFUSED], ids=["done", "not done"])
async def test_six_answers_cut_in_a_row_leave_one_message(
    desk: Desk, kind: Kind, faults: tuple[dict[str, Any], ...]
) -> None:
    item = await kind.ready(desk)
    for n, fault in enumerate(faults):
        method = "*" if n else kind.method
        await desk.people.add_fault(**fault, method=method, chat_id=desk.chat)
    found = await until_done(kind, desk, item.id, Process(desk))
    assert sum(fault["met"] for fault in await desk.people.faults()) == 6
    assert (await the_message(desk)).id == kind.recorded(found)
    assert not found.generation.HasField("sending")


@pytest.mark.long
@every_kind
@pytest.mark.parametrize("lost", [False, True], ids=["sending", "searching"])
async def test_a_crash_between_any_two_calls_leaves_one_message(
    desk: Desk, kind: Kind, *, lost: bool
) -> None:
    for calls in count(1):
        chat = replace(desk, chat=await desk.people.add_user())
        item = await kind.ready(chat)
        if lost:
            await desk.people.add_fault("cut", method=kind.method, chat_id=chat.chat)
            with pytest.raises(TelegramUnavailable):
                await kind.act(await chat.lease(item.id), chat.services)
        process = Process(chat, calls)
        try:
            await kind.act(await process.lease(item.id), process.services)
        except Killed:
            found = await until_done(kind, chat, item.id, Process(chat))
            assert (await the_message(chat)).id == kind.recorded(found)
        else:
            break
    # An intent, a message and its record; two probes, each sent and deleted, and what they found.
    assert calls > (5 if lost else 3)


async def test_who_dies_again_and_again_in_a_search_but_gets_on_is_not_given_up(
    desk: Desk,
) -> None:
    item = await failed(desk)
    await desk.people.add_fault("cut", method="sendMessage")
    with pytest.raises(TelegramUnavailable):
        await close.run(item, desk.services)
    for _ in range(2 * MOST_ATTEMPTS):  # each begins, asks how far ids go, and reads one of them
        process = Process(desk, calls=6)
        async with process.ticking() as tick:
            await tick.run()
            await asyncio.wait_for(process.life.over.wait(), 20)
    found = await until_done(ENDING, desk, item.id, Process(desk))
    assert found.generation.user_notified
    assert (await the_message(desk)).id == found.generation.ending_message_id


async def test_who_dies_of_the_sending_is_given_up_though_each_search_gets_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await failed(desk)
    said, reply, died = item.text_of(db.MESSAGE_KIND_ENDING), Messenger.reply, asyncio.Event()
    await desk.people.send_text(desk.chat, "an id to be read")
    await item.record(sending=db.Sending(kind=db.MESSAGE_KIND_ENDING, after=item.photo.message_id))

    async def deadly(
        messenger: Messenger, chat: int, to: int, text: str, *rest: Any, **named: Any
    ) -> Message:
        if text == said:
            died.set()
            raise Killed
        return await reply(messenger, chat, to, text, *rest, **named)

    monkeypatch.setattr(Messenger, "reply", deadly)
    for _ in range(MOST_ATTEMPTS):
        async with Process(desk).ticking() as tick:
            await tick.run()
            await asyncio.wait_for(died.wait(), 20)
        died.clear()
    async with Process(desk).ticking() as tick:
        await tick.run()
        await asyncio.gather(*tick._tasks.values())
    request = db.GetGenerationRequest(
        bot_id=BOT, chat_id=desk.chat, user_id=desk.chat, generation_id=item.id
    )
    assert (await desk.database.get_generation(request)).item.generation.HasField("closed_at")
    assert not died.is_set()


async def test_two_that_say_the_same_and_are_both_lost_are_found_one_each(desk: Desk) -> None:
    items = [await desk.stored() for _ in range(2)]
    await desk.people.add_fault("cut", method="sendMessage", count=2)
    for item in items:
        with pytest.raises(TelegramUnavailable):
            await caption.run(item, desk.services)
    process = Process(desk)
    await process.lease(items[0].id)
    found = await asyncio.gather(*(until_done(CAPTION, desk, item.id, process) for item in items))
    messages = await desk.messages()
    assert len(messages) == 2
    assert {item.photo.caption_message_id for item in found} == {each.id for each in messages}


async def test_what_another_has_recorded_is_not_taken_from_them(desk: Desk) -> None:
    lost, *others = [await desk.stored() for _ in range(3)]
    desk.database.refuse = lambda request: request.to_state == db.GENERATION_STATE_CAPTIONED
    await desk.people.add_fault("http_error", method="sendMessage", status=502)
    with pytest.raises(TelegramUnavailable):
        await caption.run(lost, desk.services)
    desk.database.refuse = None
    for item in others:
        await caption.run(item, desk.services)
    found = await until_done(CAPTION, desk, lost.id, Process(desk))
    messages = await desk.messages()
    assert len(messages) == 3
    assert found.photo.caption_message_id == messages[-1].id


async def test_whose_message_was_taken_for_anothers_sends_their_own(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, other = [await desk.stored() for _ in range(2)]
    reply = desk.services.messenger.reply

    async def taken(*args: object, **named: object) -> object:
        message = await reply(*args, **named)  # type: ignore[arg-type]
        await other.record(caption_message_id=message.message_id)
        return message

    with monkeypatch.context() as patch:
        patch.setattr(desk.services.messenger, "reply", taken)
        with pytest.raises(RetryLater):
            await caption.run(item, desk.services)
    found = await until_done(CAPTION, desk, item.id, Process(desk))
    messages = await desk.messages()
    assert [message.id for message in messages] == [
        other.photo.caption_message_id,
        found.photo.caption_message_id,
    ]


async def test_a_person_who_says_the_same_is_not_us(desk: Desk) -> None:
    item = await failed(desk)
    await desk.people.add_fault("http_error", method="sendMessage", status=502)
    with pytest.raises(TelegramUnavailable):
        await close.run(item, desk.services)
    said = item.text_of(db.MESSAGE_KIND_ENDING)
    await desk.people.send_text(desk.chat, said)
    await until_done(ENDING, desk, item.id, Process(desk))
    assert (await the_message(desk)).text == said


@pytest.mark.long
@every_kind
async def test_what_cannot_be_looked_for_comes_twice_at_most(
    desk: Desk, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    item = await kind.ready(desk)
    await desk.people.add_fault(
        "refuse", method="sendMessage", contains=PROBE, count=99, description="not here"
    )
    await desk.people.add_fault("cut", method=kind.method, count=6)
    process = Process(desk)
    await until_done(kind, desk, item.id, process)
    if kind is STATUS:
        await show(await process.lease(item.id), process.services)
    assert len(await desk.messages()) == 2
    assert f"A message of {item.id} may be there twice; it is not sent again." in caplog.messages


@pytest.mark.long
@pytest.mark.parametrize("late", [False, True])
async def test_it_is_found_in_a_chat_that_talks(desk: Desk, *, late: bool) -> None:
    user = desk.chat
    group = replace(desk, chat=await desk.people.add_group([user], kind="supergroup"))
    photo = await desk.people.send_photo(group.chat, picture(), user=user)
    item = await group.receive(photo)
    await item.fail("not-an-image", "as the test says")
    await outbox.intend(item, desk.services.messenger, db.MESSAGE_KIND_ENDING)

    async def talk() -> None:
        for n in range(40):
            await desk.people.send_text(group.chat, str(n), user=user)

    if late:
        await talk()
    await desk.people.add_fault("cut", method="sendMessage")
    with pytest.raises(TelegramUnavailable):
        await close.run(item, desk.services)
    if not late:
        await talk()
    await until_done(ENDING, group, item.id, Process(desk), user)
    (message,) = await group.messages()
    assert message.text == item.text_of(db.MESSAGE_KIND_ENDING)


async def test_what_was_lost_is_found_though_another_message_comes_next(desk: Desk) -> None:
    item = await desk.stored()
    await desk.people.add_fault("cut", method="sendMessage")
    with pytest.raises(TelegramUnavailable):
        await caption.run(item, desk.services)
    await desk.database.cancel_generations(
        db.CancelGenerationsRequest(bot_id=item.photo.bot_id, chat_id=desk.chat, user_id=desk.chat)
    )
    found = await until_done(ENDING, desk, item.id, Process(desk))
    told, ending = await desk.messages()
    assert (told.id, ending.id) == (
        found.photo.caption_message_id,
        found.generation.ending_message_id,
    )


async def test_a_probe_that_was_found_out_late_goes_with_the_status_message(desk: Desk) -> None:
    item = await desk.queued()
    await desk.people.add_fault("cut", method="sendMessage", count=3)
    for _ in range(3):
        with pytest.raises(TelegramUnavailable):
            await show(await desk.lease(item.id), desk.services)
    assert [message.text for message in await desk.messages()] == ["something", PROBE, PROBE]
    await desk.database.cancel_generations(
        db.CancelGenerationsRequest(bot_id=item.photo.bot_id, chat_id=desk.chat, user_id=desk.chat)
    )
    await until_done(ENDING, desk, item.id, Process(desk))
    assert (await the_message(desk)).text == item.texts.cancelled


async def test_a_record_that_failed_is_all_that_is_tried_again(desk: Desk) -> None:
    item = await desk.stored()
    desk.database.refuse = lambda request: request.patch.HasField("caption_message_id")
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable):
            await caption.run(await desk.lease(item.id), desk.services)
    desk.database.refuse = None
    await caption.run(await desk.lease(item.id), desk.services)
    assert [method for method, _ in desk.listener.sends] == ["sendMessage"]
