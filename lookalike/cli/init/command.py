"""The command: what is settled in which order, and what is written."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from lookalike import checks, ownership
from lookalike.checks import Finding, Mark
from lookalike.cli import doctor
from lookalike.cli.given import EXAMPLE
from lookalike.cli.init import dotenv, questions
from lookalike.cli.init.dotenv import Answers
from lookalike.cli.init.questions import Known
from lookalike.files import make_home, write_durably
from lookalike.processes import service_command
from lookalike.settings import ENV_ENCODING, ENV_FILE, Settings

_NOTICE = (
    "Pictures are painted with Stable Diffusion 1.5 under the CreativeML Open RAIL-M licence: "
    "https://huggingface.co/spaces/CompVis/stable-diffusion-license. By using this bot you agree "
    "to its use restrictions (paragraph 5 and Attachment A)."
)
"""What the licence, in its paragraph 4.a, wants users to be told; see docs/models.md."""


_BOT_NAME = re.compile(r"The token is that of @(\w+)\.")


class _InitSettings(Settings):
    """What is looked up besides.

    Attributes:
        telegram_api_url: the bot's.
    """

    telegram_api_url: str = "https://api.telegram.org"


def run(given: Answers, *, overwrite: bool, accept_licence: bool) -> bool:
    """Asks for what is not given, and writes `.env` in the working directory.

    Args:
        given: answers by the settings' names; these are not asked for.
        overwrite: whether a `.env` that is there may be changed where nobody can be asked.
        accept_licence: whether weights that are not here are downloaded without asking.

    Returns:
        Whether everything shall be started now.

    Raises:
        click.ClickException: an answer is missing where nobody can be asked, or a check fails.
    """
    there = ENV_FILE.exists()
    text = (ENV_FILE if there else EXAMPLE).read_text(encoding=ENV_ENCODING)
    if there:
        if not overwrite:
            questions.need_terminal("There is a .env already; --overwrite changes it.")
        click.echo("There is a .env already: what you do not answer anew is kept.")
    known = Known(given, text)
    answers: Answers = {}
    found = _settle(answers, questions.token, known, "bot", "telegram")
    answers |= questions.access(known)
    _settle(answers, questions.captioner, known, "bot", "captioner", accept_licence=accept_licence)
    _settle(answers, questions.model, known, "generator", "model", accept_licence=accept_licence)
    answers |= _notice(known.kept, answers["GENERATOR_MODEL"])
    write_durably(ENV_FILE, dotenv.fill(text, answers).encode())
    click.echo("Written to .env, which only you can read. `lookalike up` starts everything.")
    _offer_link(answers["BOT_ACCESS"], found)
    return sys.stdin.isatty() and click.confirm("Start it now?", default=True)


def _settle(
    answers: Answers,
    ask: Callable[[Known], Answers],
    known: Known,
    service: str,
    check: str,
    *,
    accept_licence: bool = False,
) -> list[Finding]:
    """Asks until the doctor's check passes, or whoever answers insists.

    Returns:
        What the check found.
    """
    while True:
        answer = ask(known)
        answers |= answer
        found = _look(known.text, answers, service, check)
        failures = _failures(found)
        if failures == [checks.MODEL_MISSING]:
            if sys.stdin.isatty() and not accept_licence:
                failures = _fetch_as_asked(known.text, answers, service, check)
            elif accept_licence and _download(service, answers, "--accept-licence"):
                failures = _failures(_look(known.text, answers, service, check))
        if not failures:
            return found
        answered = [name for name, value in answer.items() if value]
        if known.given.keys() >= set(answered) or not sys.stdin.isatty():
            raise click.ClickException(f"{', '.join(answered)}: the check failed; see above.")
        if click.confirm("Use it anyway?", default=False):
            return found


def _look(text: str, answers: Answers, service: str, check: str) -> list[Finding]:
    """What a check finds, which is shown.

    Args:
        text: of the `.env` into which the answers are put.
        answers: those that there are.
        service: whose check.
        check: its name.
    """
    click.echo("Checking ...")
    with tempfile.TemporaryDirectory() as folder:  # for its owner alone
        # Not by the environment alone: what an answer has emptied must not count.
        draft = Path(folder, ENV_FILE)
        draft.write_text(dotenv.fill(text, answers), encoding="utf-8")
        options = ["--only", check, "--env-file", str(draft)]
        found = doctor.findings(service, {**os.environ, **answers}, options)
    if [each.check for each in found] == [checks.MODEL_MISSING] and sys.stdin.isatty():
        click.echo(found[0].summary)  # which is about to be mended
    else:
        doctor.show(check, found)
    return found


def _failures(found: list[Finding]) -> list[str]:
    """The names of the checks that fail, or find that weights are missing."""
    return [
        finding.check
        for finding in found
        if finding.mark is Mark.FAILED or finding.check == checks.MODEL_MISSING
    ]


def _fetch_as_asked(text: str, answers: Answers, service: str, check: str) -> list[str]:
    """Tells size and licence, asks, and fetches weights: a model in the background if wished.

    Takes what `_look` takes.

    Returns:
        The checks that fail then.
    """
    options = []
    if service == "generator":  # the captioner's weights are small
        if not _download(service, answers, "--ask-only"):
            return [checks.MODEL_MISSING]
        question = "Begin with the small model, emoji, while it downloads?"
        if click.confirm(question, default=True):
            _download_in_background(answers)
            answers["GENERATOR_MEANWHILE"] = questions.SMALL_MODEL
            return []
        options = ["--accept-licence"]
    if not _download(service, answers, *options):
        return [checks.MODEL_MISSING]
    return _failures(_look(text, answers, service, check))


def _download(service: str, answers: Answers, *options: str) -> bool:
    """Runs a service's download; tells whether it succeeded."""
    command = _download_command(service, answers, *options)
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603, our own modules


def _download_in_background(answers: Answers) -> None:
    """Starts the generator's download, which goes on when this process has ended."""
    home = Settings.load().lookalike_home
    make_home(home)
    log = home / "download.log"
    with log.open("ab") as file:
        subprocess.Popen(  # noqa: S603, our own modules
            _download_command("generator", answers, "--accept-licence"),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    click.echo(f"It downloads in the background and says how it goes in {log}.")
    click.echo("`lookalike up` takes it at the first start that finds it there.")


def _download_command(service: str, answers: Answers, *options: str) -> list[str]:
    model = [answers["GENERATOR_MODEL"]] if service == "generator" else []
    return [*service_command(f"{service}.download"), *model, *options]


def _offer_link(access: str, found: list[Finding]) -> None:
    """Prints a link with which the bot is owned, unless somebody may own it already."""
    if access == "everyone":
        return
    settings = _InitSettings.load()
    names = [match[1] for each in found if (match := _BOT_NAME.search(each.summary))]
    if not names or settings.folder("dbservice").exists():
        click.echo("While nobody owns the bot, `lookalike up` prints a link with which to own it.")
        return
    click.echo(ownership.invitation(settings.lookalike_home, names[0], settings.telegram_api_url))


def _notice(kept: Answers, model: str) -> Answers:
    """The model's conditions of use, unless the operator has written a notice."""
    before = kept.get("BOT_NOTICE", "")
    wanted = _NOTICE if model == questions.STABLE_DIFFUSION else ""
    return {"BOT_NOTICE": wanted} if before in {"", _NOTICE} and before != wanted else {}
