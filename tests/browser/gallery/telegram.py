"""A Telegram around the page: an app's web view, or a page with the gallery in a frame."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.browser.gallery.fake import INIT_DATA

DAY: Mapping[str, str] = {
    "bg_color": "#ffffff",
    "secondary_bg_color": "#f4f4f5",
    "text_color": "#000000",
    "hint_color": "#707579",
    "link_color": "#3390ec",
    "button_color": "#3390ec",
    "button_text_color": "#ffffff",
    "accent_text_color": "#3390ec",
    "destructive_text_color": "#df3f40",
}
"""About what Telegram sends by day: some of it is too pale for text."""

NIGHT: Mapping[str, str] = {
    "bg_color": "#212121",
    "secondary_bg_color": "#181818",
    "text_color": "#ffffff",
    "hint_color": "#aaaaaa",
    "link_color": "#8774e1",
    "button_color": "#8774e1",
    "button_text_color": "#ffffff",
    "accent_text_color": "#8774e1",
    "destructive_text_color": "#ff595a",
}

_WEB_VIEW = """
    window.posted = [];
    window.TelegramWebviewProxy = {
        postEvent: (type, data) => window.posted.push({type, data: JSON.parse(data)}),
    };
"""
_FRAME = """<!doctype html><html lang="en"><title>Telegram</title>
<style>body { margin: 0 } iframe { width: 100vw; height: 100vh; border: 0 }</style>
<iframe title="The gallery"></iframe>
<script>
    window.posted = [];
    const frame = document.querySelector("iframe");
    addEventListener("message", (event) => {
        if (event.source !== frame.contentWindow) return;
        const {eventType, eventData} = JSON.parse(event.data);
        window.posted.push({type: eventType, data: eventData});
    });
    frame.src = location.hash.slice(1);
</script>"""


def address(origin: str, theme: Mapping[str, str] | None = None, init_data: str = INIT_DATA) -> str:
    """The page's, as Telegram opens it."""
    given = {
        "tgWebAppData": init_data,
        "tgWebAppVersion": "9.1",
        "tgWebAppPlatform": "weba",
        "tgWebAppThemeParams": json.dumps(dict(theme or {})),
    }
    return f"{origin}/app/#" + "&".join(f"{name}={quote(text, '')}" for name, text in given.items())


def frames() -> ASGIApp:
    """Telegram Web: `/#` with an address shows that in a frame."""

    async def show(_: Request) -> HTMLResponse:
        return HTMLResponse(_FRAME)

    return Starlette(routes=[Route("/", show)])


@dataclass(frozen=True)
class Telegram:
    """What is around the page.

    Attributes:
        page: of the browser.
        framed: whether the gallery is in a frame of it.
    """

    page: Page
    framed: bool = False

    async def become(self) -> None:
        """Puts an app's web view around the page, before it is opened."""
        await self.page.add_init_script(_WEB_VIEW)

    async def posted(self, kind: str) -> list[dict[str, Any]]:
        """What the gallery has told of a kind."""
        script = "kind => window.posted.filter(({type}) => type === kind).map(({data}) => data)"
        found: list[dict[str, Any]] = await self.page.evaluate(script, kind)
        return found

    async def until_posted(self, kind: str) -> dict[str, Any]:
        """Waits for the gallery to tell something; gives the last of the kind."""
        script = "kind => window.posted.findLast(({type}) => type === kind)?.data"
        found = await self.page.wait_for_function(script, arg=kind)
        told: dict[str, Any] = await found.json_value()
        return told

    async def tell(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        """Tells the gallery something."""
        if self.framed:
            script = """([type, data]) => document.querySelector("iframe").contentWindow
                .postMessage(JSON.stringify({eventType: type, eventData: data}), "*")"""
        else:
            script = "([type, data]) => window.Telegram.WebView.receiveEvent(type, data)"
        await self.page.evaluate(script, [kind, dict(data or {})])
