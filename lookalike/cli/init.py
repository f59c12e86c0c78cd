"""`lookalike init`: asks for what a first run needs, checks each answer, and writes `.env`."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from dotenv import dotenv_values

from lookalike import checks
from lookalike.checks import Mark
from lookalike.cli import doctor
from lookalike.cli.spelling import EXAMPLE
from lookalike.files import write_durably
from lookalike.processes import service_command

_CAPTIONERS = ("azure", "blip", "offline")
_MODEL = "stable-diffusion-v1-5/stable-diffusion-v1-5"
_NOTICE = (
    "Pictures are painted with Stable Diffusion 1.5 under the CreativeML Open RAIL-M licence: "
    "https://huggingface.co/spaces/CompVis/stable-diffusion-license. By using this bot you agree "
    "to its use restrictions (paragraph 5 and Attachment A)."
)
"""What the licence, in its paragraph 4.a, wants users to be told; see docs/models.md."""

Answers = dict[str, str]


def run(given: Answers, *, overwrite: bool, accept_licence: bool) -> None:
    """Asks for what is not given, and writes `.env` in the working directory.

    Args:
        given: answers by the settings' names; these are not asked for.
        overwrite: whether a `.env` that is there may be changed without asking.
        accept_licence: whether a model that is not here is downloaded without asking.

    Raises:
        click.ClickException: an answer is missing where nobody can be asked, or a check fails.
    """
    target = Path(".env")
    if target.exists() and not overwrite:
        _need_terminal("There is a .env already; --overwrite changes it.")
        click.confirm("There is a .env already. Change it?", abort=True)
    answers: Answers = {}
    _settle(answers, _token, given, "bot", "telegram")
    _settle(answers, _captioner, given, "bot", "captioner")
    _settle(answers, _model, given, "generator", "model", accept_licence=accept_licence)
    source = target if target.exists() else EXAMPLE
    text = source.read_text(encoding="utf-8")
    answers |= _notice(text, answers["GENERATOR_MODEL"])
    write_durably(target, _fill(text, answers).encode())
    click.echo("Written to .env, which only you can read. `lookalike up` starts everything.")


def _settle(
    answers: Answers,
    ask: Callable[[Answers], Answers],
    given: Answers,
    service: str,
    check: str,
    *,
    accept_licence: bool = False,
) -> None:
    """Asks until the doctor's check passes, or whoever answers insists."""
    while True:
        answer = ask(given)
        answers |= answer
        failures = _failures(answers, service, check)
        if failures == [checks.MODEL_MISSING] and _download(answers, accept_licence):
            failures = _failures(answers, service, check)
        if not failures:
            return
        if answer.keys() <= given.keys():
            raise click.ClickException(f"{', '.join(answer)}: the check failed; see above.")
        if click.confirm("Use it anyway?", default=False):
            return


def _failures(answers: Answers, service: str, check: str) -> list[str]:
    """The names of the checks that fail; all findings are shown."""
    click.echo("Checking ...")
    found = doctor.findings(service, {**os.environ, **answers}, ["--only", check])
    doctor.show(check, found)
    return [finding.check for finding in found if finding.mark is Mark.FAILED]


def _download(answers: Answers, accept_licence: bool) -> bool:  # noqa: FBT001, handed through
    """Offers to fetch the model; tells whether it is here now."""
    command = [*service_command("generator.download"), answers["GENERATOR_MODEL"]]
    if accept_licence:
        command.append("--accept-licence")
    elif not sys.stdin.isatty():
        return False
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603, our own modules


def _token(given: Answers) -> Answers:
    question = "The bot's token, from @BotFather (/newbot); it stays hidden"
    return {"TELEGRAM_BOT_TOKEN": _ask("TELEGRAM_BOT_TOKEN", given, question, secret=True)}


def _captioner(given: Answers) -> Answers:
    question = (
        "Who describes a photo: azure (whole sentences; needs a key), blip (sentences; needs its "
        "weights on this machine) or offline (names the main thing; needs nothing)"
    )
    chosen = _ask("CAPTIONER", given, question, default="offline", choices=_CAPTIONERS)
    answers = {"CAPTIONER": chosen}
    if chosen == "azure":
        question = "The endpoint of the Azure AI Vision resource"
        answers["AZURE_VISION_ENDPOINT"] = _ask("AZURE_VISION_ENDPOINT", given, question)
        question = "One of its two keys; it stays hidden"
        answers["AZURE_VISION_KEY"] = _ask("AZURE_VISION_KEY", given, question, secret=True)
    return answers


def _model(given: Answers) -> Answers:
    question = (
        "The model: an id on the Hugging Face hub, a folder, a .safetensors file, or emoji, the "
        "small one in the package"
    )
    return {"GENERATOR_MODEL": _ask("GENERATOR_MODEL", given, question, default=_MODEL)}


def _notice(text: str, model: str) -> Answers:
    """The model's conditions of use, unless the operator has written a notice."""
    before = dotenv_values(stream=io.StringIO(text)).get("BOT_NOTICE") or ""
    wanted = _NOTICE if model == _MODEL else ""
    return {"BOT_NOTICE": wanted} if before in {"", _NOTICE} and before != wanted else {}


def _ask(
    name: str,
    given: Answers,
    question: str,
    *,
    default: str | None = None,
    choices: Sequence[str] = (),
    secret: bool = False,
) -> str:
    if name in given:
        return given[name]
    _need_terminal(f"Give --{name.lower().replace('_', '-')}: there is no terminal to ask on.")
    kind = click.Choice(choices) if choices else None
    answer: str = click.prompt(question, default=default, type=kind, hide_input=secret)
    return answer.strip()


def _need_terminal(message: str) -> None:
    if not sys.stdin.isatty():
        raise click.ClickException(message)


def _fill(text: str, answers: Answers) -> str:
    """The text of a `.env` with the answers put in; everything else stays as it was."""
    for name, value in answers.items():
        line = f"{name}={_quote(value)}"
        text, count = re.subn(
            rf"^#?{name}=.*$", line.replace("\\", r"\\"), text, count=1, flags=re.MULTILINE
        )
        if not count:
            text = f"{text.rstrip()}\n{line}\n"
    read = dotenv_values(stream=io.StringIO(text))
    for name, value in answers.items():
        if read[name] != value or not value.isprintable():
            raise click.ClickException(f"{name} has characters that .env cannot hold.")
    return text


def _quote(value: str) -> str:
    if re.fullmatch(r"[\w@%+=:,./~-]*", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
