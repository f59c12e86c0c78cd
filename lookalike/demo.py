"""`lookalike demo PHOTO`: all four processes, and a user who sends a photo.

It plays the user over the sandbox's HTTP, as a person's client would: it sees the chat and nothing
else.
"""

import fcntl
import re
import signal
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import requests
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lookalike.errors import StartError
from lookalike.processes import ServiceProcess, clean_environment
from lookalike.settings import Settings
from lookalike.tokens import service_token

_USER = 1001  # a private chat has its user's id
_BOT = 100001
_SILENCE_SECONDS = 60.0
_PATIENCE_SECONDS = 600.0

Json = dict[str, Any]


def run(photo: Path) -> int:
    """Sends the photo and shows what comes back.

    Returns:
        The exit code: 0 if a picture came.
    """
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, _exit)
    try:
        home = Settings.load().folder("demo")
        with _lock(home), _services(home, console) as sandbox:
            return _Chat(sandbox, console).send(photo, home / "pictures")
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
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartError(f"another demo runs in {home}.") from None
        yield


@contextmanager
def _services(home: Path, console: Console) -> Generator[str, None, None]:
    """Starts all four; gives the sandbox's address."""
    environment = clean_environment() | {
        "LOOKALIKE_HOME": str(home),
        "TELEGRAM_BOT_TOKEN": f"{_BOT}:{service_token(home)}",
        "CAPTIONER": "offline",
        "GENERATOR_MODEL": "emoji",
        "BOT_POLL_SECONDS": "0.5",
        "SANDBOX_LISTEN": "127.0.0.1:0",
        "DBSERVICE_LISTEN": "127.0.0.1:0",
        "GENERATOR_LISTEN": "127.0.0.1:0",
        "BOT_HEALTH_LISTEN": "127.0.0.1:0",
    }
    with ExitStack() as stack:

        def start(name: str) -> ServiceProcess:
            process = ServiceProcess(name, environment, home, home / "logs" / f"{name}.log")
            stack.callback(process.stop)
            return process

        console.print(f"Starting the services; their logs are in {home / 'logs'}", soft_wrap=True)
        sandbox, dbservice, generator = map(start, ("sandbox", "dbservice", "generator"))
        environment["TELEGRAM_API_URL"] = f"http://{sandbox.address()}"
        environment["DBSERVICE_ADDRESS"] = dbservice.address()
        environment["GENERATOR_URL"] = f"http://{generator.address()}"
        bot = start("bot")
        bot.address()
        yield environment["TELEGRAM_API_URL"]
        for process in (bot, generator, dbservice, sandbox):
            process.ask_to_stop()


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
        self._call("POST", "/users", json={"id": _USER, "first_name": "You"})
        with photo.open("rb") as file:
            sent = self._call(
                "POST", f"/chats/{_USER}/messages", data={"user": _USER}, files={"photo": file}
            )[0]
        self._console.print(f"[bold]You[/] sent {photo}")
        picture = self._watch(sent["message_id"], after)
        if picture is None:
            return 1
        response = self._session.get(f"{self._api}/files/{picture}", timeout=30)
        response.raise_for_status()
        folder.mkdir(exist_ok=True)
        target = folder / f"{photo.stem}-{sent['message_id']}.png"
        target.write_bytes(response.content)
        self._console.print(f"The picture is in {target}", soft_wrap=True)
        return 0

    def _watch(self, photo_id: int, after: int) -> str | None:
        """Shows what the bot answers to the photo; gives the picture's file_id."""
        status_id = 0
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        ) as progress:
            bar = progress.add_task("Waiting for the bot", total=100)
            for event in self._events(after):
                message = event["data"].get("message", {})
                if event["kind"] == "edit" and message["message_id"] == status_id:
                    _show(progress, bar, message["text"])
                if event["kind"] != "message" or not message["from"]["is_bot"]:
                    continue
                if message.get("reply_to_message", {}).get("message_id") != photo_id:
                    continue
                if "photo" in message:
                    progress.update(bar, completed=100)
                    self._console.print(f"[bold]Bot[/]: (a picture) {message['caption']}")
                    return str(message["photo"][-1]["file_id"])
                if "reply_markup" in message:
                    status_id = message["message_id"]
                    _show(progress, bar, message["text"])
                    continue
                self._console.print(f"[bold]Bot[/]: {message['text']}")
                if not message["text"].endswith(")"):  # the caption ends with who says it
                    return None  # this is why no picture comes
        self._console.print("No picture has come; the logs may say why.")
        return None

    def _events(self, after: int) -> Iterator[Json]:
        """What happens in the chat, until it has been silent for too long."""
        end = time.monotonic() + _PATIENCE_SECONDS
        heard = time.monotonic()
        while time.monotonic() < end and time.monotonic() - heard < _SILENCE_SECONDS:
            answer = self._get(f"/events?after={after}&wait=5&kind=message&kind=edit")
            after = answer["last"]
            for event in answer["events"]:
                if event["data"]["chat_id"] == _USER:
                    heard = time.monotonic()
                    yield event

    def _get(self, path: str) -> Json:
        answer: Json = self._call("GET", path)
        return answer

    def _call(self, method: str, path: str, **content: Any) -> Any:
        response = self._session.request(method, self._api + path, timeout=70, **content)
        if not response.ok:
            raise StartError(f"the photo was not taken: {response.json()['detail']}")
        return response.json()


def _show(progress: Progress, bar: Any, text: str) -> None:
    percent = re.search(r"(\d+)%", text)
    progress.update(bar, description=text, completed=int(percent.group(1)) if percent else 0)
