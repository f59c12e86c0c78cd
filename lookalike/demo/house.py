"""What every demo runs: the four processes, in a home of their own."""

import fcntl
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import requests
from rich.console import Console

from lookalike.errors import StartError
from lookalike.files import lock_file, make_home
from lookalike.processes import ServiceProcess, clean_environment
from lookalike.settings import Settings
from lookalike.tokens import service_token

_BOT = 100001
NOTE = (
    "Pictures come from the small model in the package: it knows some hundred things and draws them"
    " as emoji, 64 x 64 pixels, enlarged. Everything else is the real thing."
)
"""What stands over every chat of the demo."""


def run(play: Callable[[Path, Console], int]) -> int:
    """Runs a demo in its home folder; what goes wrong is one sentence.

    Returns:
        The exit code.
    """
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, _exit)
    try:
        home = Settings.load().folder("demo")
        with _lock(home):
            return play(home, console)
    except (StartError, requests.RequestException) as error:
        console.print(f"lookalike demo: {error}", soft_wrap=True)
        return StartError.EXIT_CODE
    except KeyboardInterrupt:
        console.print("Stopped. The next demo goes on where this one was.")
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


@dataclass(frozen=True)
class House:
    """The processes, of which the bot starts when it is told to.

    Attributes:
        sandbox: the sandbox's URL.
        start_bot: starts the other services' user, once they listen; gives its address.
        processes: all that were started so far.
    """

    sandbox: str
    start_bot: Callable[[], str]
    processes: list[ServiceProcess]


@contextmanager
def open_house(home: Path, console: Console, port: int) -> Generator[House, None, None]:
    """Starts all but the bot, and stops everything in the end.

    Args:
        home: where everything is kept.
        console: where it is said.
        port: where the sandbox shall listen, or on one of the next free ones; 0: on any.
    """
    environment = clean_environment() | {
        "LOOKALIKE_HOME": str(home),
        "TELEGRAM_BOT_TOKEN": f"{_BOT}:{service_token(home)}",
        "CAPTIONER": "offline",
        "GENERATOR_MODEL": "emoji",
        "BOT_POLL_SECONDS": "0.5",
        "SANDBOX_LISTEN": f"127.0.0.1:{port}",
        "SANDBOX_PORTS": "20" if port else "1",
        "SANDBOX_NOTE": NOTE,
        "DBSERVICE_LISTEN": "127.0.0.1:0",
        "GENERATOR_LISTEN": "127.0.0.1:0",
        "BOT_LISTEN": "127.0.0.1:0",
    }
    processes: list[ServiceProcess] = []
    with ExitStack() as stack:

        def start(name: str) -> ServiceProcess:
            process = ServiceProcess(name, environment, home, home / "logs" / f"{name}.log")
            stack.callback(process.stop)
            processes.append(process)
            return process

        def start_bot() -> str:
            environment["DBSERVICE_ADDRESS"] = dbservice.address()
            environment["GENERATOR_URL"] = f"http://{generator.address()}"
            return start("bot").address()

        console.print(f"Starting the services; their logs are in {home / 'logs'}", soft_wrap=True)
        sandbox, dbservice, generator = map(start, ("sandbox", "dbservice", "generator"))
        environment["TELEGRAM_API_URL"] = f"http://{sandbox.address()}"
        try:
            yield House(environment["TELEGRAM_API_URL"], start_bot, processes)
        finally:
            for process in reversed(processes):
                process.ask_to_stop()
