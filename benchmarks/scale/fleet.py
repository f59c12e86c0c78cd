"""So many of each service, each a process, on one PostgreSQL; and the sandbox, their Telegram."""

import contextlib
import signal
from collections import defaultdict
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Final, Self

import psutil

from benchmarks.scale.simulated import PICTURE_SECONDS
from lookalike.processes import ServiceProcess, clean_environment
from tests import postgresql
from tests.stack import TOKEN as BOT_TOKEN

SERVICE_TOKEN: Final = "the-token-between-the-services-of-a-benchmark"
POSTGRESQL: Final = "postgresql"

_ROOT = Path(__file__).parents[2]
_SIMULATED: Final = "benchmarks.scale.simulated"


class Fleet:
    """Processes by their kind and number; all share a database, bytes and a token.

    Attributes:
        addresses: where they listen, by kind, in the order of their start.
    """

    def __init__(
        self, home: Path, settings: Mapping[str, str], generator: str = _SIMULATED
    ) -> None:
        """Starts nothing.

        Args:
            home: of all of them, with their logs.
            settings: environment variables of all.
            generator: the module that is started as one.
        """
        self.addresses: dict[str, list[str]] = {}
        self._home = home
        self._settings = settings
        self._modules = {"generator": generator}
        self._settings_of: dict[str, Mapping[str, str]] = {}
        self._processes: dict[tuple[str, int], ServiceProcess] = {}
        self._postmaster: psutil.Process | None = None

    @classmethod
    @contextlib.contextmanager
    def on(
        cls,
        server: postgresql.Server | None,
        home: Path,
        settings: Mapping[str, str],
        generator: str = _SIMULATED,
    ) -> Generator[Self, None, None]:
        """A fleet on new databases, which are gone with it; see `__init__`.

        Without a server these are files of SQLite, and there is one of each service at most.
        """
        with contextlib.ExitStack() as stack:
            urls: dict[str, str] = {}
            if server is not None:
                for setting in ("DATABASE_URL", "GENERATOR_DATABASE_URL"):
                    name = server.create()
                    stack.callback(server.drop, name)
                    urls[setting] = server.url(name)
            fleet = cls(home, {**urls, **settings}, generator)
            stack.callback(fleet.stop)
            if server is not None:
                fleet._postmaster = psutil.Process(server.pid)
            yield fleet

    def start(self, kind: str, count: int = 1, **settings: str) -> None:
        """Starts so many of a kind, and waits until they listen.

        Args:
            kind: bot, dbservice, generator or sandbox.
            count: how many.
            settings: environment variables of all of this kind, from now on.
        """
        self._settings_of[kind] = settings
        first = len(self.addresses.get(kind, []))
        started = [
            self._launch(kind, number, "127.0.0.1:0") for number in range(first, first + count)
        ]
        self.addresses.setdefault(kind, []).extend(process.address() for process in started)

    def kill(self, kind: str, number: int) -> None:
        """Kills one as a crash would."""
        self._processes.pop((kind, number)).kill()

    def start_again(self, kind: str, number: int) -> None:
        """Starts one that has ended where it was, and waits until it listens."""
        if (ended := self._processes.pop((kind, number), None)) is not None:
            ended.wait()
        self._launch(kind, number, self.addresses[kind][number]).address()

    def exit_code(self, kind: str, number: int) -> int | None:
        """Of one that has ended by itself; None: it runs."""
        return self._processes[kind, number].popen.poll()

    def freeze(self, kind: str, number: int) -> None:
        """Holds one still."""
        self._processes[kind, number].popen.send_signal(signal.SIGSTOP)

    def thaw(self, kind: str, number: int) -> None:
        """Lets it go on."""
        self._processes[kind, number].popen.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Stops all, the bots first."""
        bots = [process for (kind, _), process in self._processes.items() if kind == "bot"]
        for together in (bots, self._processes.values()):
            for process in together:
                process.ask_to_stop()
            for process in together:
                process.stop()
        self._processes.clear()

    def cpu(self) -> dict[str, float]:
        """Seconds of processor so far, by kind, PostgreSQL's included."""
        found: defaultdict[str, float] = defaultdict(float)
        for (kind, _), process in self._processes.items():
            found[kind] += _seconds(psutil.Process(process.popen.pid))
        if self._postmaster is not None:
            found[POSTGRESQL] += _seconds(self._postmaster)
        return found

    def _launch(self, kind: str, number: int, listen: str) -> ServiceProcess:
        name = self._modules.get(kind, kind)
        environment = self.environment | {f"{kind.upper()}_LISTEN": listen}
        environment.update(self._settings_of[kind])
        log = self._home / "logs" / f"{kind}-{number}.log"
        process = ServiceProcess(name, environment, self._home, log)
        self._processes[kind, number] = process
        return process

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a process that would be started now, but for where it listens."""

        def url(other: str) -> str:
            return f"http://{self.addresses.get(other, ['127.0.0.1:1'])[0]}"

        return {
            **clean_environment(),
            "PYTHONPATH": str(_ROOT),
            "LOOKALIKE_HOME": str(self._home),
            "SERVICE_TOKEN": SERVICE_TOKEN,
            "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
            "TELEGRAM_API_URL": url("sandbox"),
            "DBSERVICE_ADDRESS": ",".join(self.addresses.get("dbservice", ["127.0.0.1:1"])),
            "GENERATOR_URL": url("generator"),
            PICTURE_SECONDS: "0",
            **self._settings,
        }


def _seconds(process: psutil.Process) -> float:
    """Of the process and its children, those that have ended included."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += times.user + times.system
            if each == process:
                total += times.children_user + times.children_system
    return total
