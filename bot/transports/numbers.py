"""The number that every update has, by which it is confirmed."""

import re

_MOST_UPDATE_ID = 2**63
_UPDATE_ID = re.compile(rb'"update_id"\s*:\s*(\d{1,18})\b')


def is_numbered(update: object) -> bool:
    """Whether something is an update as the door takes it: an object with a number."""
    number = update.get("update_id") if isinstance(update, dict) else None
    return type(number) is int and 0 <= number < _MOST_UPDATE_ID


def find_number(data: bytes) -> int | None:
    """The first number of an update in what nobody can decode; None if there is none."""
    found = _UPDATE_ID.search(data)
    return None if found is None else int(found.group(1))
