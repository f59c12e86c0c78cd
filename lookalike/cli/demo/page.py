"""`lookalike demo`: the chat page, in the browser, until Ctrl-C."""

import getpass
import os
import signal
import socket
import sys
import threading
import time
import webbrowser
from pathlib import Path
from urllib.parse import urlsplit

import requests
from rich.console import Console

from lookalike.cli.demo.session import STOPPED, running_stack
from lookalike.processes.stack import Stack
from lookalike.settings import ListenAddress, Settings

_LOOK_SECONDS = 0.25

_WHAT_TO_TRY = """\
  Click one of the photos there, drop one of your own on the page, or paste one.
  A second window can be a second person: click the picture at the top left.
  Ctrl-C stops everything; the conversation is kept.
"""

_ELSEWHERE = """\
  The page is for this machine alone. To open it on a phone (Termux has ssh) or another
  computer, run this there, and open the same address:

    ssh {ports} {user}@{host}
"""


class _Listen(Settings):
    """Where the page is served, as the sandbox is told."""

    sandbox_listen: ListenAddress = "127.0.0.1:5000"


def play(home: Path, console: Console, *, port: int | None, browser: bool) -> int:
    """Serves the page until Ctrl-C.

    Args:
        home: where everything is kept.
        console: where it is told.
        port: where the page is; None: where SANDBOX_LISTEN says.
        browser: whether one is opened, if anybody could see it.

    Returns:
        The exit code.
    """
    listen = f"127.0.0.1:{port}" if port else _Listen.load().sandbox_listen
    with running_stack(home, console, listen) as stack:
        url = stack.url("sandbox")
        wanted, found = listen.rpartition(":")[2], str(urlsplit(url).port)
        if wanted not in {found, "0"}:
            console.print(f"Port {wanted} is taken; the page is on another one.")
        console.print(f"\n  {url}/\n", style="bold")
        console.print(_WHAT_TO_TRY)
        if browser and _has_desktop():
            threading.Thread(target=_open_browser, args=(f"{url}/",), daemon=True).start()
        try:
            with console.status("Starting the bot…") as status:
                _turn_on_inline_mode(url)
                stack.start("bot")
                console.print(_elsewhere(stack), soft_wrap=True)
                status.update("Loading the models; you can send photos already…")
                _wait_until_ready(stack)
            console.print("Everything is ready.")
            _wait_for_an_end(stack)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # what follows ends by itself
            console.print("\nStopping…")
    console.print(STOPPED)
    return 0


def _elsewhere(stack: Stack) -> str:
    """How to open the page, and the gallery in it, on another machine."""
    ports = (urlsplit(stack.url(name)).port for name in ("sandbox", "bot"))
    return _ELSEWHERE.format(
        ports=" ".join(f"-L {port}:127.0.0.1:{port}" for port in ports),
        user=getpass.getuser(),
        host=socket.gethostname(),
    )


def _turn_on_inline_mode(url: str) -> None:
    """What @BotFather would do: the bot looks at its start, and pictures can be shared then."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.put(f"{url}/sandbox/inline", json={"enabled": True}, timeout=10)
        answer.raise_for_status()


def _has_desktop() -> bool:
    """Whether a browser could open a window that somebody sees."""
    if sys.platform == "darwin":
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open_browser(url: str) -> None:
    try:
        webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return  # the address is on the screen


def _wait_until_ready(stack: Stack) -> None:
    """Returns when the bot, and what it needs, is ready.

    Raises:
        StartError: a service has ended.
    """
    with requests.Session() as session:
        session.trust_env = False
        while not _is_ready(session, stack.url("bot")):
            stack.check()
            time.sleep(_LOOK_SECONDS)


def _is_ready(session: requests.Session, bot: str) -> bool:
    try:
        return session.get(f"{bot}/health/ready", timeout=10).ok
    except requests.RequestException:
        return False  # the bot may have ended, which `check` tells


def _wait_for_an_end(stack: Stack) -> None:
    """Waits until a service ends, and raises StartError then."""
    while True:
        stack.check()
        time.sleep(_LOOK_SECONDS)
