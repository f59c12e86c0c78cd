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


def _become(module: str, *arguments: str) -> None:
    """Replaces this process by a service, so that signals and the exit code are the service's."""
    os.execv(sys.executable, [*service_command(module), *arguments])  # noqa: S606, our own modules


@main.command()
def up() -> None:
    """Run the bot and the services that it needs."""
    from lookalike.up import run

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

    What is given as an option is not asked for. The two secrets can be given in the environment,
    too, by the names that they have in .env: other users see a command line.
    """
    from lookalike.init import run

    given = {name.upper(): answer for name, answer in answers.items() if answer is not None}
    run(given, overwrite=overwrite, accept_licence=accept_licence)


@main.command()
@click.argument("model", required=False)
@click.option("--fast", is_flag=True, help="Also what the preset fast needs.")
@click.option("--accept-licence", is_flag=True, help="Do not ask.")
def download(model: str | None, *, fast: bool, accept_licence: bool) -> None:
    """Fetch MODEL, or that of the settings, from the Hugging Face hub.

    Where GENERATOR_PRESET is fast, the weights that it needs are fetched, too. Size and licence are
    said and asked about first. An interrupted download goes on where it ended.
    """
    flags = {"--fast": fast, "--accept-licence": accept_licence}
    arguments = [*([model] if model else []), *(flag for flag, given in flags.items() if given)]
    _become("generator.download", *arguments)


@main.command()
@click.option("--spend", is_flag=True, help="Also ask Azure for a caption, which may cost money.")
def doctor(*, spend: bool) -> None:
    """Look at everything, and say what is wrong and what to do.

    The exit code is the number of checks that failed.
    """
    from lookalike.doctor import run

    sys.exit(run(spend=spend))


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
