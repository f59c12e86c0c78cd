"""Every command in the documents is run as it stands there.

A block `sh` holds commands, one on each line, a block `python` what is given to Python. Each
section with such blocks belongs to a test below, which runs them. A block `console` holds what
nobody can run here.
"""

import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import psutil
import pytest
import requests
from PIL import Image
from skimage import data

from generator.models import EMOJI
from tests.dbservice.backups import test_move
from tests.docs import documents
from tests.docs.documents import ROOT, Section
from tests.docs.terminals import Terminals
from tests.docs.workshop import Workshop, interrupt
from tests.generator import hub, test_download
from tests.lookalike import test_cli, test_init, test_up
from tests.lookalike.doctor import test_report
from tests.lookalike.doctor import test_running as test_doctor
from tests.release import test_packages
from tests.stack import TOKEN, fixed_ports, keep_polls_short, running_stack
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

LANGUAGES: Final = {
    "sh",
    "python",
    "console",
    "ini",
    "env",
    "json",
    "caddyfile",
    "nginx",
    "logrotate",
}

IN_CI: Final = {"make test", "make lint"}
"""They cannot run within themselves."""

PART_OF_CI: Final = {"make test-fast", "make test-long", "make test-scale"}
"""CI runs some of what they run, and they run nothing else."""

ELSEWHERE: Final[dict[str, Callable[..., object]]] = {
    ".venv/bin/lookalike init": test_init.test_it_asks_checks_and_writes,
    ".venv/bin/lookalike up": test_up.test_it_starts_in_order_brings_back_the_dead_and_stops,
    ".venv/bin/lookalike doctor": (
        test_doctor.test_when_all_is_well_it_says_so_spends_nothing_and_writes_nothing
    ),
    ".venv/bin/lookalike doctor --spend": test_doctor.test_it_spends_when_asked,
    ".venv/bin/lookalike doctor --report report.txt": (
        test_report.test_the_doctor_writes_it_once_and_tells_no_secret
    ),
    ".venv/bin/lookalike --version": (
        test_cli.test_the_versions_for_a_report_come_without_importing_anything_large
    ),
    ".venv/bin/lookalike move": test_move.test_there_and_back_all_is_as_it_was,
    ".venv/bin/lookalike download --captions": (
        test_init.test_the_weights_of_blip_are_fetched_as_a_model_is
    ),
    ".venv/bin/lookalike download --fast": (
        test_download.test_what_the_preset_fast_needs_is_fetched_when_asked_for
    ),
    ".venv/bin/lookalike download": test_download.test_it_asks_at_a_terminal_and_shows_a_bar,
    "make dist": test_packages.test_the_wheel_has_the_packages_and_nothing_else,
}
"""Commands that a test of their own runs, and which."""

NOT_HERE: Final = {
    ".venv/bin/pip install ": "wants a registry of packages, and installs what is there already",
    "/opt/lookalike/bin/pip install ": "wants a registry of packages, and to be root",
    "az ": "wants an Azure account",
    "cp ": "is for a system, or for compose; test_deploying.py looks at what it names",
    "docker ": "wants docker; deploy/container/check.sh builds and runs the image",
    "git pull": "wants the place where the repository came from",
    "git rev-parse ": "wants a clone, and these tests run in a copy without its history",
    "install ": "wants to be root, and changes the system",
    "journalctl ": "wants a systemd that runs",
    "loginctl ": "wants a systemd that runs",
    "pipx ": "wants a registry of packages; tests/release installs the wheel",
    "podman build ": "wants podman; deploy/container/check.sh builds the image",
    "podman run ": "wants a registry of images",
    "python3 -m venv /opt/": "wants to be root, and changes the system",
    "sh secrets.sh": "is run by tests/deploy/test_container.py",
    "sqlite3 ": "is no part of Python, and saves what it can of a damaged file",
    "sudo ": "wants PostgreSQL's own user",
    "systemctl ": "wants a systemd that runs",
    "systemd-": "wants a systemd that runs",
    "uv ": "wants a registry of packages, likewise",
    "uvx ": "wants a registry of packages, likewise",
}
"""How the commands in blocks `console` begin, and why they are not run."""

