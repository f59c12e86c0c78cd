"""All services on this machine, each as a process, in one home folder.

The demo runs them so, and so do the tests, the benchmarks and the soak.
"""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from lookalike.errors import StartError
from lookalike.files import make_home
from lookalike.processes.environment import clean_environment
from lookalike.processes.service import ServiceProcess

_CLIENT: Final = "bot"
"""It starts last and stops first, for it uses the others."""


@dataclass(frozen=True)
class _Port:
    """How a service is told where it listens, and how the others are.

    Attributes:
        listen: the service's variable.
        scheme: what stands before the address in a URL.
        address: the others' variable; "" where nobody else connects.
    """

    listen: str
    scheme: str
    address: str


_PORTS: Final = {
    "sandbox": _Port("SANDBOX_LISTEN", "http://", "TELEGRAM_API_URL"),
    "dbservice": _Port("DBSERVICE_LISTEN", "", "DBSERVICE_ADDRESS"),
    "generator": _Port("GENERATOR_LISTEN", "http://", "GENERATOR_URL"),
    "bot": _Port("BOT_LISTEN", "http://", ""),
}

SERVICES: Final = tuple(_PORTS)
"""Their names, in the order of their start."""


class Stack:
    """The services, started and stopped by name.

    A service takes any free port, unless its setting (`DBSERVICE_LISTEN` and so on) names one, and
    keeps it when it is started again. Only the bot, which tells Telegram itself where it is, may
    take another one. It is told where those listen that were started before it. At the end of a
    `with` statement all are stopped.

    Attributes:
        home: their `LOOKALIKE_HOME` and working directory; the logs are in its folder `logs`.
    """

    def __init__(self, home: Path, settings: Mapping[str, str]) -> None:
        """Starts nothing.

        Args:
            home: made at the first start if it is not there.
            settings: environment variables of all services.
        """
        self.home = home
        self._settings = {port.listen: "127.0.0.1:0" for port in _PORTS.values()} | dict(settings)
        self._processes: dict[str, ServiceProcess] = {}
        self._addresses = {
            name: address
            for name, port in _PORTS.items()
            if not (address := self._settings[port.listen]).endswith(":0")
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """All environment variables of a service that would be started now."""
        found = {**clean_environment(), "LOOKALIKE_HOME": str(self.home), **self._settings}
        for name, address in self._addresses.items():
            port = _PORTS[name]
            found[port.listen] = address
            if port.address:
                found.setdefault(port.address, port.scheme + address)
        return found

    def launch(self, name: str, **settings: str) -> ServiceProcess:
        """Starts a service without waiting until it listens; leaves it alone if it runs.

        Args:
            name: which.
            settings: environment variables for it alone, this time.

        Raises:
            StartError: the bot's turn came, and a service that it uses does not listen.
        """
        before = self._processes.get(name)
        if before is not None:
            if before.running:
                return before
            before.stop()
        if name == _CLIENT:
            self._addresses = {other: self.address(other) for other in self._others()}
        make_home(self.home)
        environment = self.environment | settings
        process = ServiceProcess(name, environment, self.home, self.log_file(name))
        self._processes[name] = process
        return process

    def _others(self) -> set[str]:
        """What the bot uses, as far as it was started or its address given.

        The bot's own address is not among it, for it may take another one each time.
        """
        return (self._processes.keys() | self._addresses.keys()) - {_CLIENT}

    def start(self, *names: str, **settings: str) -> None:
        """Starts services, or all, and waits until they listen; leaves alone what runs.

        Args:
            names: which; none: all.
            settings: environment variables for these alone, this time.

        Raises:
            StartError: a service has ended instead, or takes too long.
        """
        chosen = [name for name in SERVICES if name in (names or SERVICES)]
        launched = {name: self.launch(name, **settings) for name in chosen}
        self._addresses |= {name: process.address() for name, process in launched.items()}

    def stop(self, *names: str) -> dict[str, int]:
        """Stops services, or all, within their time: the bot first, the others together.

        Returns:
            The exit codes of those that had been started.
        """
        chosen = [name for name in self._processes if name in (names or SERVICES)]
        stopping = {name: self._processes.pop(name) for name in chosen}
        codes = {}
        if _CLIENT in stopping:
            codes[_CLIENT] = stopping.pop(_CLIENT).stop()
        for process in stopping.values():
            process.ask_to_stop()
        return codes | {name: process.stop() for name, process in stopping.items()}

    def kill(self, name: str) -> None:
        """Kills a service as a crash would."""
        self._processes.pop(name).kill()

    def freeze(self, name: str) -> None:
        """Holds a service still, as a machine does that has no time for it."""
        self._processes[name].popen.send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Lets a frozen service go on."""
        self._processes[name].popen.send_signal(signal.SIGCONT)

    def check(self) -> None:
        """Looks whether all that were started still run.

        Raises:
            StartError: one has ended; it says why.
        """
        for process in self._processes.values():
            if not process.running:
                raise StartError(process.failure())

    def process(self, name: str) -> ServiceProcess:
        """A service that was started."""
        return self._processes[name]

    def address(self, name: str) -> str:
        """Where a service listens, as host:port; waits where that is not known yet.

        Raises:
            StartError: it has ended instead, or takes too long.
        """
        if name not in self._addresses:
            self._addresses[name] = self._processes[name].address()
        return self._addresses[name]

    def url(self, name: str) -> str:
        """Where a service answers HTTP."""
        return f"http://{self.address(name)}"

    def log_file(self, name: str) -> Path:
        """The file that a service's log goes to."""
        return self.home / "logs" / f"{name}.log"
