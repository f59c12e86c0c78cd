"""`lookalike doctor --report FILE`: what whoever looks into a fault needs to know, and no more."""

import os
import re
import stat
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from lookalike import secret_files
from lookalike.checks import size
from lookalike.cli import given, versions
from lookalike.cli.scrubbing import HIDDEN, scrub
from lookalike.files import write_durably
from lookalike.settings import Settings, SettingsError
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
"""Settings whose values are shown: numbers, and words of ours."""

MODELS: Final = frozenset({"GENERATOR_LCM_LORA", "GENERATOR_MEANWHILE", "GENERATOR_MODEL"})
"""Settings whose values are shown if they are ids on the hub, and no paths."""

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
_OTHERS = re.compile(
    r"(HTTPS?|ALL|NO)_PROXY|(CUDA|HF|OTEL|PYTORCH|RAY)_\w+|OMP_NUM_THREADS|TZ", re.IGNORECASE
)
"""Variables that are not ours and change what happens; that they are set is shown."""

_BOT_NAME = re.compile(r"@(?!BotFather\b)(?:\w|\[redacted\])+")

_WEIGHTS = (".ckpt", ".safetensors")
"""What a file with a model ends in: a relative path looks like an id on the hub."""

_SECONDS = 10.0


@contextmanager
def create(path: Path) -> Generator[None, None, None]:
    """Makes an empty file that only its owner can read; it is removed if the block fails.

    Args:
        path: the file; it must not be there.

    Raises:
        click.ClickException: it is there, or cannot be made.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise click.ClickException(f"{path} is there already; name another file.") from None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def write(path: Path, printed: Sequence[str]) -> None:
    """Writes the report.

    Args:
        path: what `create` has made.
        printed: what the doctor has printed.

    Raises:
        click.ClickException: it cannot be written.
    """
    text = _compose("\n".join(printed))
    try:
        write_durably(path, text.encode())
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None


def _compose(printed: str) -> str:
    settings = given.given()
    home = _home()
    found = scrub(printed, _hidden_values(settings), [_token(home)])
    if (user := os.path.expanduser("~")) != "/":  # noqa: PTH111, which raises where there is none
        found = found.replace(user, "~")
    parts = {
        "Versions": versions.lines(),
        "Machine": [f"{os.cpu_count()} processors, {size(_memory())} of memory"],
        "Settings": [_shown(name, value) for name, value in settings.items()],
        "Also set": [name for name in sorted(os.environ) if _OTHERS.fullmatch(name)],
        "Doctor": _BOT_NAME.sub(f"@{HIDDEN}", found).splitlines(),
        "LOOKALIKE_HOME": list(_sizes(home)) if home is not None else [],
    }
    text = f"Lookalike's report of {datetime.now(UTC).isoformat(timespec='seconds')}\n"
    for title, lines in parts.items():
        text += f"\n{title}\n" + "".join(f"    {line}\n" for line in lines or ["nothing"])
    return text


def _home() -> Path | None:
    """LOOKALIKE_HOME; None: the settings are wrong."""
    try:
        return Settings.load().lookalike_home
    except SettingsError:
        return None


def _token(home: Path | None) -> str:
    """The token between the services that the home has; "": it has none."""
    return (known_service_token(home) if home is not None else None) or ""


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _is_shown(name: str, value: str) -> bool:
    """Whether a setting's value says nothing about anybody."""
    return bool(
        (name in PLAIN and _WORD.fullmatch(value))
        or (name in MODELS and _is_hub_id(value))
        or _HERE.fullmatch(value)
    )


def _is_hub_id(value: str) -> bool:
    return bool(
        _HUB_ID.fullmatch(value)
        and not value.lower().endswith(_WEIGHTS)
        and not os.path.lexists(value)
    )


def _shown(name: str, value: str) -> str:
    """What is shown of a setting: its value, or its URL's scheme, or that it is set."""
    if _is_shown(name, value):
        return f"{name}={value}"
    scheme = _SCHEME.match(value)
    return f"{name}={scheme[0] if scheme else ''}{HIDDEN}"


def _hidden_values(settings: Mapping[str, str]) -> Iterator[str]:
    """The values that are not shown, and the contents of the files that they name."""
    for name, value in settings.items():
        if not _is_shown(name, value):
            yield value
        if name.endswith(secret_files.ENDING):
            with suppress(ValueError):  # the doctor has said so
                yield secret_files.read(value)


def _sizes(home: Path) -> Iterator[str]:
    """How much is kept, a line each."""
    deadline = time.monotonic() + _SECONDS
    for name in KEPT:
        try:
            yield f"{name}: {_size_of(home / name, deadline)}"
        except OSError as error:
            yield f"{name}: cannot be read: {error.strerror}"


def _size_of(path: Path, deadline: float) -> str:
    """How much a file or a folder takes.

    Raises:
        OSError: it cannot be read.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return "not there"
    if not stat.S_ISDIR(found.st_mode):
        return size(found.st_size)
    files, total, is_part = 0, 0, False
    for folder, _, names in os.walk(path, onerror=_pass_on):
        for each in names:
            with suppress(OSError):  # removed meanwhile
                total += (Path(folder) / each).stat().st_size
                files += 1
        if is_part := time.monotonic() > deadline:
            break
    least = "at least " if is_part else ""
    return f"{least}{size(total)} in {files:,} {'file' if files == 1 else 'files'}"


def _pass_on(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # removed meanwhile
        raise error
