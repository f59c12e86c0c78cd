"""What the page asks for and does, as JSON."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from telegram import Bot

from bot import sharing
from bot.callbacks import Action, picture_data
from bot.clients.errors import Conflict, DatabaseError
from bot.refusals import CannotDeliver, Moved, TelegramUnavailable, WrongFile
from bot.services import Services
from bot.texts.refusals import why_refused
from bot.web.gallery import documents
from bot.web.gallery.links import Links
from bot.web.gallery.problems import Problem
from bot.web.gallery.visitors import Visitor, Visitors
from lookalike import tracing
from protos.lookalike.db.v1 import db_pb2 as db

_PAGE: Final = 50
_MOST_BYTES: Final = 1024  # of a request's body

_log = logging.getLogger(__name__)

_Answer = Callable[[Request, Visitor], Awaitable[Response]]


class _Wanted(BaseModel):
    """Another picture: which way it follows, and what the page calls this press."""

    model_config = ConfigDict(extra="forbid")
    way: Action
    request: UUID


class Api:
    """Answers visitors, each with what is theirs."""

    def __init__(
        self,
        services: Services,
        bot: Bot,
        visitors: Visitors,
        links: Links,
        bot_id: int,
        wake: Callable[[], None],
    ) -> None:
        """`wake` has the tick look for work."""
        self._services = services
        self._bot = bot
        self._visitors = visitors
        self._links = links
        self._bot_id = bot_id
        self._wake = wake

    @property
    def routes(self) -> list[Route]:
        """All of them."""
        return [
            self._route("/session", self._open),
            self._route("/pictures", self._list),
            self._route("/pictures/{id:uuid}", self._show),
            self._route("/pictures/{id:uuid}", self._delete, "DELETE"),
            self._route("/pictures/{id:uuid}/star", self._star, "PUT", "DELETE"),
            self._route("/pictures/{id:uuid}/children", self._paint, "POST"),
            self._route("/pictures/{id:uuid}/share", self._share, "POST"),
        ]

    def _route(self, path: str, answer: _Answer, *methods: str) -> Route:
        async def endpoint(request: Request) -> Response:
            visitor = await self._visitors.of(request)
            try:
                response = await answer(request, visitor)
            except DatabaseError as error:
                if (why := why_refused(error, visitor.texts)) is None:
                    raise
                raise Problem("refused", why) from error
            response.headers["Cache-Control"] = "no-store"
            return response

        return Route(f"/api{path}", endpoint, methods=methods or ("GET",))

    async def _open(self, _request: Request, visitor: Visitor) -> Response:
        said = visitor.texts.gallery
        return JSONResponse({"language": visitor.texts.language, "words": said.words})

    async def _list(self, request: Request, visitor: Visitor) -> Response:
        found = await self._services.database.find_pictures(
            db.FindPicturesRequest(
                bot_id=self._bot_id,
                user_id=visitor.user_id,
                page_size=_PAGE,
                cursor=request.query_params.get("cursor", ""),
                with_unsent=True,
            )
        )
        pictures = [self._document(item, visitor) for item in found.items]
        return JSONResponse({"pictures": pictures, "cursor": found.cursor})

    async def _show(self, request: Request, visitor: Visitor) -> Response:
        family = await self._family(request, visitor)
        parent = self._document(family.parent, visitor) if family.HasField("parent") else None
        return JSONResponse(
            {
                "picture": self._document(family.item, visitor),
                "parent": parent,
                "children": [self._document(item, visitor) for item in family.children],
            }
        )

    async def _star(self, request: Request, visitor: Visitor) -> Response:
        item = (await self._family(request, visitor)).item
        await self._services.database.star_generation(
            db.StarGenerationRequest(**self._which(item), starred=request.method == "PUT")
        )
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _delete(self, request: Request, visitor: Visitor) -> Response:
        item, said = (await self._family(request, visitor)).item, visitor.texts.pictures
        try:
            left = await self._services.database.delete_generation(
                db.DeleteGenerationRequest(**self._which(item))
            )
        except Conflict as error:
            raise Problem("unfinished", said.unfinished) from error

        async def clear() -> None:
            """Takes it out of the chat as well, which may wait for its turn at Telegram."""
            try:
                for message_id in left.message_ids:
                    await self._services.messenger.delete(
                        item.photo.chat_id, message_id, said.deleted
                    )
            except (CannotDeliver, Moved, TelegramUnavailable) as error:
                _log.warning("Messages with a deleted picture stay: %s", error)

        return Response(status_code=HTTPStatus.NO_CONTENT, background=BackgroundTask(clear))

    async def _paint(self, request: Request, visitor: Visitor) -> Response:
        wanted = await _body(request, visitor)
        item, said = (await self._family(request, visitor)).item, visitor.texts
        child = documents.ways(item).get(wanted.way)
        if child is None:
            raise Problem("not-found", said.gallery.gone)
        asked = db.CreateGenerationRequest(
            bot_id=self._bot_id,
            chat_id=item.photo.chat_id,
            user_id=visitor.user_id,
            message_id=item.generation.result_message_id,
            request_id=f"gallery:{wanted.request}",
            parent_id=item.generation.id,
            button=picture_data(wanted.way, item.generation.id),
            language_code=visitor.language_code,
            recipe=child.recipe,
            parameters=child.parameters,
            several=child.several,
            exempt=visitor.is_admin,
        )
        with tracing.trace("gallery", kind="server"):
            made = await self._services.database.create_generation(asked)
        self._wake()
        message = said.pictures.coming if made.created else said.pictures.under_way
        return JSONResponse(
            {"created": made.created, "message": message}, status_code=HTTPStatus.ACCEPTED
        )

    async def _share(self, request: Request, visitor: Visitor) -> Response:
        item, said = (await self._family(request, visitor)).item, visitor.texts
        try:
            prepared = await sharing.prepare(self._bot, visitor.user_id, item, said)
        except (CannotDeliver, WrongFile) as error:
            raise Problem("not-shareable", said.gallery.words["share_failed"]) from error
        except TelegramUnavailable as error:
            raise Problem("unavailable", said.gallery.words["share_failed"]) from error
        return JSONResponse({"id": prepared})

    async def _family(self, request: Request, visitor: Visitor) -> db.GetFamilyResponse:
        """The picture of the address, if it is the visitor's. Raises NotFound: it is not."""
        return await self._services.database.get_family(
            db.GetFamilyRequest(
                bot_id=self._bot_id,
                user_id=visitor.user_id,
                generation_id=str(request.path_params["id"]),
            )
        )

    def _which(self, item: db.Item) -> dict[str, Any]:
        return {
            "bot_id": self._bot_id,
            "chat_id": item.photo.chat_id,
            "user_id": item.photo.user_id,
            "generation_id": item.generation.id,
        }

    def _document(self, item: db.Item, visitor: Visitor) -> dict[str, Any]:
        return documents.picture(item, visitor, self._links)


async def _body(request: Request, visitor: Visitor) -> _Wanted:
    """What is wanted. Raises Problem: nothing that there is."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            break
    try:
        return _Wanted.model_validate_json(body[: _MOST_BYTES + 1])
    except ValidationError as error:
        raise Problem("invalid", visitor.texts.gallery.gone) from error
