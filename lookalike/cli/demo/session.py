"""What every demo shares: a home of its own, the services in it, and how it ends."""

import fcntl
import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import requests
from rich.console import Console

from lookalike.errors import StartError
from lookalike.files import lock_file, make_home
from lookalike.processes.stack import Stack
from lookalike.settings import Settings
from lookalike.tokens import service_token

STOPPED = "Stopped. The next demo picks up where this one left off."

NOTE = (
    "Pictures come from the small model in the package: it knows 416 things and draws"
    " them as emoji, 64 x 64 pixels, enlarged. Everything else is the real thing."
)
"""What the chat page of the demo shows over every chat."""

_BOT = 100001


def run(play: Callable[[Path, Console], int]) -> int:
    """Runs a demo in its home folder; what goes wrong is told in one sentence.

    Returns:
        The exit code.
    """
    os.umask(0o077)  # what it writes is its owner's alone
    console = Console(highlight=False, markup=False, emoji=False)
    signal.signal(signal.SIGTERM, _exit)
    try:
        home = Settings.load().folder("demo")
        with _lock(home):
            return play(home, console)
    except (StartError, requests.RequestException) as error:
        console.print(f"lookalike demo: {error}", soft_wrap=True)
        return error.exit_code if isinstance(error, StartError) else StartError.PASSING_EXIT_CODE
    except KeyboardInterrupt:
        console.print(STOPPED)
        return 130


def _exit(_number: int, _frame: object) -> NoReturn:
    sys.exit(143)


@contextmanager
def _lock(home: Path) -> Generator[None, None, None]:
    """Keeps a second demo from opening the same databases."""
    make_home(home)
    with lock_file(home / "lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartError(f"another demo runs in {home}.") from None
        yield


@contextmanager
def running_stack(home: Path, console: Console, listen: str) -> Generator[Stack, None, None]:
    """Starts all services but the bot, which uses the others; stops everything at the end.

    Args:
        home: where everything is kept.
        console: where it is told.
        listen: where the sandbox listens, or on one of the next ports if that one is taken; port 0:
            anywhere.
    """
    settings = {
        "TELEGRAM_BOT_TOKEN": f"{_BOT}:{service_token(home)}",
        "BOT_ACCESS": "everyone",
        "BOT_PUBLIC_URL": "http://127.0.0.1:0",  # the bot's own, on whatever port that is
        "BOT_GROUPS": "all",  # a photo that is clicked has no words that could mention it
        "CAPTIONER": "offline",
        "GENERATOR_MODEL": "emoji",
        "BOT_POLL_SECONDS": "0.5",
        "SANDBOX_LISTEN": listen,
        "SANDBOX_PORTS": "1" if listen.endswith(":0") else "20",
        "SANDBOX_NOTE": NOTE,
    }
    with Stack(home, settings) as stack:
        console.print(f"Starting the services; their logs are in {home / 'logs'}", soft_wrap=True)
        for name in ("dbservice", "generator"):
            stack.launch(name)
        stack.start("sandbox")
        yield stack
