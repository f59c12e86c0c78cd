"""What others answer, bounded in bytes and time while it comes.

python-telegram-bot and httpx read a body to its end, however long it is and however long it takes.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx

from bot.messages import MOST_BYTES

MOST_ANSWER_BYTES: Final = 1024 * 1024
"""Of what a method answers; the longest, a chat's administrators, has some tens of thousands."""

_SENDING_SECONDS = 300.0  # of a request, until its answer begins: uploads are slow
_ANSWER_SECONDS = 30.0
_FILE_SECONDS = 120.0


class TooLong(httpx.ReadError):
    """An answer is longer than anybody reads."""


class BoundedTransport(httpx.AsyncHTTPTransport):
    """Sends requests: what comes by GET may be a file, what answers a POST is short."""

    def __init__(self, proxy: str | None, connections: int = 10) -> None:
        """Connects when it is first used.

        Args:
            proxy: that to Telegram, if there is one.
            connections: as many at a time.
        """
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        super().__init__(proxy=proxy, limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Makes a request; see `httpx.AsyncBaseTransport`."""
        request.headers["Accept-Encoding"] = "identity"  # unpacked it may be any size
        try:
            async with asyncio.timeout(_SENDING_SECONDS):
                response = await super().handle_async_request(request)
        except TimeoutError:
            raise httpx.ReadTimeout("no answer in time", request=request) from None
        if response.headers.get("Content-Encoding", "identity") != "identity":
            await response.aclose()
            raise TooLong("the answer is packed, unasked", request=request)
        is_file = request.method == "GET"
        response.stream = _Bounded(
            response.stream,
            MOST_BYTES if is_file else MOST_ANSWER_BYTES,
            _FILE_SECONDS if is_file else _ANSWER_SECONDS,
        )
        return response


class _Bounded(httpx.AsyncByteStream):
    """A body that ends in an error where it becomes too long."""

    def __init__(self, body: Any, most: int, seconds: float) -> None:
        self._body = body
        self._most = most
        self._until = time.monotonic() + seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._most
        parts = aiter(self._body)
        while True:
            try:
                async with asyncio.timeout(self._until - time.monotonic()):
                    part = await anext(parts)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise httpx.ReadTimeout("the answer takes too long") from None
            left -= len(part)
            if left < 0:
                raise TooLong("the answer is too long")
            yield part

    async def aclose(self) -> None:
        await self._body.aclose()
