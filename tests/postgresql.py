"""A PostgreSQL of the tests' own: started by an unprivileged user, on a Unix socket, in a folder.

Debian's binaries, or those of `PATH`; `.ci/run` installs them. Where there are none, tests fail.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg

from lookalike.database import create_engine
from lookalike.migrations import migrate

_DEBIAN: Final = Path("/usr/lib/postgresql")
_USER: Final = "lookalike"
_PORT: Final = 5432  # of the socket's name
_OPTIONS: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "autovacuum": "off",
}


def _binaries() -> Path:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not versions:
        raise FileNotFoundError("There is no PostgreSQL: on Debian, apt-get install postgresql.")
    return versions[-1].parent


def _as_nobody() -> dict[str, Any]:
    """It refuses to be run by root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class Server:
    """A server with databases; each has a URL."""

    def __init__(self, folder: Path) -> None:
        """In an empty folder with a short path: that of a socket may have 107 bytes."""
        self._folder = folder
        self._data = folder / "data"
        self._as = _as_nobody()
        self._numbers = itertools.count(1)
        if self._as:
            os.chown(folder, self._as["user"], self._as["group"])
        self._run("initdb", "-N", "-A", "trust", "-U", _USER, "-E", "UTF8", "--locale=C")

    def start(self) -> None:
        """Starts it; returns when it answers."""
        options = " ".join(f"-c {name}={value!r}" for name, value in _OPTIONS.items())
        options += f" -c unix_socket_directories={self._folder}"
        self._run("pg_ctl", "-w", "-s", "-l", str(self._folder / "log"), "-o", options, "start")

    def crash(self) -> None:
        """Ends it at once, if it runs: it recovers at its next start."""
        # Not by pg_ctl: the last test to use it may be over, and processes are for slow ones.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            process = self.pid
            os.kill(process, signal.SIGQUIT)
            while True:
                os.kill(process, 0)
                time.sleep(0.01)

    @property
    def pid(self) -> int:
        """Of the process that starts all others; FileNotFoundError: it does not run."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def url(self, database: str) -> str:
        """A database's address."""
        return f"postgresql://{_USER}@/{database}?host={self._folder}&port={_PORT}"

    def create(self, template: str = "template0") -> str:
        """A new database's name."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def migrated(self, migrations: Path) -> str:
        """A new database with the tables that these migrations make; its name."""
        name = self.create()
        engine = create_engine(self.url(name))
        migrate(engine, migrations)
        engine.dispose()
        return name

    def drop(self, database: str) -> None:
        """Removes a database, whoever uses it."""
        self._execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_binaries() / program), "-D", str(self._data), *arguments]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
        subprocess.run(
            command, check=True, cwd="/", env=environment, stdout=subprocess.DEVNULL, **self._as
        )


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server while the context lasts; its folder goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        server = Server(folder)
        server.start()
        try:
            yield server
        finally:
            server.crash()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
