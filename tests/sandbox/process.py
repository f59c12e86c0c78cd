"""The sandbox as the process that it is."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.sandbox.conftest import TOKEN

_LISTENING = re.compile(r"Listening on (127\.0\.0\.1:[0-9]+)\.$")


class SandboxProcess:
    """`python -m sandbox`, started; `url` is where it serves, `log` what it wrote so far."""

    def __init__(
        self, home: Path, listen: str = "127.0.0.1:0", token: str = TOKEN, ports: int = 1
    ) -> None:
        environment = {
            **os.environ,
            "LOOKALIKE_HOME": str(home),
            "SANDBOX_LISTEN": listen,
            "SANDBOX_PORTS": str(ports),
            "TELEGRAM_BOT_TOKEN": token,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox"], env=environment, stderr=subprocess.PIPE, text=True
        )
        self.log: list[str] = []
        self._listening = threading.Event()
        self.url = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._listening.wait(30), self.log

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.log.append(line.rstrip())
            if found := _LISTENING.search(line):
                self.url = f"http://{found[1]}"
                self._listening.set()
        self._listening.set()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def end(self, number: signal.Signals) -> int:
        """Sends the signal and waits for the end; gives the exit code."""
        self._process.send_signal(number)
        code = self._process.wait(15)
        self._reader.join(5)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return code
