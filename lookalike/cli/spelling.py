"""Names in `.env` that are no settings, but nearly."""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from dotenv import dotenv_values

from lookalike.settings import ENV_ENCODING, ENV_FILE

EXAMPLE = Path(__file__).with_name("env.example")
"""The .env.example of the project, which names every setting."""

_NEAR = 0.8


def misspelt() -> list[str]:
    """A sentence for each name in `.env` that is nearly that of a setting."""
    known = re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    found = []
    for name in _names():
        if name.upper() not in known:  # the rest may be for others
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=_NEAR)
            found += [f"{name} in {ENV_FILE} is no setting; do you mean {each}?" for each in near]
    return found


def _names() -> Iterable[str]:
    try:
        return dotenv_values(ENV_FILE, encoding=ENV_ENCODING)
    except (OSError, ValueError):  # which loading the settings tells
        return ()
