"""The images of the gallery: thumbnails, pictures, and the photos that they were painted for."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.clients.dbservice import DatabaseClient
from bot.web.gallery.links import Kind, Link, Links
from bot.web.gallery.visitors import Visitors
from protos.lookalike.db.v1 import db_pb2 as db

_FORMATS: Final[Mapping[str, db.ThumbnailFormat]] = {
    "image/avif": db.THUMBNAIL_FORMAT_AVIF,
    "image/webp": db.THUMBNAIL_FORMAT_WEBP,
}
"""What a thumbnail is encoded as, the smallest first; else it is a JPEG."""

_SAVED: Final = {"Content-Disposition": 'attachment; filename="lookalike.png"'}
"""How Telegram's apps are told to keep a file (core.telegram.org/bots/webapps, downloadFile)."""

_NUMBER: Final = re.compile(r"[0-9]{1,16}")
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")


class Images:
    """Answers whoever has a signed address, as long as its user may use the bot."""

    def __init__(self, database: DatabaseClient, visitors: Visitors, links: Links) -> None:
        """`database` has the images, and knows whose they are."""
        self._database = database
        self._visitors = visitors
        self._links = links

    @property
    def route(self) -> Route:
        """GET of all of them."""
        return Route("/images/{kind}/{id:uuid}", self._show)

    async def _show(self, request: Request) -> Response:
        link, signature = _link(request), request.query_params.get("s", "")
        left = 0
        if link is not None and _SIGNATURE.fullmatch(signature):
            left = self._links.seconds_left(link, signature)
        if link is None or left == 0:
            return PlainTextResponse("This address is not good any more.\n", HTTPStatus.FORBIDDEN)
        if not (await self._visitors.standing(link.user_id)).may_use:
            return PlainTextResponse("Not for you.\n", HTTPStatus.FORBIDDEN)
        parts = self._database.open_image(_wanted(link, request.headers.get("Accept", "")))
        first = await anext(parts)
        return StreamingResponse(
            _chunks(parts),
            headers={
                "Content-Length": str(first.info.size),
                **(_SAVED if link.kind is Kind.IMAGE else {}),
                "Cache-Control": f"private, max-age={left}, immutable",
                "Vary": "Accept",
                "Cross-Origin-Resource-Policy": "same-origin",
                "X-Content-Type-Options": "nosniff",
            },
            media_type=first.info.media_type,
        )


def _wanted(link: Link, accepted: str) -> db.GetImageRequest:
    """What an address asks dbservice for; `accepted` is what the browser takes."""
    if link.kind is Kind.PHOTO:
        return db.GetImageRequest(photo_id=link.id, user_id=link.user_id)
    wanted = db.GetImageRequest(generation_id=link.id, user_id=link.user_id)
    if link.kind is Kind.THUMBNAIL:
        named = (how for name, how in _FORMATS.items() if name in accepted)
        wanted.thumbnail = next(named, db.THUMBNAIL_FORMAT_JPEG)
    return wanted


def _link(request: Request) -> Link | None:
    kind, query = request.path_params["kind"], request.query_params
    user, expires = query.get("u", ""), query.get("e", "")
    if kind not in {*Kind} or not (_NUMBER.fullmatch(user) and _NUMBER.fullmatch(expires)):
        return None
    return Link(Kind(kind), str(request.path_params["id"]), int(user), int(expires))


async def _chunks(parts: AsyncGenerator[db.GetImageResponse]) -> AsyncGenerator[bytes]:
    async with aclosing(parts):
        async for part in parts:
            yield part.chunk
