"""A Hugging Face hub on loopback, for the few requests that fetching a model makes."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

_COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Serves one repository from a folder.

    Attributes:
        requests: the path of every request so far.
        ranges: the Range of every request for a file that had one.
        cut: how many bytes of a body are sent before the connection ends; None: all.
        surplus: what is sent after each file.
        packed: what is sent in place of each file, as gzip.
        licence: what the model's card says.
    """

    daemon_threads = True

    def __init__(self, repository: str, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repository = repository
        self.folder = folder
        self.requests: list[str] = []
        self.ranges: list[str] = []
        self.cut: int | None = None
        self.surplus = b""
        self.packed = b""
        self.licence = "creativeml-openrail-m"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        hub = self.server
        path = unquote(urlsplit(self.path).path)
        hub.requests.append(path)
        files = sorted(file for file in hub.folder.rglob("*") if file.is_file())
        names = {file.relative_to(hub.folder).as_posix(): file for file in files}
        api = f"/api/models/{hub.repository}"
        resolve = f"/{hub.repository}/resolve/"
        headers = {"X-Repo-Commit": _COMMIT, "Content-Type": "application/json"}
        status, body = 200, b""
        if path in {api, f"{api}/revision/main", f"{api}/revision/{_COMMIT}"}:
            siblings = [
                {"rfilename": name, "size": file.stat().st_size} for name, file in names.items()
            ]
            info = {"id": hub.repository, "sha": _COMMIT, "siblings": siblings}
            body = json.dumps({**info, "cardData": {"license": hub.licence}}).encode()
        elif path.startswith(f"{api}/tree/"):
            body = json.dumps(
                [
                    {
                        "type": "file",
                        "path": name,
                        "size": file.stat().st_size,
                        "oid": hashlib.sha1(file.read_bytes()).hexdigest(),
                    }
                    for name, file in names.items()
                ]
            ).encode()
        elif path.startswith(resolve) and (
            file := names.get(path[len(resolve) :].partition("/")[2])
        ):
            body = file.read_bytes()
            large = file.suffix == ".safetensors"  # the hub names these by their sha256
            digest = hashlib.sha256(body) if large else hashlib.sha1(body)
            headers["ETag"] = f'"{digest.hexdigest()}"'
            if with_body and (wanted := self.headers.get("Range")):
                hub.ranges.append(wanted)
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                status, body = 206, body[start:] + hub.surplus
                if hub.packed:
                    body, headers["Content-Encoding"] = hub.packed, "gzip"
        else:
            status = 404
            headers["X-Error-Code"] = "RepoNotFound"
            headers["X-Error-Message"] = "Repository not found"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body[: hub.cut] if path.startswith(resolve) else body)

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


@contextmanager
def serve(repository: str, folder: Path) -> Iterator[Hub]:
    hub = Hub(repository, folder)
    thread = threading.Thread(target=hub.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        thread.join()
        hub.server_close()
