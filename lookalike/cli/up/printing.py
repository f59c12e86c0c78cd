"""How the lines of the services' logs are printed in one terminal."""

import json
import re
import sys
from datetime import UTC, datetime

import click

_LINE = re.compile(r"(\S+ \S+) (\w+) (DEBUG|INFO|WARNING|ERROR|CRITICAL) ")
_COLOURS = {"bot": "cyan", "dbservice": "magenta", "generator": "blue"}
_LEVELS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}


def print_text(_service: str, line: str) -> None:
    """Prints a service's line as it is, in colours where a terminal shows them."""
    if match := _LINE.match(line):
        when, service, level = match.groups()
        coloured = click.style(service, fg=_COLOURS.get(service))
        told = click.style(level, fg=_LEVELS.get(level))
        line = f"{when} {coloured} {told} {line[match.end() :]}"
    click.echo(line, nl=False, err=True)


def print_json(service: str, line: str) -> None:
    """Prints a service's line as it is if it is JSON, and within JSON if it is not."""
    if not line.startswith("{"):
        fields = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "service": service,
            "level": "ERROR",
            "logger": "stderr",
            "message": line.rstrip("\n"),
        }
        line = json.dumps(fields, ensure_ascii=False) + "\n"
    sys.stderr.write(line)
    sys.stderr.flush()
