"""bot.captioners.azure: the real SDK against a loopback server of Azure's wire format."""

import asyncio
import gc
import io
import logging
import socket
import time
from collections.abc import AsyncGenerator, Generator
from email.utils import formatdate

import pytest
from aiohttp import web
from PIL import Image

from bot.captioners import azure
from bot.captioners.azure import AzureCaptioner, check_endpoint
from bot.captioners.base import CaptionerMisconfigured, CaptionerUnavailable, PhotoRefused
from lookalike.imaging import preparing
from tests import azure as fake
from tests.azure import AzureServer

MARKER = b"PLANTED-MARKER"


def photo() -> bytes:
    """A photo as it is stored: prepared from one with a marker in it."""
    file = io.BytesIO()
    Image.new("RGB", (64, 60), "teal").save(file, "JPEG", comment=MARKER)
    return preparing.prepare(file.getvalue()).data


@pytest.fixture
async def server() -> AsyncGenerator[AzureServer, None]:
    async with fake.serve() as running:
        yield running


@pytest.fixture
async def captioner(server: AzureServer) -> AsyncGenerator[AzureCaptioner, None]:
    made = AzureCaptioner(server.url, server.key)
    yield made
    await made.close()


@pytest.fixture(autouse=True)
def no_key_in_logs(caplog: pytest.LogCaptureFixture) -> Generator[None, None, None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert fake.KEY not in caplog.text


async def away(captioner: AzureCaptioner) -> CaptionerUnavailable:
    with pytest.raises(CaptionerUnavailable) as caught:
        await captioner.caption(photo())
    assert fake.KEY not in repr(caught.value)
    return caught.value


async def test_a_caption(captioner: AzureCaptioner) -> None:
    caption = await captioner.caption(photo())
    assert (caption.text, caption.confidence) == ("a cat lying on a couch", 0.8125)
    assert caption.model == "2023-10-01"
    assert captioner.name == "azure"


async def test_what_goes_over_the_wire(server: AzureServer, captioner: AzureCaptioner) -> None:
    data = photo()
    await captioner.caption(data)
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/computervision/imageanalysis:analyze")
    assert request.query == {
        "api-version": "2023-10-01",
        "features": "caption",
        "language": "en",
        "gender-neutral-caption": "true",
    }
    assert request.headers["Content-Type"] == "application/octet-stream"
    assert request.headers["Ocp-Apim-Subscription-Key"] == server.key
    assert request.body == data
    assert MARKER not in request.body


async def test_a_caption_is_cleaned(server: AzureServer, captioner: AzureCaptioner) -> None:
    server.caption = " a\ncat \x00 "
    assert (await captioner.caption(photo())).text == "a cat"


@pytest.mark.parametrize("confidence", [None, "high", -0.1, 1.5, float("inf"), {}])
async def test_a_confidence_that_is_none(
    server: AzureServer, captioner: AzureCaptioner, confidence: object
) -> None:
    server.script.append(
        fake.json_body({"captionResult": {"text": "a cat", "confidence": confidence}})
    )
    caption = await captioner.caption(photo())
    assert (caption.text, caption.confidence) == ("a cat", None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}",
        b"[]",
        b"null",
        b"5",
        b'"a cat"',
        b'{"captionResult": null}',
        b'{"captionResult": "a cat"}',
        b'{"captionResult": {}}',
        b'{"captionResult": {"text": null, "confidence": 1}}',
        b'{"captionResult": {"text": " \\u0000 ", "confidence": 1}}',
        b"[" * 100_000,
        b"\xff\xfe",
        b"<html>Please log in</html>",
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/html"])
async def test_an_answer_without_a_caption_is_asked_for_again(
    server: AzureServer, captioner: AzureCaptioner, body: bytes, content_type: str
) -> None:
    server.script.append(fake.raw(body, content_type=content_type))
    assert (await away(captioner)).retry_after is None


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_passing_trouble_is_one_request_and_no_more(
    server: AzureServer, captioner: AzureCaptioner, status: int
) -> None:
    server.script.append(fake.problem(status, str(status), "Later, please"))
    error = await away(captioner)
    assert f"{status} Later, please" in str(error)
    assert error.retry_after is None
    assert len(server.requests) == 1


async def test_a_gateways_page(server: AzureServer, captioner: AzureCaptioner) -> None:
    server.script.append(fake.raw(b"<html>Bad gateway</html>", 502))
    assert "502" in str(await away(captioner))
    server.script.append(fake.raw(b"<html>Bad gateway</html>", 502, "application/json"))
    assert "502" in str(await away(captioner))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "86400"}, 300.0),
        ({"Retry-After": "inf"}, 300.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 -0000"}, 0.0),
        ({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, 300.0),
    ],
)
async def test_retry_after(
    server: AzureServer,
    captioner: AzureCaptioner,
    headers: dict[str, str],
    seconds: float | None,
) -> None:
    server.script.append(fake.problem(429, "429", "Too many requests", headers=headers))
    assert (await away(captioner)).retry_after == seconds
    assert len(server.requests) == 1


