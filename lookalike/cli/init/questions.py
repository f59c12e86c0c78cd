"""What is asked. Whatever was given is not; whatever a `.env` has can be kept."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import click

from lookalike import secret_files
from lookalike.cli.init import costs, dotenv
from lookalike.cli.init.dotenv import Answers

STABLE_DIFFUSION = "stable-diffusion-v1-5/stable-diffusion-v1-5"
SMALL_MODEL = "emoji"

_CAPTIONERS = {
    "blip": "whole sentences, on this machine; no key. A download of 1 GB, 1.5 GB of memory",
    "azure": "whole sentences, by Microsoft; needs an account and a key",
    "offline": "names the main thing, on this machine; no key, no download",
}
_ACCESS = {
    "me": "you alone; a link says that it is you",
    "invited": "you, and people whom you send links that the bot makes",
    "everyone": "whoever finds it; their photos cost you Azure's calls and this machine's time",
}
_KEEP = "keep"


@dataclass(frozen=True)
class Known:
    """What need not be asked for.

    Attributes:
        given: answers by options and the environment.
        text: of the `.env`, or of the example in place of one.
    """

    given: Answers
    text: str

    @cached_property
    def kept(self) -> Answers:
        """What the `.env` has; it is offered."""
        return dotenv.read(self.text)


def token(known: Known) -> Answers:
    """The bot's token."""
    question = "The bot's token, from @BotFather (/newbot); it stays hidden"
    return _secret("TELEGRAM_BOT_TOKEN", known, question)


def captioner(known: Known) -> Answers:
    """Who describes photos, and what Azure needs."""
    _show(known, "CAPTIONER", "Who describes a photo?", _CAPTIONERS)
    chosen = _ask("CAPTIONER", known, "The captioner", default="blip", choices=tuple(_CAPTIONERS))
    answers = {"CAPTIONER": chosen}
    if chosen == "azure":
        question = "The endpoint of the Azure AI Vision resource"
        answers["AZURE_VISION_ENDPOINT"] = _ask("AZURE_VISION_ENDPOINT", known, question)
        question = "One of its two keys; it stays hidden"
        answers |= _secret("AZURE_VISION_KEY", known, question)
    return answers


def model(known: Known) -> Answers:
    """Which model paints."""
    models = {
        STABLE_DIFFUSION: f"anything; {costs.stable_diffusion()}",
        SMALL_MODEL: "emoji only; about 1 s a picture, 0.5 GB of memory, no download",
    }
    _show(known, "GENERATOR_MODEL", "Which model paints?", models)
    question = "The model: one of these, another id on the hub, a folder, or a .safetensors file"
    return {"GENERATOR_MODEL": _ask("GENERATOR_MODEL", known, question, default=STABLE_DIFFUSION)}


def access(known: Known) -> Answers:
    """Whom the bot is for."""
    _show(known, "BOT_ACCESS", "Whom is the bot for?", _ACCESS)
    return {
        "BOT_ACCESS": _ask("BOT_ACCESS", known, "It is for", default="me", choices=tuple(_ACCESS))
    }


def need_terminal(message: str) -> None:
    """Raises ClickException where nobody can be asked."""
    if not sys.stdin.isatty():
        raise click.ClickException(message)


def _show(known: Known, name: str, title: str, choices: Answers) -> None:
    if name in known.given or not sys.stdin.isatty():
        return
    click.echo(f"\n{title}")
    for choice, what in choices.items():
        click.echo(f"  {click.style(choice, bold=True)}: {what}.")


def _secret(name: str, known: Known, question: str) -> Answers:
    """A secret, or the file that has it; what is answered takes the other one's place in `.env`."""
    file = name + secret_files.ENDING
    kept = {each: known.kept[each] for each in (name, file) if each in known.kept}
    # Both, if both were given, or are there and nobody can be asked: the check says so.
    answer = {each: known.given[each] for each in (name, file) if each in known.given}
    if not answer and file in kept:
        if not sys.stdin.isatty():
            return kept
        typed = _ask(file, known, f"{question} (now in {kept[file]})", secret=True)
        answer = {file: typed} if typed == kept[file] else {name: typed}
    elif not answer:
        answer = {name: _ask(name, known, question, secret=True)}
    return dict.fromkeys(kept, "") | answer


def _ask(
    name: str,
    known: Known,
    question: str,
    *,
    default: str | None = None,
    choices: Sequence[str] = (),
    secret: bool = False,
) -> str:
    if name in known.given:
        return known.given[name]
    kept = known.kept.get(name)
    if kept is not None:
        if not sys.stdin.isatty():
            return kept
        default, choices = _KEEP, (*choices, _KEEP) if choices else ()
        question += "" if secret else f" (now {kept})"
    need_terminal(f"Give --{name.lower().replace('_', '-')}: there is no terminal to ask on.")
    kind = click.Choice(choices) if choices else None
    answer: str = click.prompt(question, default=default, type=kind, hide_input=secret)
    if kept is not None and answer.strip() == _KEEP:
        return kept
    return answer.strip()
