"""The command line: the demo, and sentences instead of tracebacks."""

import platform
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image
from skimage import data

from lookalike.cli import versions
from lookalike.errors import StartError
from lookalike.processes import MALLOC_TUNABLES, clean_environment
from lookalike.processes.stack import Stack
from tests.commands import LOOKALIKE, run, started
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def environment(home: Path, **settings: str) -> dict[str, str]:
    return {**clean_environment(), "LOOKALIKE_HOME": str(home), **settings}


def photo(path: Path, pixels: Any) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def test_the_versions_for_a_report_come_without_importing_anything_large(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", *LOOKALIKE[1:], "--version"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[0] == f"lookalike {version('lookalike')}"
    assert lines[1].endswith(f" {platform.python_version()}")
    assert f"SQLite {sqlite3.sqlite_version}" in lines
    for name in ("python-telegram-bot", "grpcio", "SQLAlchemy", "torch", "llvmlite"):
        assert f"{name} {version(name)}" in lines
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "click" in imported
    assert not imported & {"torch", "grpc", "sqlalchemy", "telegram", "diffusers", "numpy"}


def test_a_system_whose_c_library_is_unknown_is_a_line_without_a_loose_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))  # as on macOS
    (line,) = [each for each in versions.lines() if each.startswith(platform.system())]
    assert line[-1].isalnum() or line.endswith(")")


def demo(photo: Path) -> subprocess.CompletedProcess[str]:
    """`lookalike demo PHOTO`, at home where the photo is."""
    folder = photo.parent
    return run("demo", str(photo), folder=folder, environment=environment(folder))


def written(output: str) -> Path:
    match = re.search(r"The picture is in (.*)", output)
    assert match is not None, output
    return Path(match.group(1))


@pytest.mark.long
def test_the_demo_ends_with_a_caption_and_a_picture_twice(tmp_path: Path) -> None:
    first = demo(photo(tmp_path / "photo.jpg", data.chelsea()))
    assert first.returncode == 0, first.stdout + first.stderr
    assert "a photo of a tabby cat" in first.stdout
    assert "says the offline captioner" in first.stdout
    with Image.open(written(first.stdout)) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", (256, 256))
    made = written(first.stdout)
    with Image.open(made.with_stem(f"{made.stem}-pair")) as pair:
        assert pair.size == (round(256 * 451 / 300) + 8 + 256, 256)  # the photo has 451 x 300

    # Another photo of the same name, on the same home, is another photo.
    second = demo(photo(tmp_path / "photo.jpg", data.coffee()))
    assert second.returncode == 0, second.stdout + second.stderr
    assert "a photo of a cup of espresso" in second.stdout
    assert written(second.stdout) != written(first.stdout)
    logs = "".join(path.read_text() for path in (tmp_path / "demo" / "logs").iterdir())
    assert "Traceback" not in logs


def test_the_demo_says_what_is_wrong_with_a_photo(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"this is no photo")
    result = demo(tmp_path / "photo.jpg")
    assert result.returncode == 2
    assert "photo.jpg is no image; send a JPEG, PNG or WebP." in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "demo").exists()  # nothing was started


def test_the_demo_of_a_photo_that_is_not_there(tmp_path: Path) -> None:
    result = demo(tmp_path / "nowhere.jpg")
    assert result.returncode != 0
    assert "nowhere.jpg" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("service", "settings", "sentence"),
    [
        ("bot", {}, "TELEGRAM_BOT_TOKEN is not set"),
        ("sandbox", {}, "TELEGRAM_BOT_TOKEN is not set"),
        ("dbservice", {"DATABASE_URL": "mysql://localhost/x"}, "DATABASE_URL: "),
        ("dbservice", {"BLOB_URL": "ftp://photos"}, "BLOB_URL: "),
        ("generator", {"GENERATOR_MODEL": "./nowhere"}, "GENERATOR_MODEL "),
        ("generator", {"GENERATOR_DEVICE": "abacus"}, "GENERATOR_DEVICE: "),
    ],
)
def test_a_service_that_cannot_start_says_why_in_one_sentence(
    tmp_path: Path, service: str, settings: dict[str, str], sentence: str
) -> None:
    listen = {"DBSERVICE_LISTEN": "127.0.0.1:0", "GENERATOR_LISTEN": "127.0.0.1:0"}
    result = run(service, folder=tmp_path, environment=environment(tmp_path, **listen, **settings))
    assert result.returncode == StartError.EXIT_CODE
    said = [line for line in result.stderr.splitlines() if line.startswith("lookalike ")]
    assert len(said) == 1
    assert said[0].startswith(f"lookalike {service}: {sentence}")
    assert said[0].endswith(".")
    assert "Traceback" not in result.stderr


@pytest.mark.long
@pytest.mark.parametrize("service", ["bot", "dbservice", "generator", "sandbox"])
def test_a_port_in_use_is_said_in_one_sentence(tmp_path: Path, service: str) -> None:
    variable = "BOT_LISTEN" if service == "bot" else f"{service.upper()}_LISTEN"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = {
            "TELEGRAM_BOT_TOKEN": "10001:end-to-end-tests-token-of-the-sandbox",
            "CAPTIONER": "offline",
            "GENERATOR_MODEL": "emoji",
            variable: f"127.0.0.1:{taken.getsockname()[1]}",
        }
        result = run(service, folder=tmp_path, environment=environment(tmp_path, **settings))
    assert result.returncode == StartError.PASSING_EXIT_CODE
    assert f"lookalike {service}: {variable}: cannot listen on 127.0.0.1:" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_child_stops_when_its_parent_is_gone(tmp_path: Path) -> None:
    with Stack(tmp_path, {}) as stack:
        stack.start("dbservice")
        process = stack.process("dbservice")
        assert process.popen.stdin is not None
        process.popen.stdin.close()  # what happens when the parent dies, however it dies
        assert process.wait(15) == 0


def test_a_process_may_be_asked_to_stop_again_and_again(tmp_path: Path) -> None:
    with Stack(tmp_path, {}) as stack:
        stack.start("dbservice")
        process = stack.process("dbservice")
        while process.running:
            process.ask_to_stop()
        assert process.wait(15) == 0


@pytest.mark.parametrize(
    ("name", "own", "tunables"),
    [
        ("generator", {}, MALLOC_TUNABLES["GLIBC_TUNABLES"]),
        ("generator", {"GLIBC_TUNABLES": "glibc.malloc.check=1"}, "glibc.malloc.check=1"),
        ("dbservice", {}, ""),
    ],
)
def test_what_computes_is_told_how_to_allocate(
    name: str, own: dict[str, str], tunables: str, tmp_path: Path
) -> None:
    with Stack(tmp_path, own) as stack:
        process = psutil.Process(stack.launch(name).popen.pid)
        wait_until(lambda: "LOOKALIKE_HOME" in process.environ())  # it runs our program by then
        variables = process.environ()
        # Where glibc has read one of its own, it has put zeros in place of the colons.
        found = ":".join(f"{name}={value}" for name, value in variables.items())
        assert f"GLIBC_TUNABLES={tunables}" in found if tunables else "GLIBC_" not in found


@pytest.mark.long
def test_killing_the_demo_leaves_no_process_behind(tmp_path: Path) -> None:
    cat = photo(tmp_path / "cat.jpg", data.chelsea())
    with started("demo", str(cat), folder=tmp_path, environment=environment(tmp_path)) as killed:
        killed.wait_for("sent")  # from then on all four run
        children = psutil.Process(killed.popen.pid).children()
        killed.end(signal.SIGKILL)
    assert len(children) == 4
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    again = demo(cat)
    assert again.returncode == 0, again.stdout
