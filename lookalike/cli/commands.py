"""The commands and their options. What a command needs is imported when it is called."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import NoReturn

import click

from lookalike.processes import service_command

_FILE = click.Path(path_type=Path)


class _Group(click.Group):
    """Lists what people run first, and the single services under a heading of their own."""

    services = ("bot", "dbservice", "generator", "sandbox")

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are defined."""
        del ctx
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Two lists."""
        names = self.list_commands(ctx)
        for title, chosen in (
            ("Commands", [name for name in names if name not in self.services]),
            ("Single services, which `up` and `demo` run together", self.services),
        ):
            with formatter.section(title):
                formatter.write_dl(
                    [(name, self.commands[name].get_short_help_str(70)) for name in chosen]
                )


def _print_versions(context: click.Context, _option: click.Parameter, wanted: object) -> None:
    if not wanted or context.resilient_parsing:
        return
    from lookalike.cli import versions

    click.echo("\n".join(versions.lines()))
    context.exit()


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_versions,
    help="Show our version and those of what matters for a report, and exit.",
)
def main() -> None:
    """Lookalike: a photo in, a caption and a new picture back."""


def _become(module: str, *arguments: str) -> NoReturn:
    """Replaces this process with a module's, so that signals and the exit code are that one's."""
    os.execv(sys.executable, [*service_command(module), *arguments])  # noqa: S606, our own modules


class _Photo(click.Path):
    """A file that begins as an image does which the bot takes."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """The path, once its first bytes were looked at."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        with path.open("rb") as file:
            start = file.read(12)
        if not (
            start.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
            or (start.startswith(b"RIFF") and start.endswith(b"WEBP"))
        ):
            self.fail(f"{path} is no image; send a JPEG, PNG or WebP.", param, ctx)
        return path


@main.command()
@click.argument("photo", required=False, type=_Photo(exists=True, dir_okay=False))
@click.option("--port", type=click.IntRange(1, 65535), help="Where the page is, instead of 5000.")
@click.option("--no-browser", is_flag=True, help="Open no browser.")
def demo(*, photo: Path | None, port: int | None, no_browser: bool) -> None:
    """Try everything, with no token, key or download.

    Opens a chat page to play with, or sends PHOTO and shows what comes back.
    """
    from lookalike.cli.demo import page, session
    from lookalike.cli.demo import photo as one_photo

    if photo is None:
        sys.exit(session.run(partial(page.play, port=port, browser=not no_browser)))
    sys.exit(session.run(partial(one_photo.play, photo)))


@main.command()
@click.option("--telegram-bot-token", envvar="TELEGRAM_BOT_TOKEN", help="From @BotFather.")
@click.option(
    "--telegram-bot-token-file", envvar="TELEGRAM_BOT_TOKEN_FILE", help="A file that has it."
)
@click.option(
    "--bot-access", type=click.Choice(["me", "invited", "everyone"]), help="Whom the bot is for."
)
@click.option("--captioner", type=click.Choice(["blip", "azure", "offline"]))
@click.option("--azure-vision-endpoint", help="For the captioner azure.")
@click.option("--azure-vision-key", envvar="AZURE_VISION_KEY", help="For the captioner azure.")
@click.option("--azure-vision-key-file", envvar="AZURE_VISION_KEY_FILE", help="A file that has it.")
@click.option("--generator-model", help="A hub id, a folder, a .safetensors file, or emoji.")
@click.option("--accept-licence", is_flag=True, help="Download weights without asking.")
@click.option("--overwrite", is_flag=True, help="Change a .env where nobody can be asked.")
def init(*, accept_licence: bool, overwrite: bool, **answers: str | None) -> None:
    """Ask for what a first run needs, check it, and write .env.

    Whatever you give as an option is not asked for, and whatever a .env has can be kept. The two
    secrets can also come from the environment, under the names that they have in .env: other users
    can see a command line. Or they stay in files, whose names .env then has.
    """
    from lookalike.cli.init.command import run

    given = {name.upper(): answer for name, answer in answers.items() if answer is not None}
    if run(given, overwrite=overwrite, accept_licence=accept_licence):
        _become("lookalike", "up")


@main.command()
def up() -> None:
    """Run the bot and the services that it needs."""
    from lookalike.cli.up.command import run

    run()


@main.command()
@click.option("--spend", is_flag=True, help="Also ask Azure for a caption, which may cost money.")
@click.option(
    "--report", type=_FILE, help="Also write a file without secrets, to attach to a report."
)
def doctor(*, spend: bool, report: Path | None) -> None:
    """Check everything, and say what to fix.

    The exit code is the number of checks that failed.
    """
    from lookalike.cli.doctor import run

    sys.exit(run(spend=spend, report_file=report))


@main.command()
@click.argument("model", required=False)
@click.option("--fast", is_flag=True, help="Also fetch what the preset fast needs.")
@click.option("--captions", is_flag=True, help="Fetch BLIP, which describes photos, instead.")
@click.option("--accept-licence", is_flag=True, help="Do not ask.")
def download(model: str | None, *, fast: bool, captions: bool, accept_licence: bool) -> None:
    """Fetch a model from the Hugging Face hub.

    Without MODEL it is the one in the settings. With GENERATOR_PRESET=fast, the weights for that
    preset are fetched, too. You are told the size and the licence first, and asked. An interrupted
    download resumes.
    """
    accepted = ["--accept-licence"] if accept_licence else []
    if captions:
        if model or fast:
            raise click.UsageError("--captions stands alone: it fetches no model.")
        _become("bot.download", *accepted)
    also = ["--fast"] if fast else []
    _become("generator.download", *([model] if model else []), *also, *accepted)


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
    """Put what a backup holds into a database that is empty or not there.

    It may be of another kind than the one that was backed up. All of FILE is verified before. Stop
    everything that uses that database.
    """
    _become("dbservice.backups.restore", str(file))


@main.command()
def move() -> None:
    """Copy all rows to MOVE_DATABASE_URL, all photos and pictures to MOVE_BLOB_URL.

    Each is a setting, and either may be left out. Stop everything before. What comes is compared,
    what was copied stays, and you are told which settings to change. After a kill, the same
    command goes on.
    """
    _become("dbservice.backups.move")


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
