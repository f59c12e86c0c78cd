"""The chat page: a small messenger in the browser, served at `/` from `assets/`.

It uses the people's API (`sandbox.people`) and nothing else. It is plain HTML, CSS and ES modules:
the browser gets what is in `assets/`.
"""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_ASSETS = Path(__file__).parent / "assets"
_HEADERS = {
    # Nothing comes from elsewhere, nothing is inline, and no text is ever read as HTML. Frames are
    # Mini Apps, of this machine only: an address elsewhere would be a way out.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
        " connect-src 'self'; frame-src http://127.0.0.1:* http://localhost:*;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # another version of the package has other assets
}

router = APIRouter()


def add_page(app: FastAPI) -> None:
    """Adds the page and its assets to the application."""
    app.include_router(router)
    app.mount("/page", _Assets(directory=_ASSETS))


@router.get("/")
async def show_page() -> FileResponse:
    """The page itself."""
    return FileResponse(_ASSETS / "index.html", headers=_HEADERS)


class _Assets(StaticFiles):
    """The files of the page, with the page's headers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_HEADERS)
        return response
