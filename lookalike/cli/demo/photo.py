"""`lookalike demo PHOTO`: a user who sends a photo.

The user is played over the sandbox's HTTP, as a person's client would do it: it sees the chat and
nothing else.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from lookalike.cli.demo.pair import write_pair
from lookalike.cli.demo.session import running_stack
from lookalike.errors import StartError

_USER = 1001  # a private chat has its user's id
_SILENCE_SECONDS = 60.0
_MOST_SECONDS = 600.0

Json = dict[str, Any]


def play(photo: Path, home: Path, console: Console) -> int:
    """Sends the photo and shows what comes back.

    Returns:
        The exit code: 0 if a picture came.
    """
    with running_stack(home, console, "127.0.0.1:0") as stack:
        stack.start("bot")
        return _Chat(stack.url("sandbox"), console).send(photo, home / "pictures")


class _Chat:
    """The user's private chat with the bot."""

    def __init__(self, sandbox: str, console: Console) -> None:
        self._api = f"{sandbox}/sandbox"
        self._console = console
        self._session = requests.Session()
        self._session.trust_env = False

    def send(self, photo: Path, folder: Path) -> int:
        """Sends the photo, shows the answers, and writes the picture into `folder`."""
        after = self._get("/events")["last"]
        self._call("POST", "/users", json={"id": _USER, "first_name": "Robin"})
        with photo.open("rb") as file:
            sent = self._call(
                "POST", f"/chats/{_USER}/messages", data={"user": _USER}, files={"photo": file}
            )[0]
        self._say("You", f" sent {photo}")
        picture = self._watch(sent["message_id"], after)
        if picture is None:
            return 1
        response = self._session.get(f"{self._api}/files/{picture}", timeout=30)
        response.raise_for_status()
        folder.mkdir(exist_ok=True)
        target = folder / f"{photo.stem}-{sent['message_id']}.png"
        target.write_bytes(response.content)
        pair = target.with_stem(f"{target.stem}-pair")
        write_pair(photo, target, pair)
        self._console.print(f"The picture is in {target}", soft_wrap=True)
        self._console.print(f"Before and after, side by side: {pair}", soft_wrap=True)
        return 0

    def _watch(self, photo_id: int, after: int) -> str | None:
        """Shows what the bot answers to the photo.

        Returns:
            The picture's file_id; None if none came.
        """
        status_id = 0
        with Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        ) as progress:
            bar = progress.add_task("Waiting for the bot", total=100)
            for event in self._events(after):
                message = event["data"].get("message", {})
                if event["kind"] == "edit" and message["message_id"] == status_id:
                    # With the first preview the text becomes what stands under it.
                    _show(progress, bar, message.get("text") or message.get("caption", ""))
                if event["kind"] != "message" or not message["from"]["is_bot"]:
                    continue
                if message.get("reply_to_message", {}).get("message_id") != photo_id:
                    continue
                if "photo" in message:
                    progress.update(bar, completed=100)
                    self._say("Bot", f": (a picture) {message['caption']}")
                    return str(message["photo"][-1]["file_id"])
                if _can_be_cancelled(message):
                    status_id = message["message_id"]
                    _show(progress, bar, message["text"])
                    continue
                self._say("Bot", f": {message['text']}")
                if "reply_markup" not in message:  # a caption has a button
                    return None  # this text says why there is no picture
        self._console.print("No picture came; the logs may say why.")
        return None

    def _events(self, after: int) -> Iterator[Json]:
        """What happens in the chat, until it has been silent for too long."""
        end = time.monotonic() + _MOST_SECONDS
        heard = time.monotonic()
        while time.monotonic() < end and time.monotonic() - heard < _SILENCE_SECONDS:
            answer = self._get(f"/events?after={after}&wait=5&kind=message&kind=edit")
            after = answer["last"]
            for event in answer["events"]:
                if event["data"]["chat_id"] == _USER:
                    heard = time.monotonic()
                    yield event

    def _say(self, who: str, what: str) -> None:
        # Not as markup, which brackets in a name or a text would be taken for.
        self._console.print(Text.assemble((who, "bold"), what))

    def _get(self, path: str) -> Json:
        answer: Json = self._call("GET", path)
        return answer

    def _call(self, method: str, path: str, **content: Any) -> Any:
        response = self._session.request(method, self._api + path, timeout=70, **content)
        if not response.ok:
            raise StartError(f"the photo was not accepted: {response.json()['detail']}")
        return response.json()


def _can_be_cancelled(message: Json) -> bool:
    """Whether it is the status message, by the data of its button."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return any(each.get("callback_data", "").startswith("c:") for row in rows for each in row)


def _show(progress: Progress, bar: Any, text: str) -> None:
    percent = re.search(r"(\d+)%", text)
    progress.update(bar, description=text, completed=int(percent.group(1)) if percent else 0)
