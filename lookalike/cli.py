"""The command line. It starts the services as processes and imports none of them."""

import os
import sys
from functools import partial
from pathlib import Path

import click

from lookalike import __version__
from lookalike.processes import service_command


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Lookalike: a photo in, a caption and a new picture back."""


def _become(module: str) -> None:
    """Replaces this process by a service, so that signals and the exit code are the service's."""
    os.execv(sys.executable, service_command(module))  # noqa: S606, our own modules


@main.command()
def bot() -> None:
    """Run the Telegram bot."""
    _become("bot")


@main.command()
def dbservice() -> None:
    """Run the database service."""
    _become("dbservice")


@main.command()
def generator() -> None:
    """Run the picture service."""
    _become("generator")


@main.command()
def sandbox() -> None:
    """Run a Telegram of your own, for trying and testing."""
    _become("sandbox")


@main.command()
@click.argument(
    "photo", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def demo(photo: Path | None) -> None:
    """Try everything, with no token, key or download.

    Serves a chat page to play in, or sends PHOTO and shows what comes back.
    """
    from lookalike.demo import house, page
    from lookalike.demo import photo as one_photo

    play = page.play if photo is None else partial(one_photo.play, photo)
    sys.exit(house.run(play))
