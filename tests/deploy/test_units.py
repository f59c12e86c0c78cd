"""The units for systemd, as systemd reads them."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from lookalike import lifecycle
from lookalike.cli.up import watchdog
from lookalike.errors import StartError
from lookalike.processes import MALLOC_TUNABLES
from tests.deploy.files import DEPLOY

UNITS: Final = DEPLOY / "systemd"
INSTALLED: Final = "/opt/lookalike/bin/lookalike"
MOST_EXPOSED: Final = 20
"""Tenths of what `systemd-analyze security` calls exposure, which is 9.6 without any sandbox."""

NEEDS_SYSTEMD: Final = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd here, see CONTRIBUTING"
)


def service(unit: str) -> configparser.SectionProxy:
    # The parser keeps the last of several values, and knows no lines without one.
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read(UNITS / unit)
    return parser["Service"]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units, with a `lookalike` that is there."""
    for source in UNITS.rglob("*"):
        if source.is_file():
            target = tmp_path / source.relative_to(UNITS)
            target.parent.mkdir(exist_ok=True)
            target.write_text(source.read_text().replace(INSTALLED, sys.executable))
    return tmp_path


def analyze(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", *arguments],
        cwd=folder,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
@NEEDS_SYSTEMD
@pytest.mark.parametrize(
    "unit",
    [
        "lookalike.service",
        "lookalike@bot.service",
        "lookalike@dbservice.service",
        "lookalike@generator.service",
    ],
)
@pytest.mark.parametrize("with_gpu", [False, True], ids=["", "gpu"])
def test_systemd_finds_no_fault(installed: Path, unit: str, *, with_gpu: bool) -> None:
    if with_gpu:
        (installed / f"{unit}.d").mkdir(exist_ok=True)
        shutil.copy(installed / "gpu.conf", installed / f"{unit}.d")
    assert analyze(installed, "verify", unit) == ""


@pytest.mark.slow
@NEEDS_SYSTEMD
@pytest.mark.parametrize("unit", ["lookalike.service", "lookalike@.service"])
def test_little_is_left_open(installed: Path, unit: str) -> None:
    limit = f"--threshold={MOST_EXPOSED}"
    analyze(installed, "security", "--offline=true", limit, f"./{unit}")


def test_they_fit_how_processes_end_and_are_watched() -> None:
    for unit in ("lookalike.service", "lookalike@.service"):
        assert service(unit)["RestartPreventExitStatus"] == str(StartError.EXIT_CODE)
        assert float(service(unit)["TimeoutStopSec"]) > lifecycle.STOP_SECONDS
    assert float(service("lookalike.service")["WatchdogSec"]) > 3 * watchdog.SECONDS


def test_both_units_have_the_same_sandbox() -> None:
    one, apart = (_lines(unit) for unit in ("lookalike.service", "lookalike@.service"))
    assert [line for line in one if line not in apart] == [
        "Description=Lookalike",
        f"ExecStart={INSTALLED} up",
        "WatchdogSec=60",
        "KillMode=mixed",
    ]
    assert [line for line in apart if line not in one] == [
        "Description=Lookalike: %i",
        f"ExecStart={INSTALLED} %i",
    ]


def _lines(unit: str) -> list[str]:
    lines = (UNITS / unit).read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_the_generator_takes_memory_as_it_is_told_to() -> None:
    ((name, value),) = MALLOC_TUNABLES.items()
    assert service("lookalike@generator.service.d/memory.conf")["Environment"] == f"{name}={value}"
