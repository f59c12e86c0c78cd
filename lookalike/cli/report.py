"""`lookalike doctor --report FILE`: what whoever looks into a fault needs to know, and no more."""

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import click

from lookalike import secret_files
from lookalike.checks import size
from lookalike.cli import given, versions
from lookalike.logs import RedactionFilter
from lookalike.settings import LOOPBACK_HOSTS, Settings, SettingsError
from lookalike.tokens import known_service_token

PLAIN: Final = frozenset(
    {
        "BOT_ACCESS",
        "BOT_DAILY_CAPTIONS",
        "BOT_DAILY_PICTURES",
        "BOT_DIAL",
        "BOT_GROUPS",
        "BOT_POLL_SECONDS",
        "CAPTIONER",
        "GENERATOR_DEVICE",
        "GENERATOR_EXECUTOR",
        "GENERATOR_MAX_ATTEMPTS",
        "GENERATOR_MAX_QUEUE",
        "GENERATOR_PRESET",
        "GENERATOR_PREVIEWS",
        "LOOKALIKE_LOG",
        "MAX_MEGABYTES",
        "RETENTION_DAYS",
        "SANDBOX_PORTS",
        "USER_DAILY_PICTURES",
        "USER_MAX_MEGABYTES",
        "USER_MAX_UNFINISHED",
    }
)
"""Settings whose values are told: numbers, and words of ours."""

MODELS: Final = frozenset({"GENERATOR_LCM_LORA", "GENERATOR_MEANWHILE", "GENERATOR_MODEL"})
"""Settings whose values are told if they are ids on the hub, and no paths."""

KEPT: Final = (
    "dbservice/lookalike.db",
    "dbservice/blobs/",
    "generator/jobs.db",
    "generator/results/",
    "bot/undecoded/",
)
"""What is measured in LOOKALIKE_HOME."""

_WORD = re.compile(r"[a-z0-9.]{1,20}")
_HUB_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")
_HERE = re.compile(r"(https?://)?(127\.0\.0\.1|localhost|\[::1\]|0\.0\.0\.0|\[::\]):\d+/?")
_SCHEME = re.compile(r"[a-z][a-z0-9+]*://")
_HOST = re.compile(r"\[?([^\[\]/@]+[.:][^\[\]/@]+?)\]?:\d+")
_OTHERS = re.compile(
    r"(HTTPS?|ALL|NO)_PROXY|(CUDA|HF|OTEL|PYTORCH|RAY)_\w+|OMP_NUM_THREADS|TZ", re.IGNORECASE
)
"""Variables that are not ours and change what happens; that they are set is told."""

_HIDDEN = "[redacted]"
_BOT_NAME = re.compile(r"@(?!BotFather\b)(?:\w|\[redacted\])+")
_SHORTEST = 4
"""To strike out what is shorter would hide what the report is about."""

_SECONDS = 10.0


def write(path: Path, shown: Sequence[str]) -> None:
    """Writes the report, which only its owner can read.

    Args:
        path: the file; it must not be there.
        shown: what the doctor has printed.

    Raises:
        click.ClickException: it is there, or cannot be written.
    """
    settings = given.given()
    home = _home()
    found = _redaction(settings, home).redact("\n".join(shown))
    if (user := os.path.expanduser("~")) != "/":  # noqa: PTH111, which raises where there is none
        found = found.replace(user, "~")
    others = [name for name in sorted(os.environ) if _OTHERS.fullmatch(name)]
    parts = {
        "Versions": versions.lines(),
        "Machine": [f"{os.cpu_count()} processors, {size(_memory())} of memory"],
        "Settings": [_told(name, value) for name, value in settings.items()],
        "Also set": others,
        "Doctor": _BOT_NAME.sub(f"@{_HIDDEN}", found).splitlines(),
        "LOOKALIKE_HOME": list(_sizes(home)) if home is not None else [],
    }
    text = f"Lookalike's report of {datetime.now(UTC).isoformat(timespec='seconds')}\n"
    for title, lines in parts.items():
        text += f"\n{title}\n" + "".join(f"    {line}\n" for line in lines or ["nothing"])
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None


def _home() -> Path | None:
    """LOOKALIKE_HOME; None: the settings are wrong."""
    try:
        return Settings.load().lookalike_home
    except SettingsError:
        return None


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _told(name: str, value: str) -> str:
    """What may be told of a setting: its value, where it is, or that it is set."""
    if (
        (name in PLAIN and _WORD.fullmatch(value))
        or (name in MODELS and _HUB_ID.fullmatch(value))
        or _HERE.fullmatch(value)
    ):
        return f"{name}={value}"
    scheme = _SCHEME.match(value)
    return f"{name}={scheme[0] if scheme else ''}{_HIDDEN}"


def _redaction(settings: Mapping[str, str], home: Path | None) -> RedactionFilter:
    """Strikes out whatever of the settings is not told, and what the files have that they name."""
    hidden: set[str] = set()
    for name, value in settings.items():
        if _told(name, value).endswith(_HIDDEN):
            hidden |= set(_parts(value))
        if name.endswith(secret_files.ENDING):
            with suppress(ValueError):  # the doctor has told
                hidden |= set(_parts(secret_files.read(value)))
    if home is not None:
        hidden.add(known_service_token(home) or "")
    return RedactionFilter(each for each in hidden if len(each) >= _SHORTEST)


def _parts(value: str) -> Iterator[str]:
    """A value, and what of it may stand elsewhere alone: a part of a list, a host, a password."""
    yield value
    for each in value.split(","):
        yield each.strip()
        if match := _HOST.fullmatch(each.strip()):
            yield match[1]
    with suppress(ValueError):  # it is no URL
        parts = urlsplit(value)
        host, password = parts.hostname or "", parts.password or ""
        if "." in host and host not in LOOPBACK_HOSTS:  # others name nobody's machine
            yield host
        yield from (password, unquote(password))
        if parts.scheme in {"sqlite", "file"}:
            yield unquote(parts.path).replace("//", "/")
        yield from (word for pair in parts.query.split("&") for word in pair.split("=")[1:])


def _sizes(home: Path) -> Iterator[str]:
    """How much is kept, a line each."""
    deadline = time.monotonic() + _SECONDS
    for name in KEPT:
        path = home / name
        if path.is_dir():
            files, total = 0, 0
            for folder, _, names in os.walk(path):
                for each in names:
                    with suppress(OSError):  # removed meanwhile
                        total += (Path(folder) / each).stat().st_size
                        files += 1
                if time.monotonic() > deadline:
                    break
            least = "at least " if time.monotonic() > deadline else ""
            yield f"{name}: {least}{size(total)} in {files:,} {'file' if files == 1 else 'files'}"
        elif path.exists():
            yield f"{name}: {size(path.stat().st_size)}"
        else:
            yield f"{name}: not there"
