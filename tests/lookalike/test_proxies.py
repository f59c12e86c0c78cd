"""Proxies of the environment: for Telegram and Azure, never on this machine."""

import io
import socket
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from lookalike.errors import StartError
from lookalike.processes import clean_environment
from lookalike.proxies import proxy_for, secrets
from lookalike.redaction import all_secrets
from tests.commands import run
from tests.lookalike.doctor.findings import failures, one
from tests.stack import create_stack
from tests.waiting import wait_until

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://api.telegram.org", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://api.telegram.org", "http://p:1"),
        ({"HTTPS_PROXY": "p:1"}, "https://api.telegram.org", "http://p:1"),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "socks://q:1"}, "https://a.b", "http://p:1"),
        ({"ALL_PROXY": "http://u:pw@p:1"}, "https://a.b", "http://u:pw@p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "https://a.b", None),
        (
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".telegram.org"},
            "https://api.telegram.org",
            None,
        ),
        ({"HTTPS_PROXY": "socks://p:1", "NO_PROXY": "*"}, "https://a.b", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://127.0.0.1:5000", None),
        ({"ALL_PROXY": "socks://p:1"}, "http://localhost:5000", None),
        ({"ALL_PROXY": "socks://p:1"}, "https://[::1]:5000", None),
    ],
)
def test_the_proxy_of_the_environment(
    environment: dict[str, str],
    url: str,
    proxy: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy


@pytest.mark.parametrize(
    "value", ["socks://p:1", "socks5://p:1", "http://", "http://p:x", "ftp://user:secret@p:1"]
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "all_proxy"])
def test_one_that_cannot_be_used_is_refused_by_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartError, match=rf"^{name} cannot be used for a\.b: .*\.$") as caught:
        proxy_for("https://a.b")
    assert caught.value.exit_code == 78
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("http://p:1", set()),
        ("p:1", set()),
        ("http://ada:word@p:1", {"ada:word", "word"}),
        ("ada:word@p:1", {"ada:word", "word"}),
        ("socks5://a-token@p:1", {"a-token"}),
        ("http://ada:abc@p:1", {"ada:abc"}),
        (
            "http://ada:a%21b%20c@p:1",  # of which yarl makes a!b%20c
            {"ada:a%21b%20c", "a%21b%20c", "ada:a!b c", "a!b c", "ada:a!b%20c", "a!b%20c"},
        ),
        (
            "http://ada:a/b#c@d@[p:1",
            {"ada:a/b#c@d", "a/b#c@d", "ada:a%2Fb%23c%40d", "a%2Fb%23c%40d"},
        ),
    ],
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "all_proxy", "grpc_proxy"])
def test_what_no_log_may_have(
    name: str, value: str, found: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "key=for-the-collector")
    assert set(secrets()) == found
    assert set(all_secrets(["ours"])) == {"ours", "for-the-collector"} | found


@pytest.fixture
def proxy() -> Generator[tuple[str, list[bytes]], None, None]:
    """A proxy that lets nothing through: its address, and the first lines of what it was asked."""
    asked: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                asked.append(connection.recv(1000).partition(b"\r\n")[0])
                connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.long
@pytest.mark.slow
def test_between_the_services_there_is_no_proxy(
    proxy: tuple[str, list[bytes]], tmp_path: Path
) -> None:
    address, asked = proxy
    cat = tmp_path / "cat.jpg"
    file = io.BytesIO()
    Image.fromarray(data.chelsea()).save(file, "JPEG")
    cat.write_bytes(file.getvalue())
    names = [*NAMES[:3], "grpc_proxy"]
    ended = run(
        "demo",
        str(cat),
        folder=tmp_path,
        environment={
            **clean_environment(),
            "LOOKALIKE_HOME": str(tmp_path),
            **dict.fromkeys(names, address),
            **dict.fromkeys(map(str.upper, names), address),
        },
    )
    assert ended.returncode == 0, ended.stdout
    assert asked == []


@pytest.mark.slow
def test_telegram_is_met_by_way_of_the_proxy(
    proxy: tuple[str, list[bytes]], tmp_path: Path
) -> None:
    address, asked = proxy
    settings = {"TELEGRAM_API_URL": "https://telegram.invalid", "CAPTIONER": "offline"}
    with create_stack(tmp_path, {**settings, "HTTPS_PROXY": address}) as stack:
        stack.launch("bot")
        wait_until(lambda: bool(asked))
        assert set(asked) == {b"CONNECT telegram.invalid:443 HTTP/1.1"}


@pytest.mark.slow
def test_an_error_that_quotes_the_proxy_does_not_have_its_password(
    proxy: tuple[str, list[bytes]], tmp_path: Path
) -> None:
    address, _ = proxy
    settings = {
        "CAPTIONER": "azure",
        "AZURE_VISION_ENDPOINT": "https://azure.invalid",
        "AZURE_VISION_KEY": "0123456789abcdef",
        "HTTPS_PROXY": address.replace("//", "//ada:marked%21word@"),
    }
    found = failures(create_stack(tmp_path, settings).environment, "bot", "captioner")
    one(found, "captioner", "Azure AI Vision cannot be reached: 503, message='Service Unavailable'")
    assert "//[redacted]@127.0.0.1:" in str(found)
    assert "marked" not in str(found)


@pytest.mark.long
@pytest.mark.slow
def test_the_bot_and_the_doctor_name_what_cannot_be_used(tmp_path: Path) -> None:
    settings = {"TELEGRAM_API_URL": "https://telegram.invalid", "CAPTIONER": "offline"}
    stack = create_stack(tmp_path, {**settings, "HTTPS_PROXY": "socks://127.0.0.1:1080"})
    said = "HTTPS_PROXY cannot be used for telegram.invalid: write it as"
    ended = run("bot", folder=tmp_path, environment=stack.environment)
    assert ended.returncode == 78
    assert ended.stderr.splitlines()[-1].startswith(f"lookalike bot: {said}")
    assert "Traceback" not in ended.stderr
    assert f"proxy: {said}" in run("doctor", folder=tmp_path, environment=stack.environment).stdout
