"""received -> stored."""

import asyncio
import errno
import io
from dataclasses import replace

import pytest
from PIL import Image

from bot.messages import MOST_BYTES
from bot.refusals import TelegramUnavailable
from bot.stages import store
from bot.work.item import RetryLater
from lookalike.imaging import decoder
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import Desk
from tests.lookalike.imaging.hostile import decoders, in_jpeg, scans, segment


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
    item = await desk.received(file_size=MOST_BYTES + 1)
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
    item = await desk.received()
    await desk.people.forget_file(item.photo.file_id)
    waited = 0.0
    while item.state == db.GENERATION_STATE_RECEIVED:
        try:
            await store.run(item, desk.services)
        except RetryLater as later:
            item.memory.backoff.put_off(later.retry_after)
            waited += item.memory.backoff.seconds
    assert item.generation.error.code == "file-gone"
    assert waited == pytest.approx(60, abs=5)


async def test_telegram_failing_leaves_the_photo_as_it_is(desk: Desk) -> None:
    item = await desk.received()
    await desk.people.add_fault("http_error", method="getFile", status=502)
    with pytest.raises(TelegramUnavailable):
        await store.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_RECEIVED
    await store.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_STORED


async def test_a_few_photos_are_in_memory_at_a_time(desk: Desk) -> None:
    desks = [replace(desk, chat=await desk.people.add_user()) for _ in range(3)]
    items = [await each.received() for each in desks for _ in range(3)]
    hold = await desk.people.add_fault("hold", method="download", count=9)
    tasks = [asyncio.create_task(store.run(item, desk.services)) for item in items]
    await desk.people.wait_for_held(hold, 4)
    await desk.people.release(hold)
    await asyncio.gather(*tasks)
    assert {item.state for item in items} == {db.GENERATION_STATE_STORED}


@pytest.mark.long
@pytest.mark.parametrize("name", ["scans", "segments"])
async def test_what_costs_too_much_is_told(desk: Desk, name: str) -> None:
    data = scans(20_000) if name == "scans" else in_jpeg(segment(0xED, b"") * 5_000_000)
    item = await desk.receive(
        await desk.people.send_document(desk.chat, data, "a.jpg", "image/jpeg")
    )
    async with asyncio.timeout(10):
        await store.run(item, desk.services)
    assert item.generation.error.code == "image-too-costly"


@pytest.mark.long
@pytest.mark.slow
async def test_a_photo_that_takes_all_the_time_it_may_holds_up_its_user_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = [await desk.received() for _ in range(3)]
    somebody_else = await replace(desk, chat=await desk.people.add_user()).received()
    await desk.services.decoder.warm()
    while not (found := decoders()):  # noqa: ASYNC110, it has just been started
        await asyncio.sleep(0.01)
    found[0].suspend()  # as if it computed for ever
    monkeypatch.setattr(decoder, "WALL_SECONDS", 4.0)
    hostile = asyncio.create_task(store.run(first, desk.services))
    while len(decoders()) < 2:  # noqa: ASYNC110, until the next one waits
        await asyncio.sleep(0.01)
    waiting = [asyncio.create_task(store.run(item, desk.services)) for item in others]
    await store.run(somebody_else, desk.services)
    assert somebody_else.state == db.GENERATION_STATE_STORED
    assert not any(task.done() for task in [hostile, *waiting])
    await asyncio.gather(hostile, *waiting)
    assert first.generation.error.code == "image-too-costly"
    assert [item.state for item in others] == [db.GENERATION_STATE_STORED] * 2


async def test_no_memory_for_another_process_is_no_fault_of_the_photo(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_command: str, **_options: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    item = await desk.received()
    with monkeypatch.context() as patch:
        patch.setattr(asyncio, "create_subprocess_exec", fail)
        with pytest.raises(RetryLater):
            await store.run(item, desk.services)
    await store.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_STORED
