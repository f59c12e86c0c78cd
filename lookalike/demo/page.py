"""`lookalike demo`: the chat page, in the browser, until Ctrl-C."""

import os
import signal
import sys
import threading
import time
import webbrowser
from pathlib import Path
from urllib.parse import urlsplit

import requests
from rich.console import Console

from lookalike.demo.house import House, open_house
from lookalike.errors import StartError

_PORT = 5000
_LOOK_SECONDS = 0.25

_WHAT_TO_TRY = """\
  Click on one of the photos there, drop one of yours on the page, or paste one.
  A second window can be a second person: the picture at the top left.
  Ctrl-C stops everything; the conversation is kept.
"""


def play(home: Path, console: Console) -> int:
    """Serves the page and waits; gives the exit code."""
    with open_house(home, console, port=_PORT) as house:
        if urlsplit(house.sandbox).port != _PORT:
            console.print(f"Port {_PORT} is taken; the page is on another.")
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
