"""Thumbnails: made when they are first asked for, kept beside their image, gone with it."""

import errno
import io
import os
import time
from pathlib import Path

import grpc
import pytest
from PIL import Image

from dbservice import thumbnails
from dbservice.models import photo_id
from dbservice.settings import DbserviceSettings
from lookalike.blobs.local import LocalBlobs
from lookalike.imaging import thumbnails as imaging
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CHAT, USER, Client, Refusal, files, image, refusal
from tests.dbservice.conftest import Clock
from tests.dbservice.test_durability import Sweeps
from tests.dbservice.test_limits import served

AVIF, WEBP, JPEG = (
    db.THUMBNAIL_FORMAT_AVIF,
    db.THUMBNAIL_FORMAT_WEBP,
    db.THUMBNAIL_FORMAT_JPEG,
)
NOT_FOUND: Refusal = (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", [])


def encoded(width: int, height: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(file, kind)
    return file.getvalue()


async def pictured(
    client: Client, data: bytes | None = None, *, width: int = 8, height: int = 6
) -> str:
    """A closed generation with a picture of this size; gives its id."""
    data, size = data or encoded(width, height), {"width": width, "height": height}
    lease = await client.to_state(db.GENERATION_STATE_QUEUED, message_id=USER)
    await client.finish(lease, data, **size)
    await client.advance(lease, db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED)
    await client.close(lease)
    return lease.item.generation.id


@pytest.mark.parametrize(
    ("how", "kind"), [(AVIF, "AVIF"), (WEBP, "WEBP"), (JPEG, "JPEG")], ids=["avif", "webp", "jpeg"]
)
async def test_it_is_small_and_as_asked(client: Client, how: db.ThumbnailFormat, kind: str) -> None:
    key = await pictured(client, width=640, height=480)
    info, data = await client.image(generation_id=key, thumbnail=how)
    with Image.open(io.BytesIO(data)) as opened:
        assert (opened.format, opened.size) == (kind, (320, 240))
    assert info == image(data, media_type=f"image/{kind.lower()}", width=320, height=240)


async def test_it_is_never_enlarged(client: Client) -> None:
    key = await pictured(client, width=64, height=9)
    info, _ = await client.image(generation_id=key, thumbnail=JPEG)
    assert (info.width, info.height) == (64, 9)


async def test_photos_have_one_as_well(client: Client) -> None:
    lease = await client.leased(user=USER)
    photo = encoded(1200, 2000, "JPEG")
    item = await client.store(lease, photo, media_type="image/jpeg", width=1200, height=2000)
    info, data = await client.image(photo_id=item.photo.id, thumbnail=AVIF)
    assert (info.width, info.height) == (192, 320)
    assert len(data) < len(photo)


async def test_it_is_made_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await pictured(client, width=640, height=480)
    made = await client.image(generation_id=key, thumbnail=WEBP)

    def broken(_data: bytes, _name: str) -> bytes:
        raise AssertionError("it is made again")

    monkeypatch.setattr(imaging, "make", broken)
    assert await client.image(generation_id=key, thumbnail=WEBP) == made


async def test_it_goes_with_its_image(client: Client, blobs: Path) -> None:
    key = await pictured(client, width=64, height=48)
    for how in (AVIF, WEBP, JPEG):
        await client.image(generation_id=key, thumbnail=how)
    suffixes = ["", "", ".avif", ".jpeg", ".webp"]  # the photo's bytes bear the same id
    assert sorted(path.suffix for path in blobs.rglob(f"{key}*")) == suffixes
    await client.delete(key)
    assert files(blobs) == [key]
    assert await refusal(client.image(generation_id=key, thumbnail=AVIF)) == NOT_FOUND


async def test_it_goes_with_its_user(client: Client, blobs: Path) -> None:
    key = await pictured(client, width=64, height=48)
    await client.image(generation_id=key, thumbnail=AVIF)
    assert (await client.forget()).photos == 1
    assert files(blobs) == []


async def test_whose_the_image_is_says_whose_the_thumbnail_is(client: Client) -> None:
    key = await pictured(client, width=64, height=48)
    await client.image(generation_id=key, thumbnail=AVIF, user_id=USER)
    status, reason, _ = await refusal(
        client.image(generation_id=key, thumbnail=AVIF, user_id=USER + 1)
    )
    assert (status, reason) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER")
    await client.ask_to_forget(USER)
    assert await refusal(client.image(generation_id=key, thumbnail=AVIF)) == NOT_FOUND


async def test_of_a_broken_image_there_is_none(client: Client) -> None:
    key = await pictured(client, encoded(64, 48)[:100])
    assert await refusal(client.image(generation_id=key, thumbnail=AVIF)) == NOT_FOUND


async def test_while_the_disk_is_full_it_is_made_and_not_kept(
    client: Client, blobs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await pictured(client, width=64, height=48)

    async def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LocalBlobs, "put", full)
    _, data = await client.image(generation_id=key, thumbnail=JPEG)
    assert data
    assert [*blobs.rglob("*.jpeg")] == []


async def test_an_image_that_is_deleted_meanwhile_leaves_none(
    client: Client, blobs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await pictured(client, width=64, height=48)
    make = imaging.make

    def slow(data: bytes, name: str) -> bytes:
        for path in blobs.rglob(f"{key}*"):
            path.unlink()
        return make(data, name)

    monkeypatch.setattr(imaging, "make", slow)
    assert await refusal(client.image(generation_id=key, thumbnail=AVIF)) == NOT_FOUND
    assert [*blobs.rglob(f"{key}*")] == []


async def test_what_a_crash_has_left_of_one_is_swept(
    settings: DbserviceSettings, clock: Clock, blobs: Path
) -> None:
    async with served(settings, clock) as client:
        key = await pictured(client, width=64, height=48)
        await client.image(generation_id=key, thumbnail=AVIF)
    (kept,) = blobs.rglob("*.avif")
    left = kept.with_name(kept.name.replace(key, f"{key[0]}{'0' * 7}{key[8:]}"))
    left.write_bytes(b"")
    then = time.time() - 2 * 3600
    for path in blobs.rglob("*"):
        os.utime(path, (then, then))
    sweeps = Sweeps()
    async with served(settings, clock, sweeps):
        sweep = await sweeps.done.get()
    assert (sweep.named, sweep.unnamed, sweep.deleted) == (2, 1, True)
    assert kept.exists()
    assert not left.exists()


async def test_there_are_no_other_formats(client: Client) -> None:
    photo = photo_id(BOT, CHAT, 1)
    status, _, fields = await refusal(client.image(photo_id=photo, thumbnail=9))
    assert (status, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["thumbnail"])
    assert {*thumbnails._NAMES} == {*db.ThumbnailFormat.values()} - {0}
