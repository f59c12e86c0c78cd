"""Measures how soon a photo has its caption in both ways in which updates come, in turns.

    python -m benchmarks.ways

The processes are the real ones, and the sandbox is Telegram: on one machine neither way has a
network to cross.
"""

import io
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

import requests
from PIL import Image

from lookalike.processes.stack import Stack

_ROUNDS = 6
_PHOTOS = 6  # in a round, of each way
_SECONDS = 30

_WAYS: Final = {"polling": "", "a webhook": "http://127.0.0.1:0"}
"""What BOT_PUBLIC_URL is."""


def measure() -> list[tuple[str, str, str]]:
    """Milliseconds from a photo to its caption, each way, and one as a part of the other.

    What a way costs shows in the fastest: others waited for the machine as well.
    """
    settings = {
        "TELEGRAM_BOT_TOKEN": "10001:a-token-of-the-sandbox-alone",
        "BOT_ACCESS": "everyone",
        "CAPTIONER": "offline",
    }
    waits: dict[str, list[float]] = {way: [] for way in _WAYS}
    with (
        tempfile.TemporaryDirectory() as name,
        Stack(Path(name), settings) as stack,
        requests.Session() as people,
    ):
        people.trust_env = False
        stack.start("dbservice", "sandbox")
        for _ in range(_ROUNDS):
            for way, url in _WAYS.items():
                stack.start("bot", BOT_PUBLIC_URL=url)
                _wait_for_caption(people, stack.url("sandbox"))  # it has begun, and is warm
                for _ in range(_PHOTOS):
                    waits[way].append(_wait_for_caption(people, stack.url("sandbox")))
                stack.stop("bot")
    polling, webhook = (min(seconds) for seconds in waits.values())
    found = [
        (f"a photo's caption by {way}: median, fastest", _in_words(seconds), "")
        for way, seconds in waits.items()
    ]
    ratio = f"{webhook / polling:.2f} times"
    return [*found, ("the fastest by a webhook, of that by polling", ratio, "1.1 times")]


def _in_words(seconds: list[float]) -> str:
    return f"{1000 * statistics.median(seconds):.0f} ms, {1000 * min(seconds):.0f} ms"


def _wait_for_caption(people: requests.Session, sandbox: str) -> float:
    """A new person sends a photo; seconds until the first words about it."""
    api = f"{sandbox}/sandbox"
    user = people.post(f"{api}/users", json={"first_name": "Ada"}, timeout=_SECONDS).json()["id"]
    after = people.get(f"{api}/events", timeout=_SECONDS).json()["last"]
    began = time.perf_counter()
    people.post(
        f"{api}/chats/{user}/messages",
        data={"user": user},
        files={"photo": _photo()},
        timeout=_SECONDS,
    ).raise_for_status()
    while time.perf_counter() < began + _SECONDS:
        found = people.get(
            f"{api}/events",
            params={"after": after, "wait": 1, "kind": "message"},
            timeout=_SECONDS,
        ).json()
        after = found["last"]
        for event in found["events"]:
            message = event["data"]["message"]
            if event["data"]["chat_id"] == user and message["from"]["is_bot"]:
                return time.perf_counter() - began
    raise TimeoutError("no caption came")


def _photo() -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((1280, 960)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


if __name__ == "__main__":
    for name, value, bar in measure():
        print(f"{name}: {value}{f' (bar: {bar})' if bar else ''}")
