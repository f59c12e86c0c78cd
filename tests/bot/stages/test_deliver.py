"""finished -> delivered."""

import pytest

from bot.clients.errors import DatabaseUnavailable
from bot.refusals import CannotDeliver, TelegramUnavailable
from bot.stages import deliver
from bot.texts import of
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import Desk, lose, picture

EN = of("en")


async def test_the_picture_answers_the_photo(desk: Desk) -> None:
    item = await desk.finished()
    await deliver.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_DELIVERED
    (message,) = await desk.messages()
    assert message.caption == "a cat on a sofa"
    assert message.buttons[0].text == EN.pictures.closer_button
    assert message.reply_to == item.photo.message_id
    assert message.photo is not None
    assert await desk.people.original(message.photo) == picture("PNG")
    generation = item.generation
    assert (generation.result_message_id, generation.user_notified) == (message.id, True)
    assert generation.picture.file_id == message.photo
    (delivery,) = desk.listener.deliveries
    assert (delivery.generation_id, delivery.owner) == (item.id, f"telegram:{desk.chat}")


async def test_nothing_is_sent_before_the_intent_is_recorded(desk: Desk) -> None:
    item = await desk.finished()
    desk.database.refuse = lambda request: request.patch.HasField("sending")
    with pytest.raises(DatabaseUnavailable):
        await deliver.run(item, desk.services)
    assert await desk.messages() == []


async def test_a_sent_picture_whose_record_failed_is_recorded_not_sent_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    item = await desk.finished()
    desk.database.refuse = lambda request: request.to_state == db.GENERATION_STATE_DELIVERED
    with pytest.raises(DatabaseUnavailable):
        await deliver.run(item, desk.services)
    assert desk.listener.deliveries == []
    desk.database.refuse = None
    item = await desk.lease(item.id)
    await deliver.run(item, desk.services)
    (message,) = await desk.messages()
    assert item.generation.result_message_id == message.id
    assert len(desk.listener.deliveries) == 1
    assert caplog.messages == []


async def test_a_picture_that_telegram_certainly_did_not_take_is_no_doubt(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    item = await desk.finished()
    await desk.people.add_fault("too_many_requests", method="sendPhoto", retry_after=1)
    with pytest.raises(TelegramUnavailable) as raised:
        await deliver.run(item, desk.services)
    assert raised.value.retry_after == 1
    calls = len(await desk.people.calls("sendMessage"))
    await deliver.run(await desk.lease(item.id), desk.services)
    assert caplog.messages == []
    assert len(await desk.messages()) == 1
    assert len(await desk.people.calls("sendMessage")) == calls, "it was looked for"


async def test_a_picture_that_telegram_refuses_fails(desk: Desk) -> None:
    item = await desk.finished()
    await desk.people.add_fault("refuse", method="sendPhoto", description="not enough rights")
    await deliver.run(item, desk.services)
    assert item.generation.error.code == "picture-not-taken"


async def test_a_chat_that_takes_nothing_is_for_whoever_settles(desk: Desk) -> None:
    item = await desk.finished()
    await desk.people.block(desk.chat)
    with pytest.raises(CannotDeliver):
        await deliver.run(item, desk.services)


async def test_bytes_that_are_gone_fail(desk: Desk) -> None:
    item = await desk.finished()
    lose(desk.home, picture("PNG"))
    await deliver.run(item, desk.services)
    assert item.generation.error.code == "internal-error"
