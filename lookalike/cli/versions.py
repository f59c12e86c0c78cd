"""The versions of what runs here, for whoever reads a report of a fault."""

import platform
import sqlite3
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from lookalike import __version__

_PACKAGES = (
    "python-telegram-bot",
    "httpx",
    "requests",
    "grpcio",
    "protobuf",
    "pydantic-settings",
    "starlette",
    "fastapi",
    "uvicorn",
    "SQLAlchemy",
    "psycopg",
    "obstore",
    "pillow",
    "torch",
    "llvmlite",
    "diffusers",
    "transformers",
    "ray",
    "opentelemetry-sdk",
)
"""What faults come from, by the names of distributions; an installation may lack some."""


def lines() -> list[str]:
    """A name and a version a line, ours first. No package is imported for it."""
    found = [
        f"lookalike {__version__}",
        f"{platform.python_implementation()} {platform.python_version()}",
        _system(),
        f"SQLite {sqlite3.sqlite_version}",
    ]
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return found


def _system() -> str:
    """The kernel, and what is around it as far as that says who it is."""
    parts = [f"{platform.system()} {platform.release()} {platform.machine()}"]
    with suppress(OSError):  # not on macOS
        parts.append(platform.freedesktop_os_release()["PRETTY_NAME"])
    return ", ".join(filter(None, [*parts, " ".join(platform.libc_ver()).strip()]))
