"""The bot's HTTP front as far as the gallery's page uses it, with pictures that are made up.

A test plays the bot: it changes what there is, makes an answer fail, lets addresses run out.
"""

import asyncio
import socket
import threading
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import bot
from lookalike.web import serve
from tests.browser.gallery import images
from tests.browser.gallery.words import WORDS

INIT_DATA = (
    "user=%7B%22id%22%3A1001%2C%22first_name%22%3A%22Ada%20%2B%20Co%22%7D&auth_date=1&hash=ab"
)
"""What the page has to send as it is: it is not decoded once more, and not encoded again."""

PAGE = 60
"""Pictures in an answer."""

_ASSETS = Path(bot.__path__[0]) / "web" / "gallery" / "assets"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors {parents};"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
_TITLES = (
    "a photographer with a camera on a tripod",
    "a cat on a sofa beside a window",
    "a palace behind a wide lawn, with people walking along the path to its doors on a bright day",
)


@dataclass
class Row:
    """A picture that there is."""

    number: int
    id: str
    starred: bool = False
    parent: str | None = None
    from_photo: bool = True
    shareable: bool = True
    unfinished: bool = False


@dataclass
class Fake:
    """What the bot knows and was asked.

    Attributes:
        rows: the pictures, newest first.
        window: addresses of images are good as long as it stays the same.
        calls: what was asked for, each as "name of the route id".
        bodies: of each press to paint.
        most_at_once: so many requests were answered at the same time at the most, by the last part
            of their path.
        faults: the next answers of a route, (status, code, detail).
        delay: seconds that each answer takes.
        parents: origins that may show the page in a frame.
    """

    rows: list[Row]
    window: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    bodies: list[dict[str, str]] = field(default_factory=list)
    most_at_once: Counter[str] = field(default_factory=Counter)
    faults: dict[str, deque[tuple[int, str, str]]] = field(
        default_factory=lambda: defaultdict(deque)
    )
    delay: float = 0
    parents: str = "'none'"
    _running: Counter[str] = field(default_factory=Counter)

    def fail(self, route: str, status: int, code: str, detail: str, times: int = 1) -> None:
        """Makes the next answers of a route problems."""
        self.faults[route].extend([(status, code, detail)] * times)

    def find(self, identifier: str) -> Row | None:
        """The picture of an id."""
        return next((row for row in self.rows if row.id == identifier), None)

    def shown(self, row: Row) -> dict[str, Any]:
        """A picture as the API has it."""
        kind = row.number % images.KINDS
        width, height = images.size(kind)
        path, query = f"/app/images/{row.id}", f"?kind={kind}&until={self.window}"
        return {
            "id": row.id,
            "title": _TITLES[kind % len(_TITLES)],
            "details": "Cousin · watercolour" if row.number % 2 else "Dream",
            "date": f"Today, {row.number // 60 % 24:02}:{row.number % 60:02}",
            "width": width,
            "height": height,
            "starred": row.starred,
            "thumbnail": f"{path}/thumbnail{query}",
            "image": f"{path}/image{query}",
            "photo": f"{path}/photo{query}" if row.from_photo else None,
            "ways": ["again", "closer", "freer"] if row.from_photo else ["again"],
            "shareable": row.shareable,
        }

    def app(self) -> ASGIApp:
        """The application."""
        routes = [
            Route("/app/", lambda _: FileResponse(_ASSETS / "index.html")),
            Mount("/app/assets", StaticFiles(directory=_ASSETS)),
            Route("/app/images/{id}/{which}", self._image),
            Route("/app/api/session", self._answering("session", self._session)),
            Route("/app/api/pictures", self._answering("pictures", self._pictures)),
            Route("/app/api/pictures/{id}", self._answering("picture", self._picture)),
            Route(
                "/app/api/pictures/{id}",
                self._answering("delete", self._delete),
                methods=["DELETE"],
            ),
            Route(
                "/app/api/pictures/{id}/star",
                self._answering("star", self._star),
                methods=["PUT", "DELETE"],
            ),
            Route(
                "/app/api/pictures/{id}/children",
                self._answering("children", self._paint),
                methods=["POST"],
            ),
            Route(
                "/app/api/pictures/{id}/share",
                self._answering("share", self._share),
                methods=["POST"],
            ),
        ]
        return self._with_policy(Starlette(routes=routes))

    def _with_policy(self, app: ASGIApp) -> ASGIApp:
        """Everything comes with the contract's policy, and counted."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    policy = _POLICY.format(parents=self.parents).encode()
                    message["headers"].append((b"content-security-policy", policy))
                await send(message)

            kind = scope["path"].rpartition("/")[2]
            self._running[kind] += 1
            self.most_at_once[kind] = max(self.most_at_once[kind], self._running[kind])
            try:
                await asyncio.sleep(self.delay)
                await app(scope, receive, send_with_headers)
            finally:
                self._running[kind] -= 1

        return answer

    def _answering(self, name: str, handler: Any) -> Any:
        """A route of the API: it lets in by initData, and fails when it has to."""

        async def answer(request: Request) -> Response:
            self.calls[f"{name} {request.path_params.get('id', '')}".strip()] += 1
            if self.faults[name]:
                return _problem(*self.faults[name].popleft())
            if "authorization" not in request.headers:
                return _problem(401, "no-init-data", "Open the gallery from the chat.")
            if request.headers["authorization"] != f"tma {INIT_DATA}":
                return _problem(401, "bad-init-data", "This is not from Telegram.")
            if "id" in request.path_params:
                row = self.find(request.path_params["id"])
                if row is None:
                    return _problem(404, "not-found", "This picture is no longer there.")
                return await handler(request, row)  # type: ignore[no-any-return]
            return await handler(request)  # type: ignore[no-any-return]

        return answer

    async def _session(self, _: Request) -> Response:
        return JSONResponse({"language": "en", "words": WORDS})

    async def _pictures(self, request: Request) -> Response:
        cursor = request.query_params.get("cursor")
        before = float("inf") if not cursor else int(cursor)
        older = [row for row in self.rows if row.number < before]
        page = older[:PAGE]
        following = str(page[-1].number) if len(older) > PAGE else ""
        return JSONResponse({"pictures": [self.shown(row) for row in page], "cursor": following})

    async def _picture(self, _: Request, row: Row) -> Response:
        parent = self.find(row.parent) if row.parent else None
        return JSONResponse(
            {
                "picture": self.shown(row),
                "parent": self.shown(parent) if parent else None,
                "children": [self.shown(each) for each in self.rows if each.parent == row.id],
            }
        )

    async def _star(self, request: Request, row: Row) -> Response:
        row.starred = request.method == "PUT"
        return Response(status_code=204)

    async def _delete(self, _: Request, row: Row) -> Response:
        if row.unfinished:
            return _problem(409, "unfinished", "It is still being painted.")
        self.rows.remove(row)
        return Response(status_code=204)

    async def _paint(self, request: Request, _: Row) -> Response:
        body = await request.json()
        created = body["request"] not in {each["request"] for each in self.bodies}
        self.bodies.append(body)
        return JSONResponse({"created": created, "message": "On its way."}, status_code=202)

    async def _share(self, _: Request, row: Row) -> Response:
        return JSONResponse({"id": f"prepared-{row.number}"})

    def _image(self, request: Request) -> Response:
        kind, until = int(request.query_params["kind"]), int(request.query_params["until"])
        which = request.path_params["which"]
        self.calls[which] += 1
        if until != self.window:
            return _problem(403, "expired", "")
        if which == "thumbnail":
            return _kept(images.thumbnail(kind), "image/webp")
        if which == "photo":
            return _kept(images.photo(kind), "image/jpeg")
        return _kept(images.picture(kind), "image/png")


def _kept(body: bytes, media_type: str) -> Response:
    return Response(body, media_type=media_type, headers={"Cache-Control": "private, max-age=600"})


def _problem(status: int, code: str, detail: str) -> Response:
    problem = {"status": status, "code": code, "detail": detail}
    return JSONResponse(problem, status_code=status, media_type="application/problem+json")


def made(count: int) -> Fake:
    """So many pictures; every fourth is painted from the one before."""
    rows = [Row(number, str(uuid.UUID(int=number))) for number in range(count, 0, -1)]
    for older, newer in zip(rows[1:], rows, strict=False):
        if newer.number % 4 == 0:
            newer.parent = older.id
    return Fake(rows)


@contextmanager
def served(app: ASGIApp) -> Generator[str]:
    """Serves an application in a thread; gives its origin."""
    bound = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve(app, bound, stop))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
