"""ReceivePhoto, StorePhoto, GetImage, ForgetUser: photos and their bytes."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import (
    CAPTION,
    CHUNK,
    USER,
    Client,
    Lease,
    Refusal,
    files,
    finalize_info,
    finalize_parts,
    image,
    refusal,
    store_parts,
)
from tests.waiting import until

INVALID = grpc.StatusCode.INVALID_ARGUMENT
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


async def test_a_photo_is_recorded_with_its_generation(client: Client) -> None:
    parameters = db.Parameters(preset="balanced", width=512, height=256, steps=9, seed=0)
    response = await client.receive(parameters=parameters)
    photo, generation = response.item.photo, response.item.generation
    assert response.created
    assert (photo.bot_id, photo.chat_id, photo.message_id, photo.user_id) == (1, -100, 1, USER)
    assert (photo.file_id, photo.file_size, photo.user_text) == ("file-1", 1234, "look")
    assert photo.received_at.ToDatetime().isoformat() == "2026-11-22T12:00:00"
    assert generation.photo_id == photo.id
    assert generation.state == db.GENERATION_STATE_RECEIVED
    assert generation.parameters == parameters
    assert not generation.parameters.HasField("guidance_scale")
    for absent in ("image", "caption", "caption_message_id", "message_thread_id"):
        assert not photo.HasField(absent)
    for absent in ("picture", "error", "closed_at", "status_message_id", "result_message_id"):
        assert not generation.HasField(absent)


async def test_a_photo_keeps_its_topic(client: Client) -> None:
    await client.receive(message_thread_id=7)
    (lease,) = await client.lease()
    (item,) = await client.status()
    assert lease.item == item
    assert item.photo.message_thread_id == 7
    answer = await refusal(client.receive(2, message_thread_id=0))
    assert answer == (INVALID, "INVALID_ARGUMENT", ["message_thread_id"])


async def test_the_same_message_is_the_same_photo(client: Client) -> None:
    first = await client.receive()
    again = await client.receive()
    other = await client.receive(2)
    assert not again.created
    assert again.item == first.item
    assert other.item.photo.id != first.item.photo.id


async def test_the_ids_never_change(client: Client) -> None:
    item = (await client.receive()).item
    assert item.photo.id == "9cdfc9d4-4306-5299-a12a-eb8e4558ecd0"
    assert item.generation.id == "335c9900-89ac-5e67-9f3f-950b4c77a260"


TOO_MANY: Refusal = (PRECONDITION, "TOO_MANY_UNFINISHED", [])


async def test_photos_over_the_limit_are_refused_without_a_row(client: Client) -> None:
    for message_id in range(1, 11):
        await client.receive(message_id)
    for _ in range(2):
        assert await refusal(client.receive(11)) == TOO_MANY
    assert await refusal(client.receive(11, chat=-7, media_group_id="a")) == TOO_MANY
    assert not (await client.receive(10)).created  # known, hence no new one
    leases = await client.lease()
    assert len(leases) == 10
    assert (await client.receive(70, user=43)).created
    assert (await client.receive(70, bot=2)).created
    await client.cancel()  # ended, but their user is not told yet
    assert await refusal(client.receive(11)) == TOO_MANY
    await client.close(leases[0])
    assert (await client.receive(11)).created
    assert await refusal(client.receive(12)) == TOO_MANY


async def test_an_album_that_has_begun_is_let_in_whole(client: Client) -> None:
    for message_id in range(1, 10):
        await client.receive(message_id)
    for message_id in range(10, 20):
        assert (await client.receive(message_id, media_group_id="a")).created
    assert await refusal(client.receive(20, media_group_id="a")) == TOO_MANY  # none has eleven
    assert await refusal(client.receive(20, media_group_id="b")) == TOO_MANY
    assert await refusal(client.receive(20)) == TOO_MANY
    assert (await client.receive(21, user=43, media_group_id="a")).created
    assert len(await client.lease()) == 20
    answer = await refusal(client.receive(22, media_group_id="x" * 201))
    assert answer == (INVALID, "INVALID_ARGUMENT", ["media_group_id"])


async def test_a_photo_of_an_album_gives_no_right_to_more_pictures(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_CAPTIONED, message_id=USER)
    await client.receive(50, media_group_id="a")
    lease = await client.leased(50)
    await client.store(lease)
    caption = db.GenerationPatch(caption=CAPTION)
    stored, captioned = db.GENERATION_STATE_STORED, db.GENERATION_STATE_CAPTIONED
    await client.advance(lease, stored, captioned, caption)
    for message_id in range(51, 59):
        await client.receive(message_id)
    assert await refusal(client.create(lease.item.generation.id)) == TOO_MANY


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 5_000_000, 20 * 1024 * 1024])
async def test_bytes_come_back_as_they_were_sent(client: Client, blobs: Path, size: int) -> None:
    data = os.urandom(size)
    item = await client.store(await client.leased(), data)
    assert item.generation.state == db.GENERATION_STATE_STORED
    assert item.photo.image == image(data)
    info, stored = await client.image(photo_id=item.photo.id, user_id=USER)
    assert info == image(data)
    assert stored == data
    assert files(blobs) == [item.generation.id]


async def test_the_same_bytes_again_succeed_and_others_do_not(client: Client) -> None:
    lease = await client.leased()
    first = await client.store(lease, b"one")
    assert await client.store(lease, b"one") == first
    assert await refusal(client.store(lease, b"two")) == (
        PRECONDITION,
        "TRANSITION_NOT_ALLOWED",
        [],
    )
    assert (await client.image(photo_id=first.photo.id))[1] == b"one"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"size": 4}, "chunk"),
        ({"size": 6}, "chunk"),
        ({"sha256": "0" * 64}, "chunk"),
        ({"sha256": "XYZ"}, "info.image.sha256"),
        ({"size": 0}, "info.image.size"),
        ({"size": 20 * 1024 * 1024 + 1}, "info.image.size"),
        ({"width": 0}, "info.image.width"),
        ({"media_type": "text/html"}, "info.image.media_type"),
    ],
)
async def test_bytes_that_do_not_match_leave_nothing(
    client: Client, blobs: Path, wrong: dict[str, Any], field: str
) -> None:
    lease = await client.leased()
    assert await refusal(client.store(lease, b"photo", **wrong)) == (
        INVALID,
        "INVALID_ARGUMENT",
        [field],
    )
    assert files(blobs) == []
    assert (await client.status())[0].generation.state == db.GENERATION_STATE_RECEIVED


async def test_a_stream_keeps_its_order_and_its_bounds(client: Client, blobs: Path) -> None:
    lease = await client.leased()
    info, chunk = store_parts(lease, b"photo")
    big = bytes(CHUNK + 1)
    too_big = [next(store_parts(lease, big)), db.StorePhotoRequest(chunk=big)]
    for parts, field in (
        ([], "info"),
        ([chunk], "info"),
        ([db.StorePhotoRequest()], "info"),
        ([info, info], "chunk"),
        ([info, db.StorePhotoRequest(chunk=b"")], "chunk"),
        (too_big, "chunk"),
    ):
        call = client.send(client.stub.StorePhoto, iter(parts))
        assert await refusal(call) == (INVALID, "INVALID_ARGUMENT", [field])
    assert files(blobs) == []


async def test_what_must_not_be_written_leaves_nothing(client: Client, blobs: Path) -> None:
    lease = await client.leased()
    lost = Lease(item=lease.item, fence=lease.fence + 1)
    assert await refusal(client.store(lost)) == (PRECONDITION, "LEASE_LOST", [])
    unknown = Lease(fence=1)
    unknown.item.generation.id = "00000000-0000-4000-8000-000000000000"
    assert await refusal(client.store(unknown)) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", [])
    assert files(blobs) == []


async def test_a_stream_that_breaks_off_leaves_nothing(client: Client, blobs: Path) -> None:
    data = os.urandom(CHUNK * 3)
    lease = await client.leased()
    for sent in range(1, 4):
        reached = asyncio.Event()

        async def half(
            parts: int = sent, reached: asyncio.Event = reached
        ) -> AsyncIterator[db.StorePhotoRequest]:
            for part in [*store_parts(lease, data)][:parts]:
                yield part
            reached.set()
            await asyncio.Event().wait()

        call = client.stub.StorePhoto(half(), metadata=client.metadata, timeout=20)
        await reached.wait()
        call.cancel()
    await until(lambda: not files(blobs))
    assert (await client.store(lease, data)).generation.state == db.GENERATION_STATE_STORED


async def test_a_full_disk_says_so_and_leaves_nothing(
    client: Client, blobs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lease = await client.leased()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        answer = await refusal(client.store(lease))
    assert answer == (grpc.StatusCode.RESOURCE_EXHAUSTED, "DISK_FULL", [])
    assert files(blobs) == []
    assert [record.exc_info for record in caplog.records if "StorePhoto" in record.message] == [
        None
    ]
    await client.store(lease)


async def test_images_are_the_owners(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_FINISHED, message_id=USER)
    photo, generation = lease.item.photo.id, lease.item.generation.id
    assert (await client.image(photo_id=photo))[1] == b"a photo"
    assert (await client.image(generation_id=generation, user_id=USER))[1] == b"a picture"
    for source in ({"photo_id": photo}, {"generation_id": generation}):
        denied = await refusal(client.image(**source, user_id=7))
        assert denied == (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER", [])


async def test_images_that_are_not_there(client: Client, blobs: Path) -> None:
    item = (await client.receive()).item
    missing: Refusal = (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", [])
    assert await refusal(client.image(photo_id=item.photo.id)) == missing
    assert await refusal(client.image(generation_id=item.generation.id)) == missing
    assert await refusal(client.image(photo_id=item.generation.id)) == missing
    assert await refusal(client.image()) == (INVALID, "INVALID_ARGUMENT", ["source"])
    assert await refusal(client.image(photo_id="../../etc/passwd")) == (
        INVALID,
        "INVALID_ARGUMENT",
        ["photo_id"],
    )
    await client.store((await client.lease())[0])
    (file,) = (path for path in blobs.rglob("*") if path.is_file())
    file.unlink()
    assert await refusal(client.image(photo_id=item.photo.id)) == missing


async def test_forgetting_takes_all_of_one_user_and_nothing_else(
    client: Client, blobs: Path
) -> None:
    mine = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=USER)
    theirs = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=7)
    assert await refusal(client.forget()) == (PRECONDITION, "NOT_CLOSED", [])
    await client.close(mine)
    response = await client.forget()
    assert (response.photos, response.generations) == (1, 1)
    assert files(blobs) == [theirs.item.generation.id] * 2
    assert (await client.image(photo_id=theirs.item.photo.id))[1] == b"a photo"
    assert not (await client.history()).items
    nobody = await client.forget()
    assert (nobody.photos, nobody.generations) == (0, 0)


async def test_a_picture_is_finalized_once(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_RUNNING)
    item = await client.finish(lease, b"picture")
    assert item.generation.state == db.GENERATION_STATE_FINISHED
    assert item.generation.picture.image == image(b"picture")
    assert (item.generation.picture.seed, item.generation.picture.model) == (7, "emoji")
    assert await client.finish(lease, b"picture") == item
    other = await refusal(client.finish(lease, b"another"))
    assert other == (PRECONDITION, "TRANSITION_NOT_ALLOWED", [])
    assert (await client.image(generation_id=item.generation.id))[1] == b"picture"


async def test_a_picture_that_nobody_saw_running_is_finalized(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_QUEUED)
    item = await client.finish(lease, os.urandom(32 * 1024 * 1024))
    assert item.generation.state == db.GENERATION_STATE_FINISHED


async def test_an_error_is_finalized_once(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_RUNNING)
    error = db.Error(code="unsafe", message="x" * 5000)
    item = await client.end(lease, refused=error)
    assert item.generation.state == db.GENERATION_STATE_REFUSED
    assert item.generation.error == db.Error(code="unsafe", message="x" * 1000)
    assert await client.end(lease, refused=error) == item
    failed = await refusal(client.end(lease, failed=error))
    assert failed == (PRECONDITION, "TRANSITION_NOT_ALLOWED", [])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"size": 1}, "chunk"), ({"size": 32 * 1024 * 1024 + 1}, "info.picture.image.size")],
)
async def test_pictures_are_verified_too(client: Client, wrong: dict[str, Any], field: str) -> None:
    lease = await client.to_state(db.GENERATION_STATE_RUNNING)
    answer = await refusal(client.finish(lease, **wrong))
    assert answer == (INVALID, "INVALID_ARGUMENT", [field])


async def test_work_ends_in_one_of_three_ways(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_RUNNING)
    parts: Iterator[db.FinalizeGenerationRequest] = finalize_parts(finalize_info(lease))
    answer = await refusal(client.send(client.stub.FinalizeGeneration, parts))
    assert answer == (INVALID, "INVALID_ARGUMENT", ["info.outcome"])