_RUN: Final[list[Section]] = []

_Test = TypeVar("_Test", bound=Callable[..., object])


def reads(*sections: Section) -> Callable[[_Test], _Test]:
    """Gives a test as `typed` what a reader types in these sections, less what runs elsewhere."""
    _RUN.extend(sections)
    commands = [
        command
        for command in documents.typed(*sections)
        if command not in {*ELSEWHERE, *IN_CI, *PART_OF_CI}
    ]
    return pytest.mark.parametrize("typed", [commands], ids=[sections[0][1]])


# The convention.


def test_every_section_with_commands_has_its_test_and_no_test_has_none() -> None:
    sections = {block.section for block in documents.blocks() if block.language in {"sh", "python"}}
    only_elsewhere = {
        section for section in sections if set(documents.typed(section)) <= set(ELSEWHERE)
    }
    assert len(_RUN) == len(set(_RUN))
    assert set(_RUN) == sections - only_elsewhere
    assert set(ELSEWHERE) | IN_CI | PART_OF_CI <= set(documents.typed())


def test_blocks_are_of_a_known_language_and_commands_stand_in_blocks() -> None:
    assert {block.language for block in documents.blocks()} <= LANGUAGES
    for document, line in documents.indented():
        assert not re.match(r"\$ |make |(?:\.venv/bin/)?lookalike |curl ", line), (document, line)


def test_what_is_not_run_is_of_few_kinds() -> None:
    lines = [line for block in documents.blocks("console") for line in block.text.splitlines()]
    for line in lines:
        assert line.startswith(tuple(f"$ {start}" for start in NOT_HERE)), line
    for start in NOT_HERE:
        assert any(line.startswith(f"$ {start}") for line in lines), start


def test_ci_runs_what_it_is_said_to_run() -> None:
    assert set((ROOT / ".ci" / "run").read_text().splitlines()) >= IN_CI


# A copy of the repository.


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A reader's machine."""
    return Workshop(tmp_path)


@reads(
    ("docs/running.md", "Before the first start"),
    ("docs/operations.md", "Upgrading"),
    ("CONTRIBUTING.md", "Set up"),
    ("CONTRIBUTING.md", "Lint"),
    ("CONTRIBUTING.md", "Change a contract"),
)
def test_make(workshop: Workshop, typed: Sequence[str]) -> None:
    setup, format_, protos = typed
    workshop.succeed(setup)
    stubs = workshop.folder / "protos" / "lookalike" / "db" / "v1"
    (stubs / "db_pb2_grpc.py").unlink()
    workshop.succeed(protos)
    for made in stubs.glob("*.py*"):
        assert made.read_bytes() == (ROOT / made.relative_to(workshop.folder)).read_bytes()
    (workshop.folder / "bot" / "__init__.py").write_text("x = ( 1)\n")
    assert "1 file reformatted" in workshop.run(format_).stdout
    assert (workshop.folder / "bot" / "__init__.py").read_text() == "x = 1\n"


@reads(("CONTRIBUTING.md", "Change what the bot says"))
def test_a_change_of_what_the_bot_says(workshop: Workshop, typed: Sequence[str]) -> None:
    (texts,) = typed
    tables = workshop.folder / "bot" / "texts" / "tables.py"
    tables.write_text(tables.read_text().replace('"How to use this bot"', '"How to use me"'))
    changed = workshop.run(texts)
    assert changed.returncode != 0
    assert "de: missing: 'How to use me'" in changed.stderr.splitlines()


