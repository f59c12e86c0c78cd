"""The commands and their options. What a command needs is imported when it is called."""

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


def _become(module: str, *arguments: str) -> None:
    """Replaces this process with a module's, so that signals and the exit code are that one's."""
    os.execv(sys.executable, [*service_command(module), *arguments])  # noqa: S606, our own modules


@main.command()
def up() -> None:
    """Run the bot and the services that it needs."""
    from lookalike.cli.up.command import run

    run()


@main.command()
@click.option("--telegram-bot-token", envvar="TELEGRAM_BOT_TOKEN", help="From @BotFather.")
@click.option("--captioner", type=click.Choice(["azure", "blip", "offline"]))
@click.option("--azure-vision-endpoint", help="For the captioner azure.")
@click.option("--azure-vision-key", envvar="AZURE_VISION_KEY", help="For the captioner azure.")
@click.option("--generator-model", help="A hub id, a folder, a .safetensors file, or emoji.")
@click.option("--accept-licence", is_flag=True, help="Download the model without asking.")
@click.option("--overwrite", is_flag=True, help="Change a .env that is there without asking.")
def init(*, accept_licence: bool, overwrite: bool, **answers: str | None) -> None:
    """Ask for what a first run needs, check it, and write .env.

    Whatever you give as an option is not asked for. The two secrets can also come from the
    environment, under the names that they have in .env: other users can see a command line.
    """
    from lookalike.cli.init import run

    given = {name.upper(): answer for name, answer in answers.items() if answer is not None}
    run(given, overwrite=overwrite, accept_licence=accept_licence)


@main.command()
@click.argument("model", required=False)
@click.option("--fast", is_flag=True, help="Also fetch what the preset fast needs.")
@click.option("--accept-licence", is_flag=True, help="Do not ask.")
def download(model: str | None, *, fast: bool, accept_licence: bool) -> None:
    """Fetch a model from the Hugging Face hub.

    Without MODEL it is the one in the settings. With GENERATOR_PRESET=fast, the weights for that
    preset are fetched, too. You are told the size and the licence first, and asked. An interrupted
    download resumes.
    """
    flags = {"--fast": fast, "--accept-licence": accept_licence}
    arguments = [*([model] if model else []), *(flag for flag, given in flags.items() if given)]
    _become("generator.download", *arguments)


@main.command()
@click.option("--spend", is_flag=True, help="Also ask Azure for a caption, which may cost money.")
def doctor(*, spend: bool) -> None:
    """Check everything, and say what to fix.

    The exit code is the number of checks that failed.
    """
    from lookalike.cli.doctor import run

    sys.exit(run(spend=spend))


_FILE = click.Path(path_type=Path)


@main.command()
@click.argument("file", type=_FILE)
def backup(file: Path) -> None:
    """Write all photos, pictures and rows to FILE.

    Everything may run meanwhile. FILE must not be there yet. Settings and tokens are not in it.
    """
    _become("dbservice.backups.backup", str(file))


@main.command()
@click.argument("file", type=_FILE)
def restore(file: Path) -> None:
    """Put what a backup holds into a home that has no database.

    All of FILE is verified before. Stop everything that runs in that home.
    """
    _become("dbservice.backups.restore", str(file))


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
    """Run a Telegram of your own, to try things out and to test."""
    _become("sandbox")


@main.command()
@click.argument(
    "photo", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def demo(photo: Path | None) -> None:
    """Try everything, with no token, key or download.

    Opens a chat page to play with, or sends PHOTO and shows what comes back.
    """
    from lookalike.cli.demo import page, session
    from lookalike.cli.demo import photo as one_photo

    play = page.play if photo is None else partial(one_photo.play, photo)
    sys.exit(session.run(play))
