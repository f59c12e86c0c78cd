"""The way of a photo through the stages, tick by tick."""

import asyncio

import pytest

from bot.tick import Tick
from bot.work import status_message
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import Desk, picture
from tests.generator import scripted
from tests.sandbox.client import ShownMessage

pytestmark = pytest.mark.slow


async def settled(tick: Tick) -> None:
    """Waits for the tasks of the ticks so far."""
    await asyncio.gather(*tick._tasks.values())


async def test_two_ticks_and_the_picture_is_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "png_of", lambda _task: picture("PNG"))
    item = await desk.received()
    tick = Tick(desk.services, desk.leasing)
    await tick.run()
    await settled(tick)
    assert desk.listener.begun == ["store", "caption", "submit", "follow"]
    caption, status = await desk.messages()
    assert [button.text for button in caption.buttons] == ["✏️"]
    assert [button.text for button in status.buttons] == [item.texts.cancel_button]
    desk.executor.go()
    await desk.job_state(item, "finished")
    await tick.run()
    await settled(tick)
    assert desk.listener.begun[4:] == ["follow", "deliver", "close"]
    assert desk.listener.stages == [(stage, "ok") for stage in desk.listener.begun]
    assert [bool(message.photo) for message in await desk.messages()] == [False, True]


async def test_a_stage_that_has_to_wait_says_for_what(desk: Desk) -> None:
    await desk.stored()
    await desk.people.add_fault("http_error", method="sendMessage", status=502)
    tick = Tick(desk.services, desk.leasing)
    await tick.run()
    await settled(tick)
    assert desk.listener.stages == [("caption", "telegram-unavailable")]
    assert desk.listener.sends == [("sendMessage", "telegram-unavailable")]


async def test_all_that_runs_is_looked_at_in_one_request(desk: Desk) -> None:
    for _ in range(7):
        await desk.queued()
    tick = Tick(desk.services, desk.leasing)
    before = desk.listener.calls.copy()
    await tick.run()
    await settled(tick)
    done = desk.listener.calls - before
    assert done["dbservice LeaseGenerations"] == 1
    assert done["generator GET"] == 1


async def test_the_status_message_that_has_waited_longest_is_edited_first(desk: Desk) -> None:
    items = [await desk.queued() for _ in range(3)]
    for item in items:
        await status_message.show(item, desk.services.messenger, "something")
    for item, shown_at in zip(items, (30.0, 10.0, 20.0), strict=True):
        item.memory.shown_at = shown_at
    tick = Tick(desk.services, desk.leasing)
    await tick.run()
    await settled(tick)
    edited = [item.memory.shown != "something" for item in items]
    assert edited == [False, True, False], "one edit is all that the pace allows"


async def test_who_has_blocked_us_is_given_up_at_once(desk: Desk) -> None:
    item = await desk.finished()
    await desk.people.block(desk.chat)
    tick = Tick(desk.services, desk.leasing)
    await tick.run()
    await settled(tick)
    assert desk.listener.stages == [("deliver", "CannotDeliver"), ("close", "ok")]
    request = db.GetGenerationRequest(
        bot_id=item.photo.bot_id, chat_id=desk.chat, user_id=desk.chat, generation_id=item.id
    )
    generation = (await desk.database.get_generation(request)).item.generation
    assert generation.state == db.GENERATION_STATE_UNDELIVERABLE
    assert generation.HasField("closed_at")


async def test_a_group_that_has_moved_is_followed_at_once(desk: Desk) -> None:
    group = await desk.people.add_group([desk.chat])
    photo = await desk.people.send_photo(group, picture(), user=desk.chat)
    item = await desk.receive(photo)
    supergroup = await desk.people.migrate(group)
    tick = Tick(desk.services, desk.leasing)
    await tick.run()
    await settled(tick)
    assert [m.chat_id for m in await desk.people.messages(supergroup) if m.from_bot] != []
    assert item.memory.jobs


async def test_what_the_generator_has_forgotten_is_submitted_in_the_same_tick(desk: Desk) -> None:
    item = await desk.queued()
    await desk.services.generator.delete(item.id)
    tick = Tick(desk.services, desk.leasing)
    await tick.run()
    await settled(tick)
    assert desk.listener.begun == ["follow", "submit", "follow"]
    assert item.memory.jobs[item.id].state in {"queued", "running"}


@pytest.mark.long
@pytest.mark.parametrize("deleted", [False, True])
async def test_all_that_answers_a_photo_in_a_topic_is_in_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, deleted: bool
) -> None:
    monkeypatch.setattr(scripted, "png_of", lambda _task: picture("PNG"))
    forum = await desk.people.add_group([desk.chat], kind="supergroup", forum=True)
    photo = await desk.people.send_photo(forum, picture(), user=desk.chat, thread=7)
    item = await desk.receive(photo, message_thread_id=7)
    await desk.people.add_fault("cut", method="sendMessage", contains="a cat")  # so that it probes
    if deleted:
        await desk.people.delete(photo)
    desk.executor.go()
    tick = Tick(desk.services, desk.leasing)
    messages: list[ShownMessage] = []
    while not any(message.photo for message in messages):
        item.memory.backoff.reset()
        await tick.run()
        await settled(tick)
        messages = [each for each in await desk.people.messages(forum) if each.from_bot]
    sends = [
        *await desk.people.calls("sendMessage"),
        *await desk.people.calls("sendPhoto"),
    ]
    assert {call.params.get("message_thread_id") for call in sends} == {"7"}
    assert [message.thread for message in messages] == [7, 7]
