"""A Mini App of a page: it says what it was told and hears, and posts what a test has it post."""

from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from playwright.async_api import Frame, Locator, Page, expect

_PAGE = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Tiny app</title>
<main><h1>Tiny app</h1><button>A button</button><ol></ol></main>
<script>
  const told = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const host = new URL(document.referrer).origin;
  const post = (eventType, eventData) =>
    parent.postMessage(JSON.stringify({ eventType, eventData }), host);
  addEventListener("message", ({ data, origin, source }) => {
    if (source !== parent || origin !== host) return;
    const heard = document.createElement("li");
    heard.textContent = data;
    document.querySelector("ol").append(heard);
  });
  post("iframe_ready");
  post("web_app_ready");
</script>
</html>"""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.end_headers()
        self.wfile.write(_PAGE)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def serving() -> Generator[str]:
    """Serves it on loopback; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/app/"
        server.shutdown()
        thread.join()


class TinyApp:
    """The app as it is open in a page."""

    def __init__(self, sheet: Locator, frame: Frame) -> None:
        self.sheet = sheet
        self.frame = frame

    @property
    def heard(self) -> Locator:
        """What the page has posted to it, each as JSON."""
        return self.frame.locator("li")

    async def post(self, event: str, data: object = None) -> None:
        await self.frame.evaluate("([event, data]) => post(event, data)", [event, data])

    async def told(self) -> dict[str, str]:
        """What its address says, by name."""
        told: dict[str, str] = await self.frame.evaluate("told")
        return told


async def opened(page: Page) -> TinyApp:
    """The app, once it is there."""
    sheet = page.get_by_role("dialog", name="Lookalike")
    element = sheet.locator("iframe")
    await expect(element.content_frame.get_by_role("heading")).to_be_visible()
    frame = await (await element.element_handle()).content_frame()
    assert frame is not None
    return TinyApp(sheet, frame)
