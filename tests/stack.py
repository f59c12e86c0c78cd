"""The services together, each a process, as the tests start them."""

import re
import socket
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import requests

from lookalike.processes.stack import SERVICES, Stack
from lookalike.tokens import service_token
from protos import GENERATOR_NAMESPACE

TOKEN: Final = "10001:end-to-end-tests-token-of-the-sandbox"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def fixed_ports() -> dict[str, str]:
    """Settings by which a service has its port before it is started, each another one."""
    with ExitStack() as sockets:
        found = [sockets.enter_context(socket.socket()) for _ in SERVICES]
        for each in found:
            each.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in found]
    return {f"{name.upper()}_LISTEN": each for name, each in zip(SERVICES, addresses, strict=True)}


def create_stack(home: Path, settings: Mapping[str, str] | None = None) -> Stack:
    """A stack with settings for tests; nothing is started."""
    return Stack(
        home,
        {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "GENERATOR_MODEL": "emoji",
            "BOT_POLL_SECONDS": "0.2",
            "OMP_NUM_THREADS": "2",
            **(settings or {}),
        },
    )


@contextmanager
def running_stack(
    home: Path, settings: Mapping[str, str] | None = None, *names: str
) -> Generator[Stack, None, None]:
    """The services of these names, or all, while the context lasts; each must stop cleanly."""
    with create_stack(home, settings) as stack:
        stack.start(*names)
        yield stack
        codes = stack.stop()
        assert set(codes.values()) <= {0}, codes


def keep_polls_short(stack: Stack) -> None:
    """Leaves the bot a message: a poll of the doctor's ends at once, and not after 5 s."""
    people = f"{stack.url('sandbox')}/sandbox"
    user = requests.post(f"{people}/users", json={"first_name": "Ada"}, timeout=10).json()["id"]
    message = {"user": user, "text": "hello"}
    requests.post(f"{people}/chats/{user}/messages", message, timeout=10).raise_for_status()


@contextmanager
def occupied(stack: Stack) -> Generator[None, None, None]:
    """Gives the generator minutes of work, cancelled at the end: who comes meanwhile waits."""
    headers = {
        "Authorization": f"Bearer {service_token(stack.home)}",
        "Content-Type": "application/xml",
    }
    urls = [f"{stack.url('generator')}/v1/jobs/{uuid4()}" for _ in range(10)]
    for n, url in enumerate(urls):
        job = (
            f'<job xmlns="{GENERATOR_NAMESPACE}"><prompt>a cat</prompt><owner>occupant {n}</owner>'
            "<width>1024</width><height>1024</height><steps>150</steps></job>"
        )
        requests.put(url, job, headers=headers, timeout=10).raise_for_status()
    try:
        yield
    finally:
        for url in urls:
            requests.delete(url, headers=headers, timeout=10).raise_for_status()


def read_log(stack: Stack, name: str) -> str:
    """All that a service has logged, over restarts."""
    path = stack.log_file(name)
    return path.read_text() if path.exists() else ""


@contextmanager
def checked_logs(stack: Stack) -> Generator[None, None, None]:
    """At the end: meanwhile no log has got a traceback or a secret."""
    before = {name: len(read_log(stack, name)) for name in SERVICES}
    yield
    for name in SERVICES:
        log = read_log(stack, name)[before[name] :]
        assert "Traceback" not in log, re.split("(?=Traceback)", log)[1][:5000]
        assert TOKEN.partition(":")[2] not in log
        assert service_token(stack.home) not in log
