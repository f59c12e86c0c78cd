"""`lookalike demo` without a photo: the page, until somebody stops it."""

import os
import re
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests

from lookalike.errors import StartError
from lookalike.processes import clean_environment
from tests.commands import Command, started
from tests.stack import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

PHOTO = Path(__file__).parents[1] / "photos" / "palace.jpg"


@dataclass(frozen=True)
class Demo:
    """The command, as it runs in a terminal of its own; its page's address, and its services."""

    command: Command
    url: str
    children: list[psutil.Process]

    def wait_until_ready(self) -> None:
        self.command.wait_for("Everything is ready")

    def end(self) -> int:
        """Waits for the end, at which nothing may be left; gives the exit code."""
        code = self.command.end()
        _, alive = psutil.wait_procs(self.children, timeout=20)
        assert alive == []
        return code


@contextmanager
def running(home: Path, *options: str, **settings: str) -> Generator[Demo, None, None]:
    """A demo with all its services started; the models are loading."""
    environment = {**clean_environment(), "LOOKALIKE_HOME": str(home), **settings}
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):  # there is nobody to look at a browser
        environment.pop(name, None)
    with started("demo", *options, folder=home, environment=environment) as command:
        command.wait_for("Ctrl-C stops everything")
        process = psutil.Process(command.popen.pid)
        wait_until(lambda: len(process.children()) == 4)
        url = command.wait_for(r"http://127\.0\.0\.1:\d+/")[0]
        yield Demo(command, url, process.children())


def photo_in_group_is_answered(people: str) -> None:
    """A sample that is clicked has no words that could mention the bot."""
    ada = requests.post(f"{people}/users", json={"first_name": "Ada"}, timeout=10).json()["id"]
    group = {"type": "group", "title": "The club", "members": [ada]}
    chat = requests.post(f"{people}/chats", json=group, timeout=10).json()["id"]
    messages = f"{people}/chats/{chat}/messages"
    photo = {"photo": PHOTO.read_bytes()}
    requests.post(messages, {"user": ada}, files=photo, timeout=10).raise_for_status()
    wait_until(lambda: "says the offline captioner" in requests.get(messages, timeout=10).text, 60)


@pytest.mark.long
def test_the_page_is_served_and_ctrl_c_stops_everything(tmp_path: Path) -> None:
    with running(tmp_path) as demo:
        page = requests.get(demo.url, timeout=10)
        assert page.status_code == 200
        assert "<title>Lookalike</title>" in page.text
        assert "small model" in requests.get(f"{demo.url}sandbox/bot", timeout=10).json()["note"]
        demo.wait_until_ready()
        bot = requests.get(f"{demo.url}sandbox/bot", timeout=10).json()
        assert bot["webhook"].endswith("/telegram/webhook")
        assert bot["listening"]
        photo_in_group_is_answered(f"{demo.url}sandbox")
        os.killpg(demo.command.popen.pid, signal.SIGINT)  # what a terminal sends
        assert demo.end() == 0
    assert "drop one of your own" in demo.command.output
    assert "Stopped." in demo.command.output
    logs = "".join(path.read_text() for path in (tmp_path / "demo" / "logs").iterdir())
    assert "Traceback" not in logs


@pytest.mark.long
def test_a_taken_port_is_said_and_sigterm_stops_everything(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # somebody else has it, which serves as well
            taken.bind(("127.0.0.1", 5000))
            taken.listen()
        with running(tmp_path) as demo:
            assert not demo.url.endswith(":5000/")
            assert "Port 5000 is taken; the page is on another one." in demo.command.output
            demo.command.popen.terminate()
            assert demo.end() == 143


@pytest.mark.long
def test_the_port_is_the_settings_or_the_one_that_is_given(tmp_path: Path) -> None:
    wanted = free_port()
    listen = {"SANDBOX_LISTEN": f"127.0.0.1:{wanted}", "DISPLAY": ":99"}
    with running(tmp_path, "--no-browser", **listen) as demo:
        assert demo.url == f"http://127.0.0.1:{wanted}/"
        demo.wait_until_ready()
        assert f"ssh -L {wanted}:127.0.0.1:{wanted} -L " in demo.command.output
        demo.command.popen.terminate()
        assert demo.end() == 143
    given = free_port()
    with running(tmp_path, "--no-browser", "--port", str(given), **listen) as demo:
        assert demo.url == f"http://127.0.0.1:{given}/"
        demo.command.popen.terminate()
        assert demo.end() == 143


@pytest.mark.long
@pytest.mark.parametrize(("name", "when"), [("generator", "ready"), ("bot", "loading")])
def test_a_process_that_dies_ends_the_demo_with_a_sentence(
    tmp_path: Path, name: str, when: str
) -> None:
    with running(tmp_path) as demo:
        if when == "ready":
            demo.wait_until_ready()
        (victim,) = (child for child in demo.children if child.cmdline()[-1] == name)
        victim.kill()
        assert demo.end() == StartError.EXIT_CODE
    assert re.search(
        rf"lookalike demo: {name} has ended; its log is .*/{name}\.log\.", demo.command.output
    )