@pytest.mark.long
@reads(("CONTRIBUTING.md", "Test"))
def test_parts_of_the_tests(
    workshop: Workshop, pytestconfig: pytest.Config, typed: Sequence[str]
) -> None:
    package, one, *parts = typed
    # The others are large parts of what runs just now: pytest reads them, and finds the tests. All
    # at a time, since each waits for imports.
    only_read = [f"{command} --collect-only -q" for command in (package, *parts)]
    with ThreadPoolExecutor() as threads:
        passed, *found = threads.map(workshop.succeed, [one, *only_read])
    assert "1 passed" in passed
    assert all("::test_" in said for said in found)
    assert any(mark.startswith("end_to_end:") for mark in pytestconfig.getini("markers"))


@reads(("README.md", "Try it"))
def test_the_demo(workshop: Workshop, typed: Sequence[str]) -> None:
    page, photo = typed
    with workshop.running(page, "Ctrl-C stops everything") as demo:
        # Both at a time, since each waits much; each has a home of its own.
        Image.fromarray(data.chelsea()).save(workshop.folder / "cat.jpg")
        said = workshop.succeed(photo, HOME=str(workshop.folder))
        for line in (
            "You sent cat.jpg",
            "Bot: a photo of a tabby cat",
            "(93% sure, says the offline",
        ):
            assert line in (ROOT / "README.md").read_text()
            assert line in said
        demo.wait_for("Everything is ready.")
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+/", demo.output)
        assert "<title>Lookalike</title>" in requests.get(url, timeout=10).text
        interrupt(demo)
        assert demo.end() == 0, demo.output
        assert "Stopped." in demo.output


# The first start for real.


@pytest.mark.long
@reads(("docs/running.md", "The first start"), ("docs/operations.md", "Logs"))
def test_the_first_start(workshop: Workshop, tmp_path: Path, typed: Sequence[str]) -> None:
    by_script, completion, up = typed
    workshop.instead = {"10001:the-token-that-BotFather-gave": TOKEN}
    with running_stack(tmp_path / "telegram", fixed_ports(), "sandbox") as stack:
        keep_polls_short(stack)
        addresses = ("_LISTEN", "_ADDRESS", "_URL")
        workshop.environment |= {
            name: value for name, value in stack.environment.items() if name.endswith(addresses)
        }
        assert "Written to .env" in workshop.succeed(by_script)
        assert "lookalike" in workshop.succeed(f"bash -c '{completion} && complete -p lookalike'")
        assert stat.S_IMODE((workshop.folder / ".env").stat().st_mode) == 0o600
        log = workshop.folder / "lookalike.log"
        with workshop.running(f"sh -c 'exec env {up}'", "Nobody owns the bot yet.") as running:
            wait_until(lambda: "Ready: @" in log.read_text(), seconds=120)
            _copy_and_truncate(log)
            (bot,) = (
                child
                for child in psutil.Process(running.popen.pid).children()
                if child.cmdline()[-1] == "bot"
            )
            bot.kill()
            wait_until(lambda: "was killed by SIGKILL" in log.read_text())
            interrupt(running)
            assert running.end() == 0, running.output
    for path in (log, log.with_suffix(".1")):
        assert all("message" in json.loads(line) for line in path.read_text().splitlines())
    assert len(running.lines) == 2, "what is for people, on standard output"


def _copy_and_truncate(path: Path) -> None:
    """What logrotate does by `copytruncate`."""
    shutil.copy(path, path.with_suffix(".1"))
    os.truncate(path, 0)


# Models.


@pytest.mark.long
@reads(("docs/models.md", "Fetching one"))
def test_weights_from_the_hub(workshop: Workshop, typed: Sequence[str]) -> None:
    (model,) = typed
    with hub.serve(model.split()[2], EMOJI) as served:
        said = workshop.succeed(model, HF_ENDPOINT=served.url)
    assert "CreativeML OpenRAIL-M" in said
    assert said.endswith("is on this machine.\n")
    names = {path.name for path in (workshop.home / ".cache/huggingface/hub").iterdir()}
    assert f"models--{model.split()[2].replace('/', '--')}" in names


