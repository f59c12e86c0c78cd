"""A loopback server that speaks Azure AI Vision's wire format (Image Analysis 4.0), for captions.

It refuses what Azure refuses, in Azure's words; a test queues what else may happen:

    async with azure.serve() as server:
        server.script.append(azure.problem(429, "429", "Slow down", headers={"Retry-After": "7"}))
        captioner = AzureCaptioner(server.url, server.key)
"""

import asyncio
import io
import socket
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from aiohttp import web
from anyio.from_thread import start_blocking_portal
from PIL import Image

PATH = "/computervision/imageanalysis:analyze"
KEY = "0123456789abcdef0123456789abcdef"
MAX_BYTES = 20_971_520

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""What happens to one request, whose body is read already."""


@dataclass
class Seen:
    """A request as it came over the wire."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class AzureServer:
    """The server's address, what it saw, and what it will say.

    Attributes:
        url: the endpoint.
        key: the only key that it takes.
        caption: what it says about every photo.
        confidence: how sure it says it is.
        script: answers for the next requests; after them it answers by itself.
        requests: every request so far.
    """

    url: str
    key: str = KEY
    caption: str = "a cat lying on a couch"
    confidence: float = 0.8125
    script: deque[Answer] = field(default_factory=deque)
    requests: list[Seen] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers a request."""
        body = await request.read()
        self.requests.append(
            Seen(request.method, request.path, dict(request.query), request.headers, body)
        )
        answer = self.script.popleft() if self.script else self._judge(request, body)
        return await answer(request)

    def _judge(self, request: web.Request, body: bytes) -> Answer:
        if (request.method, request.path) != ("POST", PATH) or "api-version" not in request.query:
            return problem(404, "404", "Resource not found")
        if request.headers.get("Ocp-Apim-Subscription-Key") != self.key:
            return problem(
                401,
                "401",
                "Access denied due to invalid subscription key or wrong API endpoint. Make sure "
                "to provide a valid key for an active subscription and use a correct regional API "
                "endpoint for your resource.",
            )
        if request.content_type != "application/octet-stream":
            return problem(400, "InvalidRequest", "The content type is not supported.")
        if request.query.get("features") != "caption":
            return _bad("BadArgument", "The feature parameter is missing or not understood.")
        return self._look(body)

    def _look(self, body: bytes) -> Answer:
        if not body or len(body) > MAX_BYTES:
            return _bad(
                "InvalidImageSize",
                f"Image size is zero or exceeds the limit of {MAX_BYTES} bytes.",
            )
        try:
            with Image.open(io.BytesIO(body)) as image:
                width, height = image.size
        except OSError:
            return _bad("InvalidImageFormat", "Input data is not a valid image.")
        if min(width, height) < 50 or max(width, height) > 16_000:
            return _bad(
                "InvalidImageSize", "The image dimension is outside of 50 x 50 to 16000 x 16000."
            )
        return json_body(
            {
                "modelVersion": "2023-10-01",
                "captionResult": {"text": self.caption, "confidence": self.confidence},
                "metadata": {"width": width, "height": height},
            }
        )


@asynccontextmanager
async def serve() -> AsyncGenerator[AzureServer, None]:
    """Runs the server on a free port of this event loop."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = AzureServer(url=f"http://127.0.0.1:{bound.getsockname()[1]}")
        app = web.Application(client_max_size=2 * MAX_BYTES)
        app.router.add_route("*", "/{path:.*}", server.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.SockSite(runner, bound).start()
        try:
            yield server
        finally:
            await runner.cleanup()


@contextmanager
def serve_in_thread() -> Generator[AzureServer, None, None]:
    """Runs the server in an event loop of its own, which outlives that of a single test."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serve()) as server:
        yield server


def json_body(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Answers with JSON."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return answer


def problem(
    status: int,
    code: str,
    message: str,
    *,
    inner: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Answers with an error in Azure's form."""
    error: dict[str, object] = {"code": code, "message": message}
    if inner is not None:
        error["innererror"] = dict(inner)
    return json_body({"error": error}, status, headers)


def raw(
    body: bytes,
    status: int = 200,
    content_type: str = "text/html",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Answers with any bytes."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, content_type=content_type, headers=headers)

    return answer


async def hang(_request: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError


async def cut(request: web.Request) -> web.StreamResponse:
    """Closes the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def cut_midway(request: web.Request) -> web.StreamResponse:
    """Closes the connection in the middle of an answer."""
    response = web.StreamResponse(
        headers={"Content-Type": "application/json", "Content-Length": "1000"}
    )
    await response.prepare(request)
    await response.write(b'{"captionResult":')
    assert request.transport is not None
    request.transport.close()
    return response


def _bad(code: str, message: str) -> Answer:
    return problem(400, "InvalidRequest", message, inner={"code": code, "message": message})
