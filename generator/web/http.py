"""What all requests have in common: the token, the body, Accept, and entity tags."""

import asyncio
import errno
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from email.message import Message
from pathlib import Path
from typing import IO
from uuid import UUID

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from generator.web import problems
from generator.web.problems import Code, Problem
from lookalike import disk
from lookalike.tokens import same_token

XML_TYPES = ("application/xml", "text/xml")
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")
MAX_BODY_BYTES = 64 * 1024
MAX_IMAGE_BYTES = 20 * 1024 * 1024

_BODY_SECONDS = 30.0
_DRAIN_BYTES = 16 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def problem_response(problem: Problem) -> Response:
    """The one shape of every error."""
    return Response(
        problems.write(problem),
        status_code=problem.code.status,
        headers=problem.headers,
        media_type=problems.MEDIA_TYPE,
    )


class Authentication:
    """Demands the bearer token on every path but the open ones (RFC 6750)."""

    def __init__(self, app: ASGIApp, token: str, open_paths: frozenset[str]) -> None:
        self._app = app
        self._token = token
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers 401."""
        if scope["type"] == "http" and scope["path"] not in self._open_paths:
            given = Headers(scope=scope).get("authorization", "")
            scheme, _, token = given.partition(" ")
            if scheme.lower() != "bearer" or not same_token(token.strip(), self._token):
                problem = Problem(
                    Code.UNAUTHORIZED,
                    "Send Authorization: Bearer and the service token.",
                    headers={"WWW-Authenticate": "Bearer"},
                )
                await problem_response(problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def parse_id(text: str) -> UUID:
    """The UUID in a path, in either case.

    Raises:
        Problem: it is none.
    """
    if not _UUID.fullmatch(text):
        raise Problem(Code.NOT_A_UUID, "Write the id as 8-4-4-4-12 hex digits.")
    return UUID(text)


def parse_ids(texts: Sequence[str], most: int) -> list[UUID]:
    """The UUIDs in a query.

    Raises:
        Problem: there is none, there are too many, or one is no UUID.
    """
    if not 1 <= len(texts) <= most or not all(_UUID.fullmatch(text) for text in texts):
        raise Problem(Code.INVALID_QUERY, f"Ask for 1 to {most} UUIDs: ?id=...&id=...")
    return [UUID(text) for text in texts]


def parse_sha256(text: str) -> str:
    """The checksum in a path, in lower case.

    Raises:
        Problem: it is none.
    """
    if not _SHA256.fullmatch(text):
        raise Problem(Code.NOT_A_CHECKSUM, "Write the SHA-256 of the file as 64 hex digits.")
    return text.lower()


def negotiate(request: Request, offers: Sequence[str]) -> str:
    """The offer that the caller's Accept header likes best; of equals the first (RFC 9110, 12.5.1).

    Raises:
        Problem: it excludes them all.
    """
    accept = ",".join(request.headers.getlist("accept")) or "*/*"
    qualities = {offer: _quality(accept, offer) for offer in offers}
    best = max(offers, key=lambda offer: qualities[offer])
    if not qualities[best]:
        raise Problem(Code.NOT_ACCEPTABLE, f"There is {' and '.join(offers)}.")
    return best


def _quality(accept: str, offer: str) -> float:
    """The q of the most specific range that the type falls in; 0 if it falls in none."""
    ranges = ("*/*", f"{offer.partition('/')[0]}/*", offer)
    specificity, quality = -1, 0.0
    for part in accept.split(","):
        media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if media_range in ranges and ranges.index(media_range) > specificity:
            specificity = ranges.index(media_range)
            weights = [value[2:] for value in parameters if value.startswith("q=")]
            quality = _weight(weights[0]) if weights else 1.0
    return quality


def _weight(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](\.\d{0,3})?", text) else 0.0


async def xml_body(request: Request) -> tuple[bytes, str | None]:
    """The request's XML document, and its encoding where the header says it.

    Raises:
        Problem: it is of another type, too large, or too slow.
    """
    encoding = _encoding(request)
    body = bytearray()

    async def take(part: bytes) -> None:
        body.extend(part)

    await _receive(request, MAX_BODY_BYTES, take)
    return bytes(body), encoding


@asynccontextmanager
async def image_body(request: Request, folder: Path) -> AsyncGenerator[IO[bytes]]:
    """The request's image as a file without a name, which is gone afterwards.

    On the disk, however many come at once, and not in memory.

    Args:
        request: whose body it is.
        folder: on the disk that it may use.

    Raises:
        Problem: it is of another type, too large, or too slow.
        OSError: the disk fails, or what is left is not for what is begun.
    """
    if not _is_plain(request, IMAGE_TYPES):
        raise _unsupported(IMAGE_TYPES, "uncompressed")
    # Opened and closed on the event loop, as a cancelled call waits for no thread.
    with tempfile.TemporaryFile(dir=folder) as file:

        def write(part: bytes) -> None:
            if disk.is_nearly_full(folder):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
            file.write(part)

        async def take(part: bytes) -> None:
            await asyncio.to_thread(write, part)

        await _receive(request, MAX_IMAGE_BYTES, take)
        file.seek(0)
        yield file


async def _receive(request: Request, most: int, take: Callable[[bytes], Awaitable[None]]) -> None:
    size = 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= most:
                    await take(chunk)
                elif size > most + _DRAIN_BYTES:
                    break
    except TimeoutError:
        raise Problem(Code.BODY_TOO_SLOW, f"Send it within {_BODY_SECONDS:g} s.") from None
    except ClientDisconnect:  # nobody reads this answer, but the fault is not ours
        raise Problem(Code.BAD_REQUEST, "The body broke off.") from None
    if size > most:
        # What was sent so far was read all the same: a caller still sending would see a broken
        # connection instead of this answer.
        raise Problem(Code.BODY_TOO_LARGE, f"Send at most {most} bytes.")


def _encoding(request: Request) -> str | None:
    charset = str(_content_type(request).get_param("charset", "")).lower()
    if charset not in {"", "utf-8"} or not _is_plain(request, XML_TYPES):
        raise _unsupported(XML_TYPES, "uncompressed, in UTF-8 or without a charset")
    return charset or None


def _is_plain(request: Request, types: Sequence[str]) -> bool:
    """Whether the body is of one of these types, as it is."""
    coding = request.headers.get("content-encoding", "identity").lower()
    return coding == "identity" and _content_type(request).get_content_type() in types


def _unsupported(types: Sequence[str], how: str) -> Problem:
    headers = {"Accept": ", ".join(types), "Accept-Encoding": "identity"}
    detail = f"Send {' or '.join(types)}, {how}."
    return Problem(Code.UNSUPPORTED_MEDIA_TYPE, detail, headers=headers)


def _content_type(request: Request) -> Message:
    header = Message()
    header["content-type"] = request.headers.get("content-type", "application/octet-stream")
    return header


def entity_tag(content: bytes) -> str:
    """A strong entity tag for these bytes."""
    return f'"{hashlib.sha256(content).hexdigest()}"'


def not_modified(request: Request, tag: str) -> bool:
    """Whether If-None-Match says that the caller has it (RFC 9110, 13.1.2)."""
    tags = [
        part.strip().removeprefix("W/")
        for header in request.headers.getlist("if-none-match")
        for part in header.split(",")
    ]
    return tag in tags or "*" in tags
