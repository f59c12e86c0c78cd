"""The settings of all services as they were written, without the services."""

import os
import re
from pathlib import Path

from dotenv import dotenv_values

from lookalike.settings import ENV_ENCODING, ENV_FILE

EXAMPLE = Path(__file__).with_name("env.example")
"""The .env.example of the project, which names every setting."""


def known() -> list[str]:
    """The names of all settings."""
    return re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)


def in_file() -> dict[str, str]:
    """What `.env` has, by the names as they stand there; nothing if it cannot be read."""
    try:
        values = dotenv_values(ENV_FILE, encoding=ENV_ENCODING)
    except (OSError, ValueError):  # which loading the settings tells
        return {}
    return {name: value or "" for name, value in values.items()}


def given() -> dict[str, str]:
    """The settings that are set, in `.env` or, above it, in the environment."""
    found: dict[str, str] = {}
    for values in (in_file(), os.environ):
        found |= {name.upper(): value for name, value in values.items() if value}
    return {name: found[name] for name in known() if name in found}
