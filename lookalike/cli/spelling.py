"""Names in `.env` that are no settings, but nearly."""

import difflib

from lookalike.cli import given
from lookalike.settings import ENV_FILE

_NEAR = 0.8


def misspelt() -> list[str]:
    """A sentence for each name in `.env` that is nearly that of a setting."""
    known = given.known()
    found = []
    for name in given.in_file():
        if name.upper() not in known:  # the rest may be for others
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=_NEAR)
            found += [f"{name} in {ENV_FILE} is no setting; do you mean {each}?" for each in near]
    return found
