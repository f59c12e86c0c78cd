"""All four processes on one machine, as a person would run them."""

import re
import signal
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import requests

from lookalike.processes import ServiceProcess, clean_environment
from tests.generator.stack import XML, job

TOKEN: Final = "10001:end-to-end-tests-token-of-the-sandbox"
SERVICES: Final = ("sandbox", "dbservice", "generator", "bot")


def free_port() -> int:
    """A port that nobody listens on; it stays the same over restarts of a service."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class House:
    """The services, their addresses and their logs."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        ports = {name: free_port() for name in SERVICES}
        self.sandbox_url = f"http://127.0.0.1:{ports['sandbox']}"
        self.dbservice_address = f"127.0.0.1:{ports['dbservice']}"
        self.generator_url = f"http://127.0.0.1:{ports['generator']}"
        self.health_url = f"http://127.0.0.1:{ports['bot']}"
        self.environment = {
            **clean_environment(),
            "LOOKALIKE_HOME": str(folder / "home"),
            "OMP_NUM_THREADS": "2",
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": self.sandbox_url,
            "SANDBOX_LISTEN": f"127.0.0.1:{ports['sandbox']}",
            "DBSERVICE_LISTEN": self.dbservice_address,
            "DBSERVICE_ADDRESS": self.dbservice_address,
            "GENERATOR_LISTEN": f"127.0.0.1:{ports['generator']}",
            "GENERATOR_URL": self.generator_url,
            "GENERATOR_MODEL": "emoji",
            "BOT_LISTEN": f"127.0.0.1:{ports['bot']}",
            "BOT_POLL_SECONDS": "0.2",
            **settings,
        }
        self._processes: dict[str, ServiceProcess] = {}

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def token(self) -> str:
        """The bearer token between the services."""
        return (self.home / "service-token").read_text()

    def launch(self, name: str, **settings: str) -> None:
        """Starts a service without waiting for it."""
        environment = {**self.environment, **settings}
        log = self.folder / f"{name}.log"
        self._processes[name] = ServiceProcess(name, environment, self.folder, log)

    def start(self, name: str, **settings: str) -> None:
        """Starts a service, with other settings if need be, and waits until it listens."""
        self.launch(name, **settings)
        self._processes[name].address()

    def start_all(self) -> None:
        for name in SERVICES[:-1]:
            self.launch(name)
        for name in SERVICES[:-1]:
            self._processes[name].address()
        self.start("bot")

    def kill(self, name: str) -> None:
        """Kills a service as a crash would."""
        self._processes.pop(name).kill()

    def stop(self, name: str) -> int:
        """Asks a service to stop; gives its exit code."""
        return self._processes.pop(name).stop()

    def stop_all(self) -> None:
        """Stops what runs; every service must end well."""
        codes = {name: self.stop(name) for name in reversed(SERVICES) if name in self._processes}
        assert set(codes.values()) <= {0}, codes

    def freeze(self, name: str) -> None:
        """Holds a service still, as a machine does that has no time for it."""
        self._processes[name].popen.send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._processes[name].popen.send_signal(signal.SIGCONT)

    @contextmanager
    def occupied(self) -> Generator[None]:
        """Gives the generator minutes of work, withdrawn at the end: who comes meanwhile waits."""
        headers = {"Authorization": f"Bearer {self.token}", **XML}
        urls = [f"{self.generator_url}/v1/jobs/{uuid4()}" for _ in range(10)]
        for n, url in enumerate(urls):
            work = job(owner=f"occupant {n}", width=1024, height=1024, steps=150)
            requests.put(url, work, headers=headers, timeout=10).raise_for_status()
        try:
            yield
        finally:
            for url in urls:
                requests.delete(url, headers=headers, timeout=10).raise_for_status()

    def ensure_running(self) -> None:
        """Brings back what a test has left dead."""
        for name in SERVICES:
            if name in self._processes and not self._processes[name].running:
                self.stop(name)
            if name not in self._processes:
                self.start(name)

    def pid(self, name: str) -> int:
        return self._processes[name].popen.pid

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def mark_logs(self) -> dict[str, int]:
        """How long each log is now."""
        return {name: len(self.log(name)) for name in SERVICES}

    def check_logs(self, marks: Mapping[str, int]) -> None:
        """No traceback, no secret, since then."""
        for name in SERVICES:
            log = self.log(name)[marks[name] :]
            assert "Traceback" not in log, re.split("(?=Traceback)", log)[1][:5000]
            assert TOKEN.partition(":")[2] not in log
            assert self.token not in log
