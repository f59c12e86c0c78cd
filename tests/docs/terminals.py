"""Services in terminals of their own, as a reader starts them."""

from collections.abc import Sequence
from typing import Any

import requests
from PIL import Image
from skimage import data

from tests.commands import Command
from tests.docs.workshop import Workshop, interrupt
from tests.stack import free_port
from tests.waiting import wait_until


class Terminals:
    """The services, each as its command, from the `.env` that the page gives.

    Attributes:
        workshop: where they run; its home folder is where the documents suppose it.
        user: somebody with one photo, and its picture.
    """

    user = 1001

    def __init__(self, workshop: Workshop, commands: Sequence[str], settings: str) -> None:
        self.workshop = workshop
        ports = {5000 + n: free_port() for n in range(4)}
        workshop.instead = {f"127.0.0.1:{old}": f"127.0.0.1:{new}" for old, new in ports.items()}
        listen = ("SANDBOX_LISTEN", "GENERATOR_LISTEN", "DBSERVICE_LISTEN", "BOT_LISTEN")
        addresses = {name: f"127.0.0.1:{ports[5000 + n]}" for n, name in enumerate(listen)}
        workshop.environment |= {
            **addresses,
            "DBSERVICE_ADDRESS": addresses["DBSERVICE_LISTEN"],
            "GENERATOR_URL": f"http://{addresses['GENERATOR_LISTEN']}",
            "BOT_POLL_SECONDS": "0.2",
        }
        self.sandbox = f"http://{addresses['SANDBOX_LISTEN']}/sandbox"
        (workshop.folder / ".env").write_text(workshop.put_in_place(settings))
        share = workshop.home / ".local" / "share"
        share.mkdir(parents=True)
        (share / "lookalike").symlink_to(workshop.folder / "build" / "home")
        self._commands = {command.split()[-1]: command for command in commands}
        self._running: dict[str, Command] = {}

    def start(self, *names: str) -> None:
        for name in names:
            self._running[name] = self.workshop.type(self._commands[name])
        for name in names:
            self._running[name].wait_for("Listening on ")

    def stop(self, *names: str) -> None:
        stopping = [self._running.pop(name) for name in names or tuple(self._running)]
        for running in stopping:
            interrupt(running)
        for running in stopping:
            assert running.end() == 0, running.output
            assert "Traceback" not in running.output

    def kill(self) -> None:
        for running in self._running.values():
            running.kill()

    def send_photo(self) -> None:
        user = {"id": self.user, "first_name": "Ada"}
        requests.post(f"{self.sandbox}/users", json=user, timeout=10).raise_for_status()
        Image.fromarray(data.chelsea()).save(self.workshop.folder / "cat.jpg")
        with (self.workshop.folder / "cat.jpg").open("rb") as file:
            requests.post(
                self._messages, data={"user": self.user}, files={"photo": file}, timeout=10
            ).raise_for_status()
        wait_until(lambda: any(self._is_picture(message) for message in self._read()))

    @property
    def _messages(self) -> str:
        return f"{self.sandbox}/chats/{self.user}/messages"

    def _read(self) -> list[Any]:
        messages: list[Any] = requests.get(self._messages, timeout=10).json()
        return messages

    @staticmethod
    def _is_picture(message: Any) -> bool:
        return "photo" in message and message["from"]["is_bot"]
