"""Requests that never end take nobody's place."""

import asyncio
import contextlib
import errno
import logging
import resource
import socket
import time
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from lookalike import lifecycle, web
from tests.stack import create_stack, read_log

HALF_A_REQUEST = b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
def _many_files() -> Generator[None, None, None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.usefixtures("_many_files")
@pytest.mark.parametrize("name", ["sandbox", "generator", "bot"])
def test_1100_half_sent_requests_do_not_keep_health_from_answering(
    name: str, tmp_path: Path
) -> None:
    with create_stack(tmp_path, {"CAPTIONER": "offline"}) as stack:
        settings = {"TELEGRAM_API_URL": "http://127.0.0.1:9"} if name == "bot" else {}
        stack.start(name, **settings)
        pid = stack.process(name).popen.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (1024, 1024))
        host, _, port = stack.address(name).rpartition(":")
        logged = len(read_log(stack, name))
        with contextlib.ExitStack() as sockets:
            for _ in range(1100):
                half = sockets.enter_context(socket.create_connection((host, int(port)), 10))
                with contextlib.suppress(OSError):  # an old one may make room at any time
                    half.sendall(HALF_A_REQUEST)
            began = time.monotonic()
            answer = requests.get(f"{stack.url(name)}/health/live", timeout=10)
            assert answer.status_code == 200
            head = requests.head(f"{stack.url(name)}/health/live", timeout=10)
            assert (head.status_code, head.content) == (200, b"")
            assert time.monotonic() - began < 5
            assert len(list(Path(f"/proc/{pid}/fd").iterdir())) < 700
        log = read_log(stack, name)[logged:]
        assert "Traceback" not in log
        assert len(log) < 10_000
        assert stack.stop() == {name: 0}


async def slow(request: Request) -> PlainTextResponse:
    """Takes its time over an answer; that is the server's, not the caller's."""
    await request.body()
    await asyncio.sleep(1.0)
    return PlainTextResponse("done")


LARGE = b"x" * 1_000_000


async def large(_request: Request) -> PlainTextResponse:
    """Says much."""
    return PlainTextResponse(LARGE)


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """A server; gives its port."""
    stop = asyncio.Event()
    bound = lifecycle.bind("127.0.0.1:0", "X")
    app = Starlette(routes=[Route("/", slow, methods=["GET", "POST"]), Route("/large", large)])
    with bound:
        task = asyncio.create_task(web.serve(app, bound, stop))
        yield int(bound.getsockname()[1])
        stop.set()
        await task


async def talk(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """All that is answered to a request that comes in parts."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        sending.cancel()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
HEAD_OF_POST = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n"


@pytest.mark.long
@pytest.mark.slow
async def test_a_head_and_a_body_have_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_HEAD_SECONDS", 0.3)
    monkeypatch.setattr(web, "_BODY_SECONDS", 0.6)
    async with serving() as port:
        # Whole requests, though their answers take longer than that.
        assert (await talk(port, GET)).endswith(b"done")
        assert (await talk(port, HEAD_OF_POST, b"x" * 100)).endswith(b"done")
        # Nothing, a part, and drop by drop.
        assert await talk(port) == b""
        assert await talk(port, GET[:-2]) == b""
        assert await talk(port, *(GET[n : n + 1] for n in range(40)), pause=0.05) == b""
        assert await talk(port, HEAD_OF_POST) == b""
        assert await talk(port, HEAD_OF_POST, *[b"x"] * 99, pause=0.05) == b""


async def test_head_is_answered_wherever_get_is() -> None:
    async with serving() as port:
        head, _, body = (await talk(port, GET.replace(b"GET", b"HEAD"))).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"content-length: 4" in head
    assert body == b""


async def test_where_there_are_too_many_the_oldest_without_work_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web, "_MOST_CONNECTIONS", 3)
    async with serving() as port:
        working = [asyncio.create_task(talk(port, GET)) for _ in range(2)]
        await asyncio.sleep(0.2)
        half = asyncio.create_task(talk(port, GET[:-2]))
        await asyncio.sleep(0.2)
        later = asyncio.create_task(talk(port, GET))
        assert await half == b""
        assert [answer[-4:] for answer in await asyncio.gather(*working, later)] == [b"done"] * 3


async def test_where_all_work_the_newest_of_them_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(web, "_MOST_CONNECTIONS", 3)
    async with serving() as port:
        working = []
        for _ in range(3):
            working.append(asyncio.create_task(talk(port, GET)))
            await asyncio.sleep(0.1)
        later = asyncio.create_task(talk(port, GET))
        answers = await asyncio.gather(*working, later)
        assert [answer[-4:] for answer in answers] == [b"done", b"done", b"", b"done"]


PIPELINED = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" * 50


async def test_an_answer_that_nobody_reads_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_UNREAD_SECONDS", 0.3)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(PIPELINED)
        await asyncio.sleep(1.0)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(50 * len(LARGE))
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.mark.long
@pytest.mark.parametrize("most", [3, 10])
async def test_who_does_not_read_makes_room(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_MOST_CONNECTIONS", most)
    async with serving() as port:
        with contextlib.ExitStack() as sockets:
            for _ in range(2 * most):
                deaf = sockets.enter_context(socket.create_connection(("127.0.0.1", port)))
                deaf.sendall(PIPELINED)
                await asyncio.sleep(0.05)
            assert (await talk(port, GET)).endswith(b"done")


async def test_what_cannot_be_accepted_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    loop = asyncio.get_running_loop()
    async with serving():
        await asyncio.sleep(0)
        error = OSError(errno.EMFILE, "Too many open files")
        for _ in range(1000):
            loop.call_exception_handler(
                {"message": "socket.accept() out of system resource", "exception": error}
            )
    assert caplog.messages == ["No connection can be accepted just now: Too many open files."]
