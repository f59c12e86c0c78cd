"""The examples for web servers in front of the bot, run by these where they are installed."""

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.web import webhook
from bot.web.app import create_app
from lookalike import lifecycle, web
from tests.docs import documents
from tests.stack import free_port
from tests.waiting import eventually

pytestmark = pytest.mark.slow

PATH = "/usr/sbin:/usr/bin:/bin"
HOST = "bot.example.org"
SECRET = "5ecret" * 10
HEADER = "X-Telegram-Bot-Api-Secret-Token"


def example(language: str, bot: str) -> str:
    """The block of running.md, whose bot listens there."""
    (block,) = documents.blocks(language)
    assert block.document == "docs/running.md"
    assert "127.0.0.1:5003" in block.text
    return block.text.replace("127.0.0.1:5003", bot)


def caddy(folder: Path, bot: str, port: int) -> list[str]:
    text = example("caddyfile", bot)
    assert text.startswith(f"{HOST} {{\n")
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    ours = f"{HOST}:{port} {{\n\ttls {folder / 'cert.pem'} {folder / 'key.pem'}\n"
    path = folder / "Caddyfile"
    path.write_text(options + text.replace(f"{HOST} {{\n", ours))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(path)]


def nginx(folder: Path, bot: str, port: int) -> list[str]:
    text = example("nginx", bot).replace("listen 443", f"listen 127.0.0.1:{port}")
    for name in ("fullchain", "privkey"):
        ours = {"fullchain": "cert", "privkey": "key"}[name]
        text = text.replace(f"/etc/letsencrypt/live/{HOST}/{name}.pem", f"{folder}/{ours}.pem")
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; events {{}}"
        f" http {{ access_log off; {temporary} {text} }}"
    )
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(path)]


Front = Callable[[Path, str, int], list[str]]

IN_FRONT = pytest.mark.parametrize(
    "front",
    [
        pytest.param(
            front,
            marks=pytest.mark.skipif(
                not all(shutil.which(name, path=PATH) for name in (front.__name__, "openssl")),
                reason=f"{front.__name__} or openssl is not installed",
            ),
            id=front.__name__,
        )
        for front in (caddy, nginx)
    ],
)


def _make_certificate(folder: Path) -> ssl.SSLContext:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", f"/CN={HOST}"]
    command += ["-addext", f"subjectAltName=DNS:{HOST}"]
    command += ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
    subprocess.run(command, check=True, capture_output=True)
    return ssl.create_default_context(cafile=f"{folder}/cert.pem")


@asynccontextmanager
async def bot_front(taken: list[bytes]) -> AsyncIterator[str]:
    """The bot's HTTP front, with a page where the gallery is; gives its address."""

    async def take(data: bytes) -> bool:
        taken.append(data)
        return True

    async def page(request: Request) -> Response:
        return PlainTextResponse(f"{request.url.path} {request.headers['Host']}")

    routes = [webhook.route(SECRET, take), Route("/app", page), Route("/app/{rest:path}", page)]
    bound, stop = lifecycle.bind("127.0.0.1:0", "BOT_LISTEN"), asyncio.Event()
    serving = asyncio.create_task(web.serve(create_app([], [], routes), bound, stop))
    try:
        yield lifecycle.address_of(bound)
    finally:
        stop.set()
        await serving


@asynccontextmanager
async def in_front(front: Front, folder: Path, bot: str) -> AsyncIterator[httpx.AsyncClient]:
    """Runs a web server with its example; gives a client that takes it for HOST."""
    context, port = _make_certificate(folder), free_port()
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *front(folder, bot, port), env={"HOME": str(folder), "PATH": PATH}, stderr=log
        )
    try:
        async with httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{port}", verify=context, trust_env=False, timeout=20
        ) as http:
            http.headers["Host"] = HOST

            async def answers() -> bool | None:
                assert process.returncode is None, (folder / "log").read_text()
                with contextlib.suppress(httpx.ConnectError):
                    await http.get("/", extensions={"sni_hostname": HOST})
                    return True
                return None

            await eventually(answers)
            yield http
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 10)


@pytest.mark.long
@IN_FRONT
async def test_what_is_in_front_passes_on_what_it_should_and_no_more(
    front: Front, tmp_path: Path
) -> None:
    taken: list[bytes] = []

    async def post(secret: str = SECRET, content: bytes = b"{}") -> httpx.Response:
        return await http.post(
            webhook.PATH, content=content, headers={HEADER: secret}, extensions=as_host
        )

    as_host = {"sni_hostname": HOST}
    async with contextlib.AsyncExitStack() as stack:
        bot = await stack.enter_async_context(bot_front(taken))
        http = await stack.enter_async_context(in_front(front, tmp_path, bot))
        assert (await post()).status_code == 200
        assert (await post("wrong")).status_code == 403
        assert (await post(content=b"x" * 3 * webhook.MOST_BYTES)).status_code == 200
        assert [len(data) for data in taken] == [2, webhook.MOST_BYTES]
        for path in ("/app", "/app/", "/app/js/main.js"):
            answer = await http.get(path, extensions=as_host)
            assert (answer.status_code, answer.text) == (200, f"{path} {HOST}")
        for path in (
            "/",
            "/health/live",
            "/health/ready",
            "/metrics",
            "/apple",
            "/telegram/",
            "/app/../health/live",
        ):
            assert (await http.get(path, extensions=as_host)).status_code == 404, path
        await asyncio.sleep(5.5)  # the bot closes idle connections meanwhile
        answers = await asyncio.gather(*(post() for _ in range(40)))
        assert {answer.status_code for answer in answers} == {200}


@IN_FRONT
async def test_while_the_bot_is_down_telegram_is_to_come_again(
    front: Front, tmp_path: Path
) -> None:
    async with in_front(front, tmp_path, f"127.0.0.1:{free_port()}") as http:
        answer = await http.post(webhook.PATH, content=b"{}", extensions={"sni_hostname": HOST})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
