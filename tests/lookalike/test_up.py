"""`lookalike up`: three services under one supervisor."""

import asyncio
import functools
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from bot.access import Standing
from lookalike import lifecycle
from lookalike.cli.up import command as up_command
from lookalike.errors import StartError
from lookalike.processes import clean_environment
from lookalike.processes.stack import Stack
from lookalike.tokens import service_token
from tests.commands import LOOKALIKE, Command, run, started
from tests.end_to_end.chats import EN
from tests.stack import create_stack, fixed_ports, keep_polls_short, running_stack
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SERVICES = ("dbservice", "generator", "bot")
PHOTO = Path(__file__).parents[1] / "photos" / "palace.jpg"


@pytest.fixture
def stack(tmp_path: Path) -> Generator[Stack, None, None]:
    """A sandbox to talk to, and the settings of the other three."""
    settings = {
        **fixed_ports(),
        "CAPTIONER": "azure",
        "AZURE_VISION_ENDPOINT": "http://127.0.0.1:9",
        "AZURE_VISION_KEY": "no-key-at-all",
    }
    with running_stack(tmp_path, settings, "sandbox") as stack:
        yield stack


def child(command: Command, service: str) -> psutil.Process:
    for process in psutil.Process(command.popen.pid).children():
        if process.cmdline()[-1:] == [service]:
            return process
    raise AssertionError(service)


