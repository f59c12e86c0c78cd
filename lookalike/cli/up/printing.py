"""How the lines of the services' logs look in one terminal."""

import json
import re
from datetime import UTC, datetime

import click

_LINE = re.compile(r"(\S+ \S+) (\w+) (DEBUG|INFO|WARNING|ERROR|CRITICAL) ")
_COLOURS = {"bot": "cyan", "dbservice": "magenta", "generator": "blue"}
_LEVELS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}


def plain(_service: str, line: str) -> str:
    """A service's line as it is."""
    return line


def coloured(_service: str, line: str) -> str:
    """A service's line for a terminal."""
    if match := _LINE.match(line):
        when, service, level = match.groups()
        who = click.style(service, fg=_COLOURS.get(service))
        told = click.style(level, fg=_LEVELS.get(level))
        line = f"{when} {who} {told} {line[match.end() :]}"
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
