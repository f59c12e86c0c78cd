"""The page: plain HTML, CSS and ES modules, served as they lie in `assets/`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_ASSETS: Final = Path(__file__).parent / "assets"

TELEGRAM_WEB: Final = "https://*.telegram.org"
"""Where Telegram's own web clients are, which show the page in a frame."""

LOOPBACK: Final = "http://127.0.0.1:* http://localhost:*"
"""Likewise, where Telegram is on this machine."""


def routes(frame_ancestors: str) -> list[BaseRoute]:
    """GET of the page and of its files.

    Args:
        frame_ancestors: who may show the page in a frame, as Content-Security-Policy has it.
    """
    headers = _headers(frame_ancestors)

    async def show(_request: Request) -> Response:
        return FileResponse(_ASSETS / "index.html", headers=headers)

    return [Route("/", show), Mount("/assets", _Assets(headers))]


def _headers(frame_ancestors: str) -> Mapping[str, str]:
    return {
        # Nothing comes from elsewhere, nothing is inline, and no text is ever read as HTML.
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            " connect-src 'self'; base-uri 'none'; form-action 'none';"
            f" frame-ancestors {frame_ancestors};"
            " require-trusted-types-for 'script'; trusted-types 'none'"
        ),
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",  # another version of the package has other assets
    }


class _Assets(StaticFiles):
    """The files of the page, with the page's headers."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(directory=_ASSETS)
        self._headers = headers

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file; see `StaticFiles`."""
        response = await super().get_response(path, scope)
        response.headers.update(self._headers)
        return response