def runs(process: psutil.Process) -> bool:
    """Whether it does; a zombie, whose parent has yet to look, does not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def check_ports_are_free(stack: Stack) -> None:
    for name in SERVICES:
        port = stack.environment[f"{name.upper()}_LISTEN"].rpartition(":")[2]
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", int(port)))


@pytest.mark.long
def test_it_starts_in_order_brings_back_the_dead_and_stops(stack: Stack) -> None:
    with started("up", folder=stack.home, environment=stack.environment) as command:
        ready = rf" up INFO \S+: Ready: @\w+bot at {stack.url('sandbox')}/$"
        command.wait_for(ready)
        said = command.output
        assert re.search(ready, command.lines[-1])
        assert said.index("generator.diffusion.pipeline: Loaded emoji") < said.index("Ready: ")
        assert "journal mode" not in said
        assert said.count("BOT_ACCESS is not set, so whoever finds the bot may use it.") == 1
        assert "Nobody owns" not in said
        assert said.index("generator: Listening") < said.index("bot: Listening")
        assert said.index("dbservice: Listening") < said.index("bot: Listening")

        child(command, "bot").kill()
        command.wait_for(r"bot was killed by SIGKILL, last saying: .*; it will .* again in 1 s\.$")
        command.wait_for(r"bot\.app: Serving as @", times=2)
        child(command, "bot").kill()
        command.wait_for(r"bot was killed by SIGKILL, .*; it will be started again in 2 s\.$")
        child(command, "generator").terminate()
        command.wait_for(r"generator exited with 0, .*; it will be started again in 1 s\.$")
        command.wait_for(r"generator INFO generator: Listening on", times=2)
        command.wait_for(r"bot\.app: Serving as @", times=3)

        children = psutil.Process(command.popen.pid).children()
        assert command.end(signal.SIGTERM, seconds=10) == 0
        assert not [process for process in children if runs(process)]
    check_ports_are_free(stack)
    said = command.output
    assert said.count("Ready: ") == 1
    assert "Traceback" not in said
    assert "\x1b" not in said
    assert service_token(stack.home) not in said


@pytest.mark.long
def test_it_prints_a_link_until_somebody_owns_the_bot(stack: Stack) -> None:
    environment = {**stack.environment, "BOT_ACCESS": "me"}
    with (
        started("up", folder=stack.home, environment=environment) as command,
        httpx.Client(base_url=f"{stack.url('sandbox')}/sandbox", trust_env=False) as people,
    ):
        start = command.wait_for(r"^  (/start o_\S+)$")[1]
        ada = people.post("/users", json={"first_name": "Ada"}).json()["id"]
        chat = f"/chats/{ada}/messages"
        people.post(chat, data={"user": ada, "text": start}).raise_for_status()
        wait_until(lambda: "This bot is yours." in people.get(chat).text)
        assert command.end(signal.SIGTERM, seconds=10) == 0
        assert command.output.count("/start o_") == 1
        logged = [line for line in command.lines if re.match(r"\d{4}-", line)]
        assert "o_" not in "".join(re.findall(r"\bo_\S+", "\n".join(logged)))
    with started("up", folder=stack.home, environment=environment) as command:
        command.wait_for("Ready: ")
        assert command.end(signal.SIGTERM, seconds=10) == 0
    assert "/start o_" not in command.output
    assert "BOT_ACCESS is not set" not in command.output


@pytest.mark.long
def test_what_init_writes_is_for_its_owner_alone(stack: Stack, tmp_path: Path) -> None:
    """Started from the .env that it has written, and owned by the link that it has printed."""
    answers = ("--bot-access", "me", "--captioner", "offline", "--generator-model", "emoji")
    folder = tmp_path / "folder"
    folder.mkdir()
    keep_polls_short(stack)
    made = run("init", *answers, folder=folder, environment=stack.environment)
    start = re.search(r"^\s*(/start o_\S+)$", made.stdout, re.MULTILINE)
    assert start is not None, made.stdout + made.stderr
    settled = re.findall(r"^([A-Z_]+)=", (folder / ".env").read_text(), re.MULTILINE)
    environment = {key: value for key, value in stack.environment.items() if key not in settled}
    with (
        started("up", folder=folder, environment=environment) as command,
        httpx.Client(base_url=f"{stack.url('sandbox')}/sandbox", trust_env=False) as people,
    ):
        ada, eve = (
            people.post("/users", json={"first_name": name, "language_code": "en"}).json()["id"]
            for name in ("Ada", "Eve")
        )

        def send(user: int, **message: Any) -> None:
            people.post(f"/chats/{user}/messages", **message).raise_for_status()

        def answers_of(user: int) -> list[dict[str, Any]]:
            shown = people.get(f"/chats/{user}/messages").json()
            return [message for message in shown if message["from"]["is_bot"]]

        send(ada, data={"user": ada, "text": start[1]})
        wait_until(lambda: "This bot is yours." in str(answers_of(ada)))
        for user in (eve, ada):
            send(user, data={"user": user}, files={"photo": PHOTO.read_bytes()})
        wait_until(lambda: any("photo" in message for message in answers_of(ada)))
        assert [message["text"] for message in answers_of(eve)] == [
            EN.access.refusal(Standing.STRANGER)
        ]
        assert command.end(signal.SIGTERM, seconds=10) == 0


@pytest.mark.long
def test_what_is_frozen_is_replaced_within_a_minute_and_the_watchdog_is_fed(
    stack: Stack, tmp_path: Path
) -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
        started(
            "up",
            folder=stack.home,
            environment={**stack.environment, "NOTIFY_SOCKET": str(tmp_path / "notify")},
        ) as command,
    ):
        systemd.bind(str(tmp_path / "notify"))
        command.wait_for("Ready: ")
        systemd.settimeout(30)
        assert systemd.recv(100) == b"WATCHDOG=1"
        frozen = {name: child(command, name) for name in SERVICES}
        began = time.monotonic()
        for process in frozen.values():
            process.send_signal(signal.SIGSTOP)
        for name, process in frozen.items():
            command.wait_for(rf" up WARNING \S+: {name} hangs: it does not answer .* killed\.$")
            wait_until(functools.partial(replaced, command, name, process), 30)
        seconds = time.monotonic() - began
        assert seconds < 60, seconds
        command.wait_for(r"bot\.app: Serving as @", times=2)
        assert command.end(signal.SIGTERM, seconds=15) == 0


def replaced(command: Command, service: str, old: psutil.Process) -> bool:
    """Whether another process runs in the place of this one."""
    try:
        return child(command, service).pid != old.pid
    except (AssertionError, psutil.Error):
        return False


@pytest.mark.long
def test_kill_9_leaves_nothing_behind_and_the_next_start_is_clean(stack: Stack) -> None:
    with started("up", folder=stack.home, environment=stack.environment) as command:
        command.wait_for("Ready: ")
        left = psutil.Process(command.popen.pid).children()
        assert len(left) == 3
        command.end(signal.SIGKILL)
    # At once, while the others still stop; and every line is JSON this time.
    environment = {**stack.environment, "LOOKALIKE_LOG": "json"}
    with started("up", folder=stack.home, environment=environment) as command:
        command.wait_for("Ready: ")
        assert not [process for process in left if runs(process)]
        assert command.end(signal.SIGINT, seconds=10) == 0
    records = [json.loads(line) for line in command.lines]
    assert {record["service"] for record in records} == {"up", *SERVICES}
    assert all({"time", "level", "logger", "message"} <= set(record) for record in records)
    check_ports_are_free(stack)


def refused(folder: Path, **settings: str) -> list[str]:
    """What `lookalike up` says when it starts nothing, as it must."""
    environment = {**clean_environment(), "LOOKALIKE_HOME": str(folder / "home"), **settings}
    with started("up", folder=folder, environment=environment) as command:
        assert command.end() == StartError.EXIT_CODE, command.output
    assert not (folder / "home").exists()
    return command.lines


def test_without_a_token_it_says_so_and_starts_nothing(tmp_path: Path) -> None:
    (said,) = refused(tmp_path, GENERATOR_MODEL="emoji")
    assert said == "lookalike up: TELEGRAM_BOT_TOKEN is not set; `lookalike init` asks for it."


def test_all_that_is_wrong_is_told_before_anything_starts(tmp_path: Path) -> None:
    said = refused(
        tmp_path,
        LOOKALIKE_LOG="xml",
        DATABASE_URL="mysql://localhost/x",
        GENERATOR_PRESET="best",
        BOT_POLL_SECONDS="never",
    )
    assert said[0] == "lookalike up: 5 things have to be put right first:"
    names = {line.split()[0].rstrip(":") for line in said[1:]}
    wrong = {"LOOKALIKE_LOG", "DATABASE_URL", "GENERATOR_PRESET", "BOT_POLL_SECONDS"}
    assert names == {*wrong, "TELEGRAM_BOT_TOKEN"}
    assert len(said) == 6


@pytest.mark.long
def test_a_token_model_and_captioner_that_are_not_there_are_told_together(
    stack: Stack, tmp_path: Path
) -> None:
    (tmp_path / "nobody").mkdir()
    said = refused(
        tmp_path / "nobody",
        TELEGRAM_API_URL=stack.url("sandbox"),
        TELEGRAM_BOT_TOKEN="10001:a-token-that-nobody-has-ever-given",
        GENERATOR_MODEL="owner/nothing",
        CAPTIONER="blip",
        HF_HUB_CACHE=str(tmp_path / "cache"),
    )
    text = "\n".join(said)
    assert "Telegram does not know this TELEGRAM_BOT_TOKEN. Copy it again" in text
    assert "GENERATOR_MODEL owner/nothing is not on this machine. Fetch it: `lookalike" in text
    assert "`lookalike download --captions` fetches them" in text
    assert len(said) == 4


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_home_that_cannot_be_used_is_one_sentence(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("")
    environment = {
        **clean_environment(),
        "LOOKALIKE_HOME": str(tmp_path / "file" / "home"),
        "SERVICE_TOKEN": "a-token-of-ones-own",
        "TELEGRAM_BOT_TOKEN": "10001:a-token-of-the-sandbox-alone",
        "TELEGRAM_API_URL": "http://127.0.0.1:9",
        "GENERATOR_MODEL": "emoji",
    }
    ended = run(command, folder=tmp_path, environment=environment)
    assert ended.returncode == StartError.EXIT_CODE
    said = (ended.stdout + ended.stderr).strip()
    assert re.fullmatch(
        rf"lookalike {command}: LOOKALIKE_HOME .* cannot be used: Not a directory\.", said
    )


def test_a_second_one_in_the_same_home_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "STOP_SECONDS", -2.0)

    async def hold_twice() -> None:
        stop = asyncio.Event()
        async with up_command._lock(tmp_path, stop) as first:
            assert first is not None
            with pytest.raises(StartError, match=r"^another `lookalike up` runs in .*\.$"):
                async with up_command._lock(tmp_path, stop):
                    pass

    asyncio.run(hold_twice())


@pytest.mark.long
def test_a_configuration_error_of_a_service_ends_all_with_its_sentence(tmp_path: Path) -> None:
    absent = "cuda" if sys.platform == "darwin" else "mps"  # only loading finds that out
    environment = create_stack(
        tmp_path,
        {"GENERATOR_DEVICE": absent, "TELEGRAM_API_URL": "http://127.0.0.1:9"},
    ).environment
    parent, terminal = pty.openpty()
    with subprocess.Popen(
        [*LOOKALIKE, "up"], env=environment, cwd=tmp_path, stderr=terminal
    ) as process:
        os.close(terminal)
        said = b""
        with suppress(OSError):  # what the end of a terminal is on Linux
            while part := os.read(parent, 10_000):
                said += part
        os.close(parent)
        assert process.wait(30) == StartError.EXIT_CODE
    lines = said.decode().replace("\r\n", "\n").splitlines()
    assert lines[-1].startswith(f"lookalike up: generator: GENERATOR_DEVICE {absent}: ")
    plain = [re.sub(r"\x1b\[\d+m", "", line) for line in lines]
    assert any("\x1b[34mgenerator\x1b[0m" in line for line in lines)  # a terminal gets colours
    assert any(re.match(r"\d\d:\d\d:\d\d generator  Listening", line) for line in plain)
