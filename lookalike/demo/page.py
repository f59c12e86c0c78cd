"""`lookalike demo`: the chat page, in the browser, until Ctrl-C."""

import os
import signal
import sys
import threading
import time
import webbrowser
from pathlib import Path

import requests
from rich.console import Console

from lookalike import lifecycle
from lookalike.demo.house import House, open_house
from lookalike.errors import StartError

_FIRST_PORT = 5000
_PORTS = 20
_LOOK_SECONDS = 0.25

_WHAT_TO_TRY = """\
  Click on one of the photos there, drop one of yours on the page, or paste one.
  A second window can be a second person: the picture at the top left.
  Ctrl-C stops everything; the conversation is kept.
"""


def play(home: Path, console: Console) -> int:
    """Serves the page and waits; gives the exit code."""
    listen = f"127.0.0.1:{_free_port(console)}"
    with open_house(home, console, listen) as house:
        console.print(f"\n  [bold]{house.sandbox}/[/]\n")
        console.print(_WHAT_TO_TRY)
        if _has_desktop():
            threading.Thread(target=_open_browser, args=(f"{house.sandbox}/",), daemon=True).start()
        try:
            with console.status("Starting the bot…") as status:
                bot = house.start_bot()
                status.update("Loading the models; photos are taken already…")
                _wait_until_ready(house, bot)
            console.print("Everything is ready.")
            _wait_for_an_end(house)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # what follows ends by itself
            console.print("\nStopping…")
    console.print("Stopped. The next demo goes on where this one was.")
    return 0


def _free_port(console: Console) -> int:
    """The first free port from 5000 on."""
    for port in range(_FIRST_PORT, _FIRST_PORT + _PORTS):
        try:
            lifecycle.bind(f"127.0.0.1:{port}", "the page").close()
        except StartError:
            continue
        if port != _FIRST_PORT:
            console.print(f"Port {_FIRST_PORT} is taken; the page is on {port}.")
        return port
    raise StartError(f"no port from {_FIRST_PORT} to {_FIRST_PORT + _PORTS - 1} is free.")


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


def _wait_until_ready(house: House, bot: str) -> None:
    """Returns when the bot, and what it needs, is ready."""
    with requests.Session() as session:
        session.trust_env = False
        while not session.get(f"http://{bot}/health/ready", timeout=10).ok:
            _check(house)
            time.sleep(_LOOK_SECONDS)


def _wait_for_an_end(house: House) -> None:
    while True:
        _check(house)
        time.sleep(_LOOK_SECONDS)


def _check(house: House) -> None:
    """Raises StartError if a process has ended, with its last words."""
    for process in house.processes:
        if not process.running:
            raise StartError(process.last_words())
