"""A reader's machine: a copy of the repository, a home, and a shell to type commands at."""

import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from lookalike.processes import clean_environment
from tests.commands import Command
from tests.docs.documents import ROOT

_NOT_COPIED: Final = (
    ".git",
    ".venv",
    ".env",
    "build",
    "dist",
    "*.egg-info",
    ".*_cache",
)
_SECONDS: Final = 120


def link_venv(folder: Path) -> None:
    """Gives a copy of the repository these tests' environment, with the stamp of `make setup`."""
    venv = folder / ".venv"
    venv.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (venv / name).symlink_to(Path(sys.prefix) / name)
    (venv / ".ready").touch()


class Workshop:
    """Runs commands as they stand in the documents, in the folder that they speak of.

    Attributes:
        folder: the copy of the repository, with a `.venv` that is set up.
        home: the reader's home folder.
        environment: what every command gets.
        instead: what is put in the place of words in a command: addresses that this machine may
            have no room for, and hosts elsewhere.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(
            shutil.copytree(ROOT, folder / "lookalike", ignore=shutil.ignore_patterns(*_NOT_COPIED))
        )
        link_venv(self.folder)
        self.home = folder / "home"
        self.home.mkdir()
        self.environment = {
            **{name: value for name, value in clean_environment().items() if name[:3] != "HF_"},
            "HOME": str(self.home),
            "OMP_NUM_THREADS": "2",
        }
        for variable in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "DISPLAY", "WAYLAND_DISPLAY"):
            self.environment.pop(variable, None)
        self.instead: dict[str, str] = {}

    def put_in_place(self, text: str) -> str:
        """The text with what stands `instead`."""
        for words, other in self.instead.items():
            text = text.replace(words, other)
        return text

    def run(self, command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Types a command and waits for its end."""
        return self._run(["sh", "-c", self.put_in_place(command)], more)

    def python(self, text: str) -> subprocess.CompletedProcess[str]:
        """Gives a text to `.venv/bin/python`."""
        return self._run([".venv/bin/python", "-c", self.put_in_place(text)], {})

    def _run(self, arguments: list[str], more: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments,
            cwd=self.folder,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def succeed(self, command: str, **more: str) -> str:
        """What a command says that ends well."""
        done = self.run(command, **more)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def type(self, command: str) -> Command:
        """Types a command and does not wait for its end."""
        settings, arguments = _split(self.put_in_place(command))
        return Command(arguments, self.folder, self.environment | settings)

    @contextmanager
    def running(self, command: str, until: str) -> Generator[Command, None, None]:
        """A command that runs until it is stopped, once it has printed that it is up."""
        running = self.type(command)
        try:
            running.wait_for(until)
            yield running
        finally:
            running.kill()


def interrupt(command: Command) -> None:
    """Presses Ctrl-C, for the program itself and not for `make` around it."""
    process = psutil.Process(command.popen.pid)
    while process.name() == "make":
        (process,) = process.children()
    process.send_signal(signal.SIGINT)


def _split(command: str) -> tuple[dict[str, str], list[str]]:
    """The variables that a command sets for itself, and the command."""
    words = shlex.split(command)
    settings = dict[str, str]()
    while match := re.fullmatch(r"([A-Z_]+)=(.*)", words[0]):
        settings[match[1]] = match[2]
        words = words[1:]
    return settings, words
