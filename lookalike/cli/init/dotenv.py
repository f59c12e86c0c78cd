"""What stands in a `.env`, and a `.env` with answers put in."""

import io
import re

import click
from dotenv import dotenv_values

Answers = dict[str, str]
"""Values by the settings' names."""


def read(text: str) -> Answers:
    """The values that the text of a `.env` has; empty ones count as not set."""
    values = dotenv_values(stream=io.StringIO(text))
    return {name: value for name, value in values.items() if value}


def fill(text: str, answers: Answers) -> str:
    """The text of a `.env` with the answers put in; everything else stays as it was.

    Raises:
        click.ClickException: an answer has characters that such a file cannot hold.
    """
    for name, value in answers.items():
        line = f"{name}={_quote(value)}"
        text, count = re.subn(
            rf"^#?{name}=.*$", line.replace("\\", r"\\"), text, count=1, flags=re.MULTILINE
        )
        if not count:
            text = f"{text.rstrip()}\n{line}\n"
    written = read(text)
    for name, value in answers.items():
        if written.get(name, "") != value or not value.isprintable():
            raise click.ClickException(f"{name} has characters that .env cannot hold.")
    return text


def _quote(value: str) -> str:
    if re.fullmatch(r"[\w@%+=:,./~-]*", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
