"""Bytes in S3: what only a network can do."""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import obstore
import pytest
from obstore.store import S3Store

from lookalike.blobs import CHUNK_BYTES, new_key, variant
from lookalike.blobs import s3 as module
from lookalike.blobs.s3 import Access, S3Blobs
from tests.lookalike.blobs.stores import ID, keys, parts, read, stored
from tests.s3 import KEY_ID, PREFIX, S3, SECRET

pytestmark = pytest.mark.scale

MULTIPART = 5 * 1024 * 1024 + 1

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def opened(endpoint: str, bucket: str = "bucket") -> S3Blobs:
    return S3Blobs(bucket, PREFIX, Access(endpoint, "eu-central-1", KEY_ID, SECRET, direct=True))


def access(s3: S3) -> Access:
    return Access(s3.endpoint, "eu-central-1", KEY_ID, SECRET, direct=True)


@pytest.fixture
def blobs(s3: S3) -> S3Blobs:
    return opened(s3.endpoint, s3.bucket)


@asynccontextmanager
async def scripted(handle: Handler) -> AsyncIterator[S3Blobs]:
    """A bucket in front of which somebody answers as a test says."""
    answers: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.add(asyncio.create_task(answer(reader, writer)))

    async with await asyncio.start_server(begin, "127.0.0.1", 0) as server:
        yield opened(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        for task in answers:
            task.cancel()
        await asyncio.gather(*answers, return_exceptions=True)


def answering(status: str, body: str = "") -> Handler:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write((head + body).encode())
        await writer.drain()

    return answer


def every_way(blobs: S3Blobs) -> dict[str, Callable[[], Awaitable[object]]]:
    key = new_key(ID, 1)
    return {
        "put": lambda: blobs.put(key, parts(b"bytes")),
        "put in parts": lambda: blobs.put(key, parts(bytes(MULTIPART))),
        "open": lambda: read(blobs, key),
        "missing": lambda: blobs.missing([key]),
        "delete": lambda: blobs.delete([key]),
        "list": lambda: keys(blobs),
        "check": blobs.check,
    }


WAYS = [*every_way(opened("http://127.0.0.1:1"))]


@pytest.mark.parametrize("way", WAYS)
async def test_a_bucket_that_is_not_there_is_no_missing_key(s3: S3, way: str) -> None:
    with pytest.raises(OSError, match="the bucket is not there") as caught:
        await every_way(opened(s3.endpoint, "nobodys"))[way]()
    assert caught.value.errno == errno.ENODEV


@pytest.mark.parametrize("way", WAYS)
async def test_one_that_does_not_answer_is_an_error_of_storage_and_comes_back(
    s3: S3, blobs: S3Blobs, way: str
) -> None:
    key = await stored(blobs)
    s3.go_away()
    began = time.monotonic()
    with pytest.raises(OSError, match="S3 does not answer") as caught:
        await every_way(blobs)[way]()
    assert caught.value.errno == errno.EIO
    assert time.monotonic() - began < 15
    s3.come_back()
    assert await read(blobs, key) == b"bytes"
    await stored(blobs)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "told", ["<Error><Code>InvalidAccessKeyId</Code><Key>of somebody</Key></Error>", ""]
)
async def test_refused_credentials_are_told_without_them(way: str, told: str) -> None:
    async with scripted(answering("403 Forbidden", told)) as blobs:
        with pytest.raises(PermissionError) as caught:
            await every_way(blobs)[way]()
    said = str(caught.value)
    assert "S3 refuses the credentials" in said
    for secret in (KEY_ID, SECRET, "127.0.0.1", "eu-central-1", "somebody"):
        assert secret not in said
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("status", "body", "number", "words"),
    [
        ("503 Slow Down", "<Error><Code>SlowDown</Code></Error>", errno.EIO, "SlowDown"),
        ("500 Oh", "no XML", errno.EIO, r"is in trouble \(HTTP 500\)"),
        ("301 Moved Permanently", "", errno.EINVAL, "in another region"),
        (
            "400 Bad",
            "<Error><Code>AuthorizationHeaderMalformed</Code></Error>",
            errno.EINVAL,
            "Auth",
        ),
    ],
)
async def test_it_says_what_is_wrong(status: str, body: str, number: int, words: str) -> None:
    async with scripted(answering(status, body)) as blobs:
        with pytest.raises(OSError, match=words) as caught:
            await blobs.check()
    assert caught.value.errno == number


async def test_one_that_takes_a_call_and_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setitem(module._CLIENT, "read_timeout", "100ms")
    async with scripted(silent) as blobs:
        with pytest.raises(OSError, match="does not answer"):
            await blobs.check()


async def _half_an_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nETag: x\r\n"
        b"Last-Modified: Mon, 30 Nov 2026 06:00:00 GMT\r\n\r\n" + bytes(CHUNK_BYTES + 1)
    )
    await writer.drain()