async def test_retry_after_a_date_soon(server: AzureServer, captioner: AzureCaptioner) -> None:
    date = formatdate(time.time() + 120, usegmt=True)
    server.script.append(fake.problem(503, "503", "Busy", headers={"Retry-After": date}))
    seconds = (await away(captioner)).retry_after
    assert seconds is not None
    assert 60 < seconds <= 120


async def test_a_wrong_key_waits_for_the_operator(server: AzureServer) -> None:
    captioner = AzureCaptioner(server.url, "another-key")
    with pytest.raises(CaptionerMisconfigured, match=r"AZURE_VISION_KEY.*401 Access denied"):
        await captioner.caption(photo())
    await captioner.close()


async def test_a_used_up_month_is_waited_for(
    server: AzureServer, captioner: AzureCaptioner
) -> None:
    words = "Out of call volume quota. Quota will be replenished in 3 days."
    server.script.append(fake.problem(403, "403", words))
    with pytest.raises(CaptionerUnavailable, match="403 Out of call volume quota"):
        await captioner.caption(photo())


async def test_forbidden_waits_for_the_operator(
    server: AzureServer, captioner: AzureCaptioner
) -> None:
    server.script.append(fake.problem(403, "403", "Public access is disabled."))
    with pytest.raises(CaptionerMisconfigured, match="403 Public access is disabled"):
        await captioner.caption(photo())


async def test_a_wrong_path_waits_for_the_operator(server: AzureServer) -> None:
    captioner = AzureCaptioner(server.url + "/elsewhere", server.key)
    with pytest.raises(CaptionerMisconfigured, match=r"AZURE_VISION_ENDPOINT.*404"):
        await captioner.caption(photo())
    await captioner.close()


async def test_a_region_without_captions_waits_for_the_operator(
    server: AzureServer, captioner: AzureCaptioner
) -> None:
    words = "The feature 'Caption' is not supported in this region."
    server.script.append(fake.problem(400, "InvalidRequest", words))
    with pytest.raises(CaptionerMisconfigured, match="not supported in this region"):
        await captioner.caption(photo())


async def test_a_photo_that_azure_cannot_read(captioner: AzureCaptioner) -> None:
    with pytest.raises(PhotoRefused, match="400 Input data is not a valid image"):
        await captioner.caption(b"no image")
    with pytest.raises(PhotoRefused, match="400 Image size is zero"):
        await captioner.caption(b"")


@pytest.mark.parametrize("status", [409, 413, 415, 422])
async def test_other_refusals_are_about_the_photo(
    server: AzureServer, captioner: AzureCaptioner, status: int
) -> None:
    server.script.append(fake.problem(status, str(status), "Not this one"))
    with pytest.raises(PhotoRefused, match=f"{status} Not this one"):
        await captioner.caption(photo())


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"5", b'{"error": "bad"}', b'{"error": [1]}', b'{"error": {"message": {}}}'],
)
async def test_refusals_in_another_form(
    server: AzureServer, captioner: AzureCaptioner, body: bytes
) -> None:
    server.script.append(fake.raw(body, 400, "application/json"))
    with pytest.raises(PhotoRefused, match="400"):
        await captioner.caption(photo())


