"""`lookalike demo` without a photo: the page, until somebody stops it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import requests

from lookalike.errors import StartError
from lookalike.processes import clean_environment


class Demo:
    """The command, as it runs in a terminal of its own, and what it has printed."""

    def __init__(self, home: Path) -> None:
        environment = {**clean_environment(), "LOOKALIKE_HOME": str(home)}
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):  # there is nobody to look at a browser
            environment.pop(name, None)
        self.popen = subprocess.Popen(
            [sys.executable, "-P", "-m", "lookalike", "demo"],
            env=environment,
            cwd=home,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.output = ""
        self.children: list[psutil.Process] = []

    def wait_for(self, words: str) -> None:
        assert self.popen.stdout is not None
        while words not in self.output:
            line = self.popen.stdout.readline()
            assert line, self.output
            self.output += line

    @property
    def url(self) -> str:
        match = re.search(r"http://127\.0\.0\.1:\d+/", self.output)
        assert match, self.output
        return match.group(0)

    def end(self) -> int:
        """Waits for the end, at which nothing may be left; gives the exit code."""
        assert self.popen.stdout is not None
        self.output += self.popen.stdout.read()
        code = self.popen.wait(30)
        self.popen.stdout.close()
        _, alive = psutil.wait_procs(self.children, timeout=20)
        assert alive == []
        return code


@contextmanager
def running(home: Path) -> Generator[Demo, None, None]:
    """A demo in which everything is ready."""
    demo = Demo(home)
    try:
        demo.wait_for("Everything is ready.")
        demo.children = psutil.Process(demo.popen.pid).children()
        assert len(demo.children) == 4
        yield demo
    finally:
        with suppress(ProcessLookupError):
            os.killpg(demo.popen.pid, signal.SIGKILL)
        demo.popen.wait()


def test_the_page_is_served_and_ctrl_c_stops_everything(tmp_path: Path) -> None:
    with running(tmp_path) as demo:
        page = requests.get(demo.url, timeout=10)
        assert page.status_code == 200
        assert "<title>Lookalike</title>" in page.text
        assert "small model" in requests.get(f"{demo.url}sandbox/bot", timeout=10).json()["note"]
        os.killpg(demo.popen.pid, signal.SIGINT)  # what a terminal sends
        assert demo.end() == 0
    assert "drop one of yours" in demo.output
    assert "Stopped." in demo.output
    logs = "".join(path.read_text() for path in (tmp_path / "demo" / "logs").iterdir())
    assert "Traceback" not in logs


def test_a_taken_port_is_said_and_sigterm_stops_everything(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # somebody else has it, which serves as well
            taken.bind(("127.0.0.1", 5000))
            taken.listen()
        with running(tmp_path) as demo:
            assert not demo.url.endswith(":5000/")
            assert "Port 5000 is taken; the page is on another." in demo.output
            demo.popen.terminate()
            assert demo.end() == 143


@pytest.mark.parametrize("name", ["generator", "bot"])
def test_a_process_that_dies_ends_the_demo_with_a_sentence(tmp_path: Path, name: str) -> None:
    with running(tmp_path) as demo:
        (victim,) = (child for child in demo.children if child.cmdline()[-1] == name)
        victim.kill()
        assert demo.end() == StartError.EXIT_CODE
    assert re.search(rf"lookalike demo: {name} has ended; its log is .*/{name}\.log\.", demo.output)
