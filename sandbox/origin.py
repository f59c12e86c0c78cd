"""Against forged requests: only this server's own pages, and programs, may act here."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class SameOrigin:
    """Refuses requests that a browser sends for a page from elsewhere.

    A browser sends the page's origin with every request that may change something (Fetch Standard,
    "Origin header"); a program sends none.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or refuses it."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin is not None and urlsplit(origin).netloc != headers.get("host"):
                refusal = JSONResponse({"detail": "another site's page may not act here"}, 403)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
