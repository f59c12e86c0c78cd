"""Requests as spans, by hand: FastAPI's own would tell of their URLs."""

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lookalike import tracing

_BEGIN: Final = frozenset({"PUT", "POST"})
"""Methods that begin something, and so a trace, if the caller has none."""

_KNOWN: Final = _BEGIN | {"GET", "HEAD", "DELETE"}

_SERVER_ERROR = 500


class Traced:
    """Traces requests that are a part of something, or begin it; by their routes, not their paths.

    It stands behind `Authentication`, and leaves alone the paths that are open to all: no stranger
    makes spans.
    """

    def __init__(self, app: ASGIApp, open_paths: frozenset[str]) -> None:
        self._app = app
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http" or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _KNOWN else "HTTP"
        parent = tracing.well_formed(Headers(scope=scope).get(tracing.HEADER, ""))
        if parent or method not in _BEGIN:
            span = tracing.span(method, kind="server", parent=parent)
        else:
            span = tracing.trace(method, kind="server")
        status = 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                span.set("http.response.status_code", status)
                span.rename(f"{method} {_route(scope)}".rstrip())
            await send(message)

        with span:
            await self._app(scope, receive, tell)
            if status >= _SERVER_ERROR:
                span.end(str(status))


def _route(scope: Scope) -> str:
    """As it was declared, such as `/v1/jobs/{job_id}`; empty: there is none for this path."""
    return getattr(scope.get("route"), "path", "")
