"""Any end -> closed."""

import pytest

from bot.clients.dbservice import DatabaseUnavailable
from bot.stages import close, deliver
from bot.texts import of
from bot.work import status_message
from bot.work.item import RetryLater, WorkItem
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import Desk

EN = of("en")


async def cancelled(desk: Desk, item: WorkItem) -> WorkItem:
    request = db.CancelGenerationsRequest(
        bot_id=item.photo.bot_id, chat_id=desk.chat, user_id=desk.chat, generation_id=item.id
    )
    await desk.database.cancel_generations(request)
    return await desk.lease(item.id)


async def test_a_failure_is_told_in_reply_to_the_photo(desk: Desk) -> None:
    item = await desk.stored()
    await item.fail("photo-refused", "not this one")
    await close.run(item, desk.services)
    assert item.closed
    (message,) = await desk.messages()
    assert message.text == EN.ending("photo-refused")
    assert message.reply_to == item.photo.message_id


async def test_a_cancelled_job_is_deleted_and_its_status_message_too(desk: Desk) -> None:
    item = await desk.queued()
    await status_message.show(item, desk.services.messenger, "something")
    item = await cancelled(desk, item)
    await close.run(item, desk.services)
    assert item.closed
    assert await desk.texts() == [EN.cancelled]
    assert (await desk.services.generator.get_job(item.id)).state == "unknown"


async def test_after_a_delivery_there_is_nothing_to_tell(desk: Desk) -> None:
    item = await desk.finished()
    await status_message.show(item, desk.services.messenger, "something")
    await deliver.run(item, desk.services)
    await close.run(item, desk.services)
    assert item.closed
    assert await desk.texts() == []


async def test_a_status_message_too_old_to_be_deleted_says_that_it_is_over(desk: Desk) -> None:
    item = await desk.queued()
    await status_message.show(item, desk.services.messenger, "something")
    item = await cancelled(desk, item)
    await desk.people.add_fault(
        "refuse",
        method="deleteMessage",
        description="Bad Request: message can't be deleted for everyone",
    )
    await close.run(item, desk.services)
    assert item.closed
    (message,) = [message for message in await desk.messages() if message.text == EN.over]
    assert not message.buttons


async def test_who_cannot_be_reached_is_not_told(desk: Desk) -> None:
    item = await desk.stored()
    await item.advance(db.GENERATION_STATE_UNDELIVERABLE, error=db.Error(code="undeliverable"))
    await close.run(item, desk.services)
    assert item.closed
    assert await desk.messages() == []


async def test_while_the_generator_is_away_it_is_told_once_and_stays_open(desk: Desk) -> None:
    item = await cancelled(desk, await desk.queued())
    for _ in range(2):
        with pytest.raises(RetryLater):
            await close.run(await desk.lease(item.id), desk.without_generator())
    item = await desk.lease(item.id)
    await close.run(item, desk.services)
    assert item.closed
    assert await desk.texts() == [EN.cancelled]


async def test_an_ending_whose_record_failed_is_not_told_again(desk: Desk) -> None:
    item = await desk.stored()
    await item.fail("photo-refused", "not this one")
    desk.database.refuse = lambda request: request.patch.user_notified
    with pytest.raises(DatabaseUnavailable):
        await close.run(item, desk.services)
    desk.database.refuse = None
    await close.run(await desk.lease(item.id), desk.services)
    assert len(await desk.messages()) == 1


async def test_a_status_message_whose_record_failed_is_deleted(desk: Desk) -> None:
    item = await desk.queued()
    desk.database.refuse = lambda request: request.patch.HasField("status_message_id")
    with pytest.raises(DatabaseUnavailable):
        await status_message.show(item, desk.services.messenger, "something")
    desk.database.refuse = None
    assert await desk.texts() == ["something"]
    item = await cancelled(desk, item)
    await close.run(item, desk.services)
    assert await desk.texts() == [EN.cancelled]


async def test_one_that_an_earlier_process_lost_is_found_and_deleted(desk: Desk) -> None:
    item = await desk.queued()
    desk.database.refuse = lambda request: request.patch.HasField("status_message_id")
    with pytest.raises(DatabaseUnavailable):
        await status_message.show(item, desk.services.messenger, "something")
    desk.database.refuse = None
    desk.services.memories.drop(item.id)  # with the process
    item = await cancelled(desk, item)
    await close.run(item, desk.services)
    assert item.closed
    assert await desk.texts() == [EN.cancelled]
