"""received -> stored."""

import asyncio
import io
from datetime import timedelta

import pytest
from PIL import Image

from bot.messenger import TelegramUnavailable
from bot.stages import store
from bot.work.item import RetryLater
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import Desk


async def test_a_photo_is_stored_without_its_metadata(desk: Desk) -> None:
    exif = Image.Exif()
    exif[0x010E] = "PLANTED"
    exif[0x0112] = 6  # lies on its side
    file = io.BytesIO()
    Image.new("RGB", (200, 100), "navy").save(file, "JPEG", exif=exif)
    item = await desk.receive(
        await desk.people.send_document(desk.chat, file.getvalue(), "a.jpg", "image/jpeg")
    )
    await store.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_STORED
    assert (item.photo.image.width, item.photo.image.height) == (100, 200)
    stored = await desk.database.get_image(db.GetImageRequest(photo_id=item.photo.id))
    assert b"PLANTED" not in stored


async def test_doing_it_twice_is_as_good_as_once(desk: Desk) -> None:
    item = await desk.received()
    again = await desk.lease(item.id)
    await store.run(item, desk.services)
    await store.run(again, desk.services)  # the answer to the first was lost
    assert again.state == db.GENERATION_STATE_STORED


async def test_what_telegram_says_is_too_large_is_not_fetched(desk: Desk) -> None:
    item = await desk.received(file_size=store.MOST_BYTES + 1)
    await store.run(item, desk.services)
    assert item.generation.error.code == "file-too-large"
    assert await desk.people.calls("getFile") == []


async def test_what_is_no_image_fails_with_its_code(desk: Desk) -> None:
    item = await desk.receive(
        await desk.people.send_document(desk.chat, b"GIF89a" + bytes(50), "a.gif", "image/gif")
    )
    await store.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_FAILED
    assert item.generation.error.code == "unsupported-format"


async def test_a_file_that_is_away_is_given_a_minute(desk: Desk) -> None:
    item = await desk.received()
    await desk.people.forget_file(item.photo.file_id)
    with pytest.raises(RetryLater):
        await store.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_RECEIVED


async def test_after_that_it_is_gone(desk: Desk) -> None:
    desk.clock.behind = timedelta(minutes=2)
    item = await desk.received()
    await desk.people.forget_file(item.photo.file_id)
    await store.run(item, desk.services)
    assert item.generation.error.code == "file-gone"


async def test_telegram_failing_leaves_the_photo_as_it_is(desk: Desk) -> None:
    item = await desk.received()
    await desk.people.add_fault("http_error", method="getFile", status=502)
    with pytest.raises(TelegramUnavailable):
        await store.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_RECEIVED
    await store.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_STORED


async def test_a_few_photos_are_in_memory_at_a_time(desk: Desk) -> None:
    items = [await desk.received() for _ in range(6)]
    hold = await desk.people.add_fault("hold", method="download", count=6)
    tasks = [asyncio.create_task(store.run(item, desk.services)) for item in items]
    await desk.people.wait_for_held(hold, 4)
    await desk.people.release(hold)
    await asyncio.gather(*tasks)
    assert {item.state for item in items} == {db.GENERATION_STATE_STORED}
