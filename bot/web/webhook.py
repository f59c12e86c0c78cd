"""POST /telegram/webhook, where Telegram brings updates."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lookalike.tokens import same_token

PATH: Final = "/telegram/webhook"

MOST_BYTES: Final = 1024 * 1024
"""Of an update; the longest that Telegram sends has some tens of thousands."""

_HEADER = "X-Telegram-Bot-Api-Secret-Token"
_BODY_SECONDS = 3.0
_AGAIN_SECONDS = 1  # Telegram keeps to that, and its own pauses do not grow


def route(secret: str, take: Callable[[bytes], Awaitable[bool]]) -> Route:
    """The route.

    Args:
        secret: what Telegram shows; without it the body is not even read.
        take: takes a body, cut off after MOST_BYTES, within a few seconds; False: it has to come
            again.
    """

    async def receive(request: Request) -> Response:
        if not same_token(request.headers.get(_HEADER, ""), secret):
            return PlainTextResponse("forbidden\n", HTTPStatus.FORBIDDEN)
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await _read(request)
            if await take(body):
                return Response()
        except TimeoutError:
            pass  # it did not arrive, and has to come again
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # which nobody reads
        return PlainTextResponse(
            "not now\n", HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": str(_AGAIN_SECONDS)}
        )

    return Route(PATH, receive, methods=["POST"])


async def _read(request: Request) -> bytes:
    """The body's first part; whoever sends more hears the answer only if it is read as well."""
    body = bytearray()
    async for part in request.stream():
        body += part[: MOST_BYTES - len(body)]
    return bytes(body)