async def test_an_answer_that_breaks_off_is_an_error() -> None:
    async with scripted(_half_an_answer) as blobs:
        with pytest.raises(OSError, match="S3"):
            await read(blobs, new_key(ID, 1))


async def test_whoever_stops_reading_closes_the_connection() -> None:
    closed = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _half_an_answer(reader, writer)
        await reader.read()
        closed.set()

    async with scripted(endless) as blobs, asyncio.timeout(10):
        async with aclosing(blobs.open(new_key(ID, 1))) as pieces:
            assert len(await anext(pieces)) == CHUNK_BYTES
        await closed.wait()


async def test_whoever_is_cancelled_while_reading_closes_it_too() -> None:
    reached, closed = asyncio.Event(), asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _half_an_answer(reader, writer)
        reached.set()
        await reader.read()
        closed.set()

    async with scripted(endless) as blobs, asyncio.timeout(10):
        task = asyncio.create_task(read(blobs, new_key(ID, 1)))
        await reached.wait()
        task.cancel()
        await asyncio.wait({task})
        await closed.wait()


@pytest.mark.parametrize("ending", ["raises", "is cancelled"])
async def test_parts_that_were_uploaded_are_given_up(s3: S3, blobs: S3Blobs, ending: str) -> None:
    reached = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield bytes(MULTIPART)
        yield bytes(MULTIPART)
        assert s3.uploads()
        reached.set()
        if ending == "raises":
            raise ValueError("enough")
        await asyncio.Event().wait()

    put = asyncio.create_task(blobs.put(new_key(ID, 1), half()))
    await reached.wait()
    if ending == "is cancelled":
        put.cancel()
    await asyncio.wait({put})
    assert put.cancelled() or isinstance(put.exception(), ValueError)
    assert s3.uploads() == s3.keys() == []


async def test_a_key_with_other_bytes_keeps_them(s3: S3, blobs: S3Blobs) -> None:
    key = await stored(blobs)
    await blobs.put(key, parts(b"by", b"tes"))  # S3 had taken them, and its answer was lost
    with pytest.raises(FileExistsError):
        await blobs.put(key, parts(b"others"))
    assert s3.keys() == [key]
    assert await read(blobs, key) == b"bytes"


async def test_of_several_at_once_one_wins(blobs: S3Blobs) -> None:
    key = new_key(ID, 1)
    puts = (blobs.put(key, parts(bytes([n]))) for n in range(8))
    ended = await asyncio.gather(*puts, return_exceptions=True)
    assert [each for each in ended if each is None] == [None]
    (won,) = (n for n, each in enumerate(ended) if each is None)
    assert await read(blobs, key) == bytes([won])


async def test_bytes_that_do_not_arrive_whole_are_not_taken_for_stored(
    blobs: S3Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = obstore.put_async

    def shorter(store: S3Store, key: str, data: bytes, **how: Any) -> Awaitable[object]:
        return put(store, key, data[:-1], **how)

    monkeypatch.setattr(obstore, "put_async", shorter)
    with pytest.raises(OSError, match="S3 has not kept what it has taken"):
        await stored(blobs)
    assert await keys(blobs) == []


async def test_more_than_a_page_is_listed_and_deleted(
    s3: S3, blobs: S3Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "7")
    monkeypatch.setattr(module, "_PAGE", 5)
    monkeypatch.setattr(module, "_BATCH", 9)
    names = [new_key(f"{n:08x}", 1) for n in range(40)]
    for name in names:
        s3.put(name)
        s3.put(variant(name, "jpeg"))
    bare = new_key(ID, 1)
    s3.put(variant(bare, "avif"))
    assert await keys(blobs) == sorted([*names, bare])
    await blobs.delete([*names, bare])
    assert await keys(blobs) == []


async def test_the_neighbours_of_a_prefix_are_not_seen(s3: S3, blobs: S3Blobs) -> None:
    key = await stored(blobs)
    other = S3Blobs(s3.bucket, f"{PREFIX}-else", access(s3))
    await stored(other)
    whole = S3Blobs(s3.bucket, "", access(s3))
    assert await keys(blobs) == [key]
    assert await keys(whole) == []


async def test_no_proxy_stands_before_this_machine(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    await opened(s3.endpoint, s3.bucket).check()


async def test_what_the_environment_says_does_not_send_us_elsewhere(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    await opened(s3.endpoint, s3.bucket).check()


async def test_nothing_is_sent_in_the_clear_without_an_endpoint_on_this_machine(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    unasked = S3Blobs(s3.bucket, PREFIX, Access(None, "eu-central-1", KEY_ID, SECRET))
    with pytest.raises(OSError, match="does not answer"):
        await unasked.check()


async def test_the_loop_is_free_meanwhile(blobs: S3Blobs) -> None:
    put = asyncio.create_task(stored(blobs, os.urandom(3 * MULTIPART)))
    longest, last = 0.0, time.monotonic()
    while not put.done():
        await asyncio.sleep(0)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    assert longest < 1.0
