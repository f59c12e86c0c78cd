"""Time zones, by their names in the IANA time zone database."""

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

OFFERED: Final = (
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Amsterdam",
    "Europe/Berlin",
    "Europe/Vilnius",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
)
"""Those that have a button, from west to east."""


def find(written: str) -> str | None:
    """The zone that somebody writes: by its name, or by its city's alone; None: there is none."""
    return _written().get(written.strip().replace(" ", "_").lower())


def now(zone: str) -> dt.datetime:
    """What time it is there; in none, and in one that this machine doesn't know: here."""
    utc = dt.datetime.now(dt.UTC)
    return utc.astimezone(ZoneInfo(zone) if zone in available() else None)


@cache
def available() -> frozenset[str]:
    """All that this machine knows."""
    return frozenset(available_timezones())


@cache
def _written() -> Mapping[str, str]:
    """The zones by what people write; a city's name is that of the zone that has it first."""
    names = sorted(available(), key=lambda name: (name.count("/"), name), reverse=True)
    cities = {name.rpartition("/")[2].lower(): name for name in names}
    return cities | {name.lower(): name for name in names}
