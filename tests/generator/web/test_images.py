"""PUT, HEAD and DELETE of pictures to start from, over HTTP and with the real decoder."""

import asyncio
import hashlib
import io
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from lookalike import disk
from lookalike.blobs.local import LocalBlobs
from lookalike.imaging import preparing
from tests.generator.stack import TOKEN, XML, Stack, code, job, serving
from tests.lookalike.imaging.hostile import decoders, encode, in_jpeg, scans, segment
from tests.lookalike.imaging.test_preparing import png_header
from tests.waiting import eventually

pytestmark = pytest.mark.slow

JPEG = {"Content-Type": "image/jpeg"}


def photo(kind: str = "JPEG", size: tuple[int, int] = (120, 90), **options: object) -> bytes:
    return encode(Image.linear_gradient("L").resize(size).convert("RGB"), kind, **options)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def path(data: bytes) -> str:
    return f"/v1/images/{sha256(data)}"


async def put(stack: Stack, data: bytes, media_type: str = "image/jpeg") -> httpx.Response:
    headers = {"Content-Type": media_type}
    return await stack.client.put(path(data), content=data, headers=headers)


async def test_an_image_is_taken_once_and_found(stack: Stack) -> None:
    data = photo()
    unknown = await stack.client.head(path(data))
    assert (unknown.status_code, unknown.content) == (404, b"")
    first = await put(stack, data)
    assert (first.status_code, first.content) == (201, b"")
    assert first.headers["location"] == path(data)
    stored = stack.images
    assert (await put(stack, data)).status_code == 200
    assert stack.images == stored
    upper = await stack.client.head(path(data).upper().replace("/V1/IMAGES", "/v1/images"))
    assert (upper.status_code, upper.content) == (200, b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_what_is_kept_is_an_upright_png_without_metadata(stack: Stack, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "where we live"
    data = photo(kind, (3000, 1500), exif=exif)
    assert (await put(stack, data, f"image/{kind.lower()}")).status_code == 201
    kept = await stack.generator.uploads.read(sha256(data))
    with Image.open(io.BytesIO(kept)) as image:
        image.load()
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (1024, 2048))
        assert image.info == {}
    assert b"where we live" not in kept


async def test_transparency_is_white_and_a_panorama_is_bounded(stack: Stack) -> None:
    data = encode(Image.new("RGBA", (9000, 20), (255, 0, 0, 0)), "PNG")
    assert (await put(stack, data, "image/png")).status_code == 201
    kept = await stack.generator.uploads.read(sha256(data))
    with Image.open(io.BytesIO(kept)) as image:
        assert image.size == (preparing.INIT_LONG_SIDE, 9)
        assert image.getpixel((100, 4)) == (255, 255, 255)


async def test_the_smallest_image_and_any_type_of_the_three_are_taken(stack: Stack) -> None:
    """The type decides whether it is looked at, the bytes what it is."""
    data = photo("PNG", (1, 1))
    assert (await put(stack, data, "image/webp")).status_code == 201


BOMB = png_header(50_000, 50_000)


@pytest.mark.long
@pytest.mark.parametrize(
    ("data", "media_type", "status", "expected"),
    [
        (photo("GIF"), "image/png", 422, "invalid-image"),
        (b"", "image/png", 422, "invalid-image"),
        (b"\xff\xd8\xff", "image/jpeg", 422, "invalid-image"),
        (photo("PNG")[:-40], "image/png", 422, "invalid-image"),
        (b"<svg/>", "image/png", 422, "invalid-image"),
        (in_jpeg(segment(0xED, b"") * 10_001), "image/jpeg", 422, "invalid-image"),
        (scans(20_000), "image/jpeg", 422, "invalid-image"),
        (BOMB, "image/png", 413, "image-too-large"),
        (photo(), "image/gif", 415, "unsupported-media-type"),
        (photo(), "application/octet-stream", 415, "unsupported-media-type"),
        (photo(), "nonsense", 415, "unsupported-media-type"),
        (photo() + bytes(20 * 1024 * 1024), "image/jpeg", 413, "body-too-large"),
    ],
)
async def test_what_is_no_image_is_refused(
    stack: Stack, data: bytes, media_type: str, status: int, expected: str
) -> None:
    response = await put(stack, data, media_type)
    assert (response.status_code, code(response)) == (status, expected)
    assert stack.images == []
    assert (await stack.client.head(path(data))).status_code == 404


async def test_the_largest_file_is_taken(stack: Stack) -> None:
    data = photo()
    assert (await put(stack, data + bytes(20 * 1024 * 1024 - len(data)))).status_code == 201


async def test_bytes_of_another_checksum_are_refused(stack: Stack) -> None:
    data = photo()
    response = await stack.client.put(path(b"other"), content=data, headers=JPEG)
    assert (response.status_code, code(response)) == (422, "checksum-mismatch")
    assert (await put(stack, data)).status_code == 201
    again = await stack.client.put(path(data), content=data + b"x", headers=JPEG)
    assert (again.status_code, code(again)) == (422, "checksum-mismatch")


async def test_other_errors(stack: Stack) -> None:
    data = photo()
    packed = await stack.client.put(
        path(data), content=data, headers={**JPEG, "Content-Encoding": "gzip"}
    )
    assert (packed.status_code, code(packed)) == (415, "unsupported-media-type")
    assert packed.headers["accept"] == "image/jpeg, image/png, image/webp"
    for method in ("PUT", "HEAD", "DELETE"):
        response = await stack.client.request(method, "/v1/images/nonsense", headers=JPEG)
        assert response.status_code == 404
    gone = await stack.client.delete(path(data))
    assert (gone.status_code, code(gone)) == (404, "no-such-image")
    wrong = await stack.client.patch(path(data))
    assert wrong.headers["allow"] == "DELETE, GET, HEAD, PUT"
    stack.client.headers["authorization"] = "Bearer wrong"
    for method in ("PUT", "HEAD", "GET", "DELETE"):
        assert (await stack.client.request(method, path(data))).status_code == 401


async def test_one_that_is_named_by_an_unfinished_job_is_not_deleted(stack: Stack) -> None:
    data = photo()
    await put(stack, data)
    await stack.put()  # runs
    queued = await stack.put(job(init=(sha256(data), "0.5")))
    used = await stack.client.delete(path(data))
    assert (used.status_code, code(used)) == (409, "image-in-use")
    await stack.client.delete(f"/v1/jobs/{queued}")
    assert (await stack.client.delete(path(data))).status_code == 204
    assert stack.images == []
    assert (await stack.client.head(path(data))).status_code == 404
    refused = await stack.client.put(
        f"/v1/jobs/{uuid4()}", content=job(init=(sha256(data), "0.5")), headers=XML
    )
    assert (refused.status_code, code(refused)) == (422, "unknown-image")
    assert path(data) in refused.text


async def test_what_was_taken_is_there_after_a_restart_and_what_was_not_named_is_swept(
    tmp_path: Path,
) -> None:
    data = photo()
    async with serving(tmp_path) as stack:
        await put(stack, data)
        (stored,) = stack.images
        lost = stored.with_name(f"{stored.name[0]}{'1' * 63}-0-00000000")
        lost.write_bytes(b"stored, but never named")
    assert decoders() == []
    async with serving(tmp_path) as stack:
        assert stack.images == [stored]
        assert (await stack.client.head(path(data))).status_code == 200


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_bytes(b"half")])
async def test_bytes_that_are_lost_are_taken_again(
    stack: Stack, damage: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    data = photo()
    await put(stack, data)
    damage(*stack.images)
    there = await stack.client.head(path(data))
    assert there.status_code == (200 if stack.images else 404)
    assert (await put(stack, data)).status_code == 201
    assert f"{sha256(data)} is lost" in caplog.text
    assert len(stack.images) == 1
    assert await stack.generator.uploads.read(sha256(data))


async def test_a_disk_that_is_nearly_full_takes_no_new_image(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "is_nearly_full", lambda _folder: True)
    response = await put(stack, photo())
    assert (response.status_code, code(response)) == (507, "disk-full")
    assert stack.images == []
    stack.executor.go()
    await stack.reach(await stack.put(), "finished")


async def test_nothing_is_left_of_one_that_the_database_does_not_take(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(stack.generator.uploads, "_add", fail)
        assert (await put(stack, photo())).status_code == 507
    assert stack.images == []
    assert (await put(stack, photo())).status_code == 201


async def _stalled(stack: Stack, number: int) -> asyncio.StreamWriter:
    url = stack.client.base_url
    _, writer = await asyncio.open_connection(url.host, url.port)
    lines = (
        f"PUT /v1/images/{sha256(str(number).encode())} HTTP/1.1",
        "Host: here",
        f"Authorization: Bearer {TOKEN}",
        "Content-Type: image/jpeg",
        "Content-Length: 20000000",
        "",
        "\xff\xd8\xff",
    )
    writer.write("\r\n".join(lines).encode("latin-1"))
    await writer.drain()
    return writer


async def test_a_flood_of_uploads_keeps_nobody_out(stack: Stack) -> None:
    writers = [await _stalled(stack, number) for number in range(100)]
    many = [photo(size=(64, 64 + number)) for number in range(8)]
    noise = [asyncio.create_task(put(stack, os.urandom(3_000_000))) for _ in range(8)]
    stack.executor.go()
    await stack.reach(await stack.put(), "finished")
    answers = await asyncio.gather(*(put(stack, data) for data in many))
    assert [answer.status_code for answer in answers] == [201] * len(many)
    assert {answer.status_code for answer in await asyncio.gather(*noise)} == {422}
    for writer in writers:
        writer.close()
        await writer.wait_closed()

    async def forgotten() -> bool | None:
        return None if await asyncio.to_thread(_open_files, stack.results) else True

    assert await eventually(forgotten)


def _open_files(folder: Path) -> list[str]:
    """The files without a name that this process holds in a folder."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = entry.readlink()
        except OSError:
            continue
        if str(target).startswith(str(folder)) and str(target).endswith("(deleted)"):
            found.append(str(target))
    return found


async def test_one_of_two_that_come_at_once_is_kept(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, both = photo(), asyncio.Barrier(2)
    store = LocalBlobs.put

    async def together(self: LocalBlobs, key: str, parts: AsyncGenerator[bytes]) -> None:
        await both.wait()
        await store(self, key, parts)

    monkeypatch.setattr(LocalBlobs, "put", together)
    answers = await asyncio.gather(put(stack, data), put(stack, data))
    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert len(stack.images) == 1
