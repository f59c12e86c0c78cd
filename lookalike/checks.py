"""The checks that a service runs on itself for `lookalike doctor`, and what they find.

`python -m <service>.doctor` prints its findings on standard output, one JSON object a line; why,
and with which keys: docs/decisions/0009-doctor.md. A check looks and changes nothing,
but that in a bucket something is stored and deleted (lookalike/storage.py).
"""

import argparse
import asyncio
import http.client
import json
import logging
import os
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NoReturn, Self, TypeVar

from lookalike.disk import is_nearly_full
from lookalike.logs import RedactionFilter
from lookalike.redaction import all_secrets
from lookalike.settings import ENV_FILE, Settings, SettingsError

MODEL_MISSING = "model missing"
"""The check that fails where weights that are on the hub are not on this machine."""

START = "Start everything with `lookalike up`."
BUSY = "Try again when the machine has less to do."

VERSION_HEADER = "lookalike-version"
"""What a service answers a health check with besides, so that different versions are seen."""

NTP = "Have both machines set their clocks by NTP."

_CLOCK_DIFFERENCE = timedelta(seconds=5)
"""By more, what the log says and what is stored is hard to compare."""

_CHECK_SECONDS = 120.0
_CONNECT_SECONDS = 3.0
_LOW_BYTES = 2_000_000_000

_S = TypeVar("_S", bound=Settings)


class Mark(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: what was looked at, in a word or two.
        mark: how it is.
        summary: what was found, in one sentence.
        remedy: what to do about it; "" if there is nothing to do.
        passes: whether a failure may pass by itself, so that no start need wait for somebody.
    """

    check: str
    mark: Mark
    summary: str
    remedy: str = ""
    passes: bool = False

    def to_json(self) -> str:
        """As one line, without the line's end."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> Self:
        """What `to_json` wrote.

        Raises:
            ValueError: it did not write this.
        """
        try:
            fields = json.loads(line)
            return cls(**{**fields, "mark": Mark(fields["mark"])})
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"This is no finding: {line}") from error


def ok(check: str, summary: str, remedy: str = "") -> Finding:
    """It works."""
    return Finding(check, Mark.OK, summary, remedy)


def warning(check: str, summary: str, remedy: str = "") -> Finding:
    """It works, but somebody should know about this."""
    return Finding(check, Mark.WARNING, summary, remedy)


def failed(check: str, summary: str, remedy: str, *, passes: bool = False) -> Finding:
    """It does not work."""
    return Finding(check, Mark.FAILED, summary, remedy, passes)


Check = Callable[[_S], Awaitable[list[Finding]]]


def run(
    service: str,
    settings: type[_S],
    checks: Mapping[str, Check[_S]],
    *,
    start: Mapping[str, Check[_S]] | None = None,
    paid: Mapping[str, Check[_S]] | None = None,
) -> NoReturn:
    """Runs the checks at the same time, prints each one's findings as they come, and exits.

    The arguments of the command line choose: `--only NAME` (repeatable) runs only these checks,
    `--start` only those of `start`, `--spend` also those of `paid`. `--env-file FILE` takes another
    `.env`, such as one that is about to be written.

    Args:
        service: whose checks they are.
        settings: the service's settings.
        checks: the checks by name.
        start: those to be made before anything starts; they take a moment.
        paid: those that cost money.
    """
    parser = argparse.ArgumentParser(prog=f"{service}.doctor")
    parser.add_argument("--only", action="append", choices=list(checks))
    parser.add_argument("--start", action="store_true")
    parser.add_argument("--spend", action="store_true")
    parser.add_argument("--env-file", type=Path, default=ENV_FILE)
    arguments = parser.parse_args()
    logging.disable()  # whatever there is to say becomes a finding
    chosen = {name: check for name, check in checks.items() if name in (arguments.only or checks)}
    if arguments.start:
        chosen = dict(start or {})
    if arguments.spend:
        chosen |= paid or {}
    try:
        loaded = settings.load(arguments.env_file)
    except SettingsError as error:
        for fault in error.faults:
            _print(failed("settings", fault, "Correct it in .env."))
        sys.exit(0)
    own = [*loaded.given_secrets(), loaded.known_token() or ""]
    redaction = RedactionFilter(all_secrets(own))
    asyncio.run(_run_all(loaded, chosen, redaction))
    sys.exit(0)


def _print(finding: Finding) -> None:
    print(finding.to_json(), flush=True)  # noqa: T201, standard output is where findings go


async def _run_all(
    settings: _S, checks: Mapping[str, Check[_S]], redaction: RedactionFilter
) -> None:
    async def run_one(name: str, check: Check[_S]) -> None:
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                findings = await check(settings)
        except TimeoutError:
            summary = f"This check took more than {_CHECK_SECONDS:g} s and was given up."
            findings = [failed(name, summary, BUSY, passes=True)]
        except Exception as error:  # noqa: BLE001, one check that breaks must not hide the others
            summary = f"This check broke: {type(error).__name__}: {error}."
            remedy = "Please report this, with the sentence above."
            findings = [failed(name, summary, remedy, passes=True)]
        for found in findings:
            summary, remedy = redaction.redact(found.summary), redaction.redact(found.remedy)
            _print(replace(found, summary=summary, remedy=remedy))

    await asyncio.gather(*(run_one(name, check) for name, check in checks.items()))


def someone_listens(listen: str) -> bool:
    """Whether anybody accepts connections at `host:port`; the port itself is left alone."""
    try:
        socket.create_connection(_reachable(listen), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def get(listen: str, path: str) -> tuple[int, str]:
    """What an HTTP server at `host:port` answers: status and text; (0, "") if none does."""
    host, port = _reachable(listen)
    connection = http.client.HTTPConnection(host, port, timeout=_CONNECT_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(100_000).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def port(setting: str, listen: str, *, ours: bool) -> Finding:
    """Whether a service can have its port.

    Args:
        setting: the variable that names the port.
        listen: `host:port`.
        ours: whether it is the service itself that answers there.
    """
    if ours:
        return ok("port", f"The service itself listens on {listen}.")
    if someone_listens(listen):
        return failed(
            "port",
            f"Another program listens on {listen}.",
            f"Stop that program, or change {setting}, and the address that others connect to.",
        )
    return ok("port", f"{listen} is free.")


def folder(check: str, path: Path) -> Finding:
    """Whether a folder can be written and its disk has room; it need not exist yet."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return failed(
            check,
            f"{path} cannot be written: {there} is no folder, or belongs to another user.",
            "Correct the folder's owner and permissions, or set another one.",
        )
    free = shutil.disk_usage(there).free
    summary = f"{path} is on a disk with {size(free)} free."
    if is_nearly_full(there):
        return failed(check, f"The disk is full: {summary}", "Make room on it.")
    if free < _LOW_BYTES:
        return warning(check, summary, "Make room on it soon.")
    return ok(check, summary)


def clock_note(there: datetime) -> str:
    """What is to be added to a sentence where another machine's clock is off; "": it is not."""
    apart = abs(there - datetime.now(UTC))
    if apart <= _CLOCK_DIFFERENCE:
        return ""
    return f", but its clock is {apart.total_seconds():.0f} s off ours"


def size(count: float) -> str:
    """A number of bytes for people, in powers of ten as disks are sold: 4.3 GB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count:.0f} bytes"


def _reachable(listen: str) -> tuple[str, int]:
    """Where to connect for what listens on `host:port`, which may be every address."""
    host, _, number = listen.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))  # noqa: S104, read only
    return host, int(number)