async def test_an_echoed_key_goes_no_further(
    server: AzureServer, captioner: AzureCaptioner
) -> None:
    words = f"bad\nheader\x1b Ocp-Apim-Subscription-Key: {fake.KEY} " + "x" * 1000
    server.script.append(fake.problem(400, "BadRequest", words))
    with pytest.raises(PhotoRefused) as caught:
        await captioner.caption(photo())
    assert fake.KEY not in repr(caught.value)
    assert "bad header Ocp-Apim-Subscription-Key: [redacted]" in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_never_takes_the_key_along(
    server: AzureServer, captioner: AzureCaptioner, status: int
) -> None:
    async with fake.serve() as other:
        server.script.append(fake.raw(b"", status, headers={"Location": other.url + fake.PATH}))
        assert str(status) in str(await away(captioner))
        assert other.requests == []


async def test_no_proxy_stands_between_us_and_loopback(
    server: AzureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with fake.serve() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        captioner = AzureCaptioner(server.url, server.key)
        assert (await captioner.caption(photo())).text == server.caption
        await captioner.close()
        assert proxy.requests == []


async def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        captioner = AzureCaptioner(f"http://127.0.0.1:{bound.getsockname()[1]}", fake.KEY)
        assert "cannot be reached" in str(await away(captioner))
        await captioner.close()


@pytest.mark.parametrize("limit", ["_READ_SECONDS", "_DEADLINE_SECONDS"])
async def test_no_answer_in_time(
    server: AzureServer, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(azure, limit, 0.1)
    captioner = AzureCaptioner(server.url, server.key)
    server.script.append(fake.hang)
    assert "cannot be reached" in str(await away(captioner))
    assert (await captioner.caption(photo())).text == server.caption
    await captioner.close()


@pytest.mark.parametrize("answer", [fake.cut, fake.cut_midway])
async def test_a_cut_connection(
    server: AzureServer, captioner: AzureCaptioner, answer: fake.Answer
) -> None:
    server.script.append(answer)
    assert (await away(captioner)).retry_after is None
    assert (await captioner.caption(photo())).text == server.caption


async def test_a_slow_caption_holds_up_nobody(
    server: AzureServer, captioner: AzureCaptioner
) -> None:
    reached = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        reached.set()
        return await fake.hang(request)

    server.script.append(hang)
    slow = asyncio.create_task(captioner.caption(photo()))
    await reached.wait()
    assert (await captioner.caption(photo())).text == server.caption
    assert not slow.done()
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow


async def test_its_end_is_announced_at_start(caplog: pytest.LogCaptureFixture) -> None:
    await AzureCaptioner("https://example.cognitiveservices.azure.com", fake.KEY).close()
    [record] = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert "retired on 2028-09-25" in record.getMessage()


async def test_close_leaves_nothing_open(server: AzureServer) -> None:
    captioner = AzureCaptioner(server.url, server.key)
    await captioner.caption(photo())
    await captioner.close()
    del captioner
    gc.collect()  # an unclosed session would be a ResourceWarning, and that an error


@pytest.mark.parametrize(
    "url",
    [
        "https://cats.cognitiveservices.azure.com",
        "https://cats.cognitiveservices.azure.com/",
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://[::1]:80",
    ],
)
def test_endpoints_that_will_do(url: str) -> None:
    check_endpoint(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cats.cognitiveservices.azure.com",
        "ftp://cats.example",
        "https://",
        "https://cats.example/computervision/imageanalysis:analyze?api-version=2023-10-01",
        "http://cats.cognitiveservices.azure.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://10.0.0.1",
        "http://[",
    ],
)
def test_endpoints_that_will_not_do(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        check_endpoint(url)