# Services in terminals of their own, as in CONTRIBUTING.


@pytest.fixture(scope="module")
def terminals(tmp_path_factory: pytest.TempPathFactory) -> Generator[Terminals, None, None]:
    (settings,) = documents.blocks("env")
    workshop = Workshop(tmp_path_factory.mktemp("terminals"))
    terminals = Terminals(workshop, documents.typed(settings.section), settings.text)
    try:
        terminals.start("sandbox", "dbservice", "generator")
        terminals.start("bot")
        terminals.send_photo()
        yield terminals
        terminals.stop()
    finally:
        terminals.kill()


@pytest.mark.long
@reads(("CONTRIBUTING.md", "Run it while you work"))
def test_each_service_runs_in_a_terminal(terminals: Terminals, typed: Sequence[str]) -> None:
    assert [command.split()[-1] for command in typed] == [
        "sandbox",
        "dbservice",
        "generator",
        "bot",
    ]
    assert (terminals.workshop.folder / "build" / "home" / "service-token").exists()


@reads(("docs/running.md", "Health checks"))
def test_health(terminals: Terminals, typed: Sequence[str]) -> None:
    *checks, dbservice = typed
    assert [terminals.workshop.succeed(check) for check in checks] == [
        "ok\n",
        "ok\n",
        "live\n",
        "ready\n",
    ]
    assert terminals.workshop.python(dbservice).stdout == "SERVING\n"


@reads(("CONTRIBUTING.md", "Ask the generator"))
def test_asking_the_generator(terminals: Terminals, typed: Sequence[str]) -> None:
    paint, submit, state, upload, paint_from_it = typed
    for command, name in ((paint, "cat.png"), (upload, "cat.png"), (paint_from_it, "dog.png")):
        terminals.workshop.succeed(command)
        with Image.open(terminals.workshop.folder / "build" / name) as picture:
            assert picture.size == (256, 256)
    job = submit.rpartition("/")[2]
    answer = terminals.workshop.succeed(submit)
    assert re.search(f'id="{job}" state="(queued|running)"', answer)  # it may have begun already
    wait_until(lambda: 'state="finished"' in terminals.workshop.succeed(state))


@reads(("CONTRIBUTING.md", "Make Telegram fail"))
def test_making_telegram_fail(terminals: Terminals, typed: Sequence[str]) -> None:
    order, look, clear = typed
    terminals.workshop.succeed(order)
    assert '"count":3' in terminals.workshop.succeed(look).replace(" ", "")
    terminals.workshop.succeed(clear)
    assert terminals.workshop.succeed(look) == "[]"


@pytest.mark.long
@reads(
    ("CONTRIBUTING.md", "Ask dbservice"),
    ("docs/running.md", "Backing up"),
    ("docs/running.md", "Restoring"),
    ("docs/troubleshooting.md", '"is damaged"'),
)
def test_what_was_moved_away_comes_back_from_the_backup(
    terminals: Terminals, typed: Sequence[str]
) -> None:
    history, *rest = typed
    back_up, keep_settings, move_away, restore, put_aside = rest
    shell = terminals.workshop
    assert "a photo of a tabby cat" in shell.python(history).stdout

    assert " 2 photos and pictures " in shell.succeed(back_up)
    shell.succeed(keep_settings)
    assert stat.S_IMODE((shell.home / "lookalike.tar").stat().st_mode) == 0o600
    assert (shell.home / "lookalike.env").read_text() == (shell.folder / ".env").read_text()

    terminals.stop("generator", "dbservice")
    blobs = shell.folder / "build" / "home" / "dbservice" / "blobs"
    for command in (move_away, restore, put_aside):
        shell.succeed(command)
    terminals.start("dbservice", "generator")
    assert "a photo of a tabby cat" in shell.python(history).stdout
    assert len([path for path in blobs.rglob("*") if path.is_file()]) == 2
