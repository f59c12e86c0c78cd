"""stored -> captioned."""

import asyncio

import pytest

from bot.captioners.base import CaptionerMisconfigured, CaptionerUnavailable, PhotoRefused
from bot.clients.errors import DatabaseUnavailable
from bot.health import Health
from bot.recipes.prompts import compose
from bot.refusals import TelegramUnavailable
from bot.stages import caption
from bot.work.item import RetryLater
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import CAPTION, Desk, lose, picture


async def test_the_caption_is_kept_and_told(desk: Desk) -> None:
    item = await desk.stored(user_text="as a\n watercolour\x01")
    await caption.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_CAPTIONED
    assert item.photo.caption.text == CAPTION.text
    assert item.photo.caption.confidence == pytest.approx(0.8)
    assert compose(item.row) == (f"as a watercolour, {CAPTION.text}", "")
    (message,) = await desk.messages()
    assert message.text == "a cat on a sofa\n\n(80% sure, says the offline captioner)"
    assert (message.id, message.reply_to) == (item.photo.caption_message_id, item.photo.message_id)
    assert desk.services.captioner_health.code == Health.OK
    assert item.memory.caption_seconds is not None


async def test_it_is_asked_for_once_however_often_telling_it_fails(desk: Desk) -> None:
    item = await desk.stored()
    await desk.people.add_fault("http_error", method="sendMessage", status=502)
    with pytest.raises(TelegramUnavailable):
        await caption.run(item, desk.services)
    await caption.run(await desk.lease(item.id), desk.services)
    assert len(desk.captioner.asked) == 1
    assert len(await desk.messages()) == 1


async def test_a_told_caption_whose_record_failed_is_recorded_not_told_again(desk: Desk) -> None:
    item = await desk.stored()
    desk.database.refuse = lambda request: request.to_state == db.GENERATION_STATE_CAPTIONED
    with pytest.raises(DatabaseUnavailable):
        await caption.run(item, desk.services)
    desk.database.refuse = None
    item = await desk.lease(item.id)
    await caption.run(item, desk.services)
    (message,) = await desk.messages()
    assert item.photo.caption_message_id == message.id
    assert item.memory.accepted is None


async def test_a_captioner_that_is_unavailable_is_asked_later(desk: Desk) -> None:
    desk.captioner.script.append(CaptionerUnavailable("busy", retry_after=7))
    item = await desk.stored()
    with pytest.raises(RetryLater) as raised:
        await caption.run(item, desk.services)
    assert (raised.value.code, raised.value.retry_after) == ("captioner-unavailable", 7)
    assert desk.services.captioner_health.code == Health.UNAVAILABLE


async def test_a_captioner_that_is_misconfigured_is_asked_later_too(desk: Desk) -> None:
    desk.captioner.script.append(CaptionerMisconfigured("wrong key"))
    item = await desk.stored()
    with pytest.raises(RetryLater) as raised:
        await caption.run(item, desk.services)
    assert raised.value.code == "captioner-misconfigured"
    assert desk.services.captioner_health.code == Health.MISCONFIGURED


async def test_a_photo_that_is_refused_fails(desk: Desk) -> None:
    desk.captioner.script.append(PhotoRefused("not this\0 one"))
    item = await desk.stored()
    await caption.run(item, desk.services)
    assert item.generation.error.code == "photo-refused"
    assert desk.services.captioner_health.code == Health.OK


async def test_bytes_that_are_gone_fail(desk: Desk) -> None:
    item = await desk.stored()
    lose(desk.home, picture())
    await caption.run(item, desk.services)
    assert item.generation.error.code == "internal-error"


async def test_a_cancel_ends_the_wait(desk: Desk) -> None:
    desk.captioner.free.clear()
    item = await desk.stored()
    running = asyncio.create_task(caption.run(item, desk.services))
    await desk.captioner.begun.wait()
    item.memory.abandoned.set()
    with pytest.raises(RetryLater):
        await running
    assert await desk.messages() == []
