"""The command line: the demo, and sentences instead of tracebacks."""

import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image
from skimage import data

from lookalike.errors import StartError
from lookalike.processes import MALLOC_TUNABLES, ServiceProcess, clean_environment

LOOKALIKE = [sys.executable, "-P", "-m", "lookalike"]


def run(
    *arguments: str, home: Path, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**clean_environment(), "LOOKALIKE_HOME": str(home), **(settings or {})}
    return subprocess.run(
        [*LOOKALIKE, *arguments],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def photo(path: Path, pixels: Any) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def written(output: str) -> Path:
    match = re.search(r"The picture is in (.*)", output)
    assert match is not None, output
    return Path(match.group(1))


def test_the_demo_ends_with_a_caption_and_a_picture_twice(tmp_path: Path) -> None:
    first = run("demo", str(photo(tmp_path / "photo.jpg", data.chelsea())), home=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "a photo of a tabby cat" in first.stdout
    assert "says the offline captioner" in first.stdout
    with Image.open(written(first.stdout)) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", (256, 256))

    # Another photo of the same name, on the same home, is another photo.
    second = run("demo", str(photo(tmp_path / "photo.jpg", data.coffee())), home=tmp_path)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "a photo of a cup of espresso" in second.stdout
    assert written(second.stdout) != written(first.stdout)
    logs = "".join(path.read_text() for path in (tmp_path / "demo" / "logs").iterdir())
    assert "Traceback" not in logs


def test_the_demo_says_what_is_wrong_with_a_photo(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"this is no photo")
    result = run("demo", str(tmp_path / "photo.jpg"), home=tmp_path)
    assert result.returncode != 0
    assert "Traceback" not in result.stdout + result.stderr
    assert "the photo was not taken" in result.stdout


def test_the_demo_of_a_photo_that_is_not_there(tmp_path: Path) -> None:
    result = run("demo", "nowhere.jpg", home=tmp_path)
    assert result.returncode != 0
    assert "nowhere.jpg" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("service", "settings", "sentence"),
    [
        ("bot", {}, "TELEGRAM_BOT_TOKEN is not set"),
        ("sandbox", {}, "TELEGRAM_BOT_TOKEN is not set"),
        ("dbservice", {"DATABASE_URL": "postgresql://localhost/x"}, "DATABASE_URL: "),
        ("dbservice", {"BLOB_URL": "s3://photos"}, "BLOB_URL: "),
        ("generator", {"GENERATOR_MODEL": "./nowhere"}, "GENERATOR_MODEL "),
        ("generator", {"GENERATOR_DEVICE": "abacus"}, "GENERATOR_DEVICE: "),
    ],
)
def test_a_service_that_cannot_start_says_why_in_one_sentence(
    tmp_path: Path, service: str, settings: dict[str, str], sentence: str
) -> None:
    listen = {"DBSERVICE_LISTEN": "127.0.0.1:0", "GENERATOR_LISTEN": "127.0.0.1:0"}
    result = run(service, home=tmp_path, settings={**listen, **settings})
    assert result.returncode == StartError.EXIT_CODE
    said = [line for line in result.stderr.splitlines() if line.startswith("lookalike ")]
    assert len(said) == 1
    assert said[0].startswith(f"lookalike {service}: {sentence}")
    assert said[0].endswith(".")
    assert "Traceback" not in result.stderr


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
        result = run(service, home=tmp_path, settings=settings)
    assert result.returncode == StartError.EXIT_CODE
    assert f"lookalike {service}: {variable}: cannot listen on 127.0.0.1:" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_child_stops_when_its_parent_is_gone(tmp_path: Path) -> None:
    environment = {
        **clean_environment(),
        "LOOKALIKE_HOME": str(tmp_path),
        "DBSERVICE_LISTEN": "127.0.0.1:0",
    }
    process = ServiceProcess("dbservice", environment, tmp_path, tmp_path / "dbservice.log")
    process.address()
    assert process.popen.stdin is not None
    process.popen.stdin.close()  # what happens when the parent dies, however it dies
    assert process.popen.wait(15) == 0
    process.stop()


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
    environment = {
        **clean_environment(),
        **own,
        "LOOKALIKE_HOME": str(tmp_path),
        f"{name.upper()}_LISTEN": "127.0.0.1:0",
    }
    process = ServiceProcess(name, environment, tmp_path, tmp_path / f"{name}.log")
    try:
        variables = psutil.Process(process.popen.pid).environ()
        # Where glibc has read one of its own, it has put zeros in place of the colons.
        found = ":".join(f"{name}={value}" for name, value in variables.items())
        assert f"GLIBC_TUNABLES={tunables}" in found if tunables else "GLIBC_" not in found
    finally:
        process.stop()


def test_killing_the_demo_leaves_no_process_behind(tmp_path: Path) -> None:
    environment = {**clean_environment(), "LOOKALIKE_HOME": str(tmp_path)}
    cat = photo(tmp_path / "cat.jpg", data.chelsea())
    children: list[psutil.Process] = []
    with subprocess.Popen(
        [*LOOKALIKE, "demo", str(cat)],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        while "sent" not in demo.stdout.readline():  # from then on all four run
            pass
        children = psutil.Process(demo.pid).children()
        demo.kill()
    assert len(children) == 4
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    again = run("demo", str(cat), home=tmp_path)
    assert again.returncode == 0, again.stdout
