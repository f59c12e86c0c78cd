"""How the lines of the services' logs look in one terminal."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import click

_LINE = re.compile(
    r"\S+ (\S+),\d+ (\w+) (DEBUG|INFO|WARNING|ERROR|CRITICAL) [^\s:]+: (?=.)", re.DOTALL
)
_COLOURS = {"bot": "cyan", "dbservice": "magenta", "generator": "blue"}
_LEVELS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_WIDTH = len("dbservice")


@dataclass(frozen=True)
class Stream:
    """A stream for a log handler, which writes a line at a time."""

    write: Callable[[str], None]

    def flush(self) -> None:
        """Does nothing: lines are on their way."""


def plain(_service: str, line: str) -> str:
    """A service's line as it is."""
    return line


def coloured(_service: str, line: str) -> str:
    """A service's line for a terminal: when, who, and the words; the level if there is trouble."""
    if match := _LINE.match(line):
        when, service, level = match.groups()
        who = click.style(f"{service:<{_WIDTH}}", fg=_COLOURS.get(service))
        told = f"{click.style(level, fg=_LEVELS[level])} " if level in _LEVELS else ""
        line = f"{when} {who}  {told}{line[match.end() :]}"
    return line


def as_json(service: str, line: str) -> str:
    """A service's line as it is if it is JSON, and within JSON if it is not."""
    if not line.startswith("{"):
        fields = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "service": service,
            "level": "ERROR",
            "logger": "stderr",
            "message": line.rstrip("\n"),
        }
        line = json.dumps(fields, ensure_ascii=False) + "\n"
    return line
