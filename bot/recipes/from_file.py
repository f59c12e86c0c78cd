"""The recipe that a file brings. Whoever wrote it: only what can be painted is taken from it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.recipes.children import STEPS, Child
from bot.recipes.prompts import MOST_CHARACTERS, taken_apart
from bot.recipes.styles import STYLES
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db

_MOST_WORDS: Final = 4096  # characters, as many as Telegram lets anybody write
_MOST_NAME: Final = 200  # characters
_PRESET: Final = re.compile(r"[a-z]{1,32}")

_WHOLE: Final[Mapping[str, range]] = {
    "width": range(64, 1025, 8),
    "height": range(64, 1025, 8),
    "steps": range(1, 151),
    "seed": range(2**63),
}
"""Whole numbers, as generator.xsd takes them."""

_MOST_GUIDANCE: Final = 30


@dataclass(frozen=True)
class FileRecipe:
    """A recipe that came in a file.

    Attributes:
        child: what is painted from it: a Dream, since a file has no photo.
        model: what has painted it, as the file says; may be empty.
        had_photo: whether that started from a photo.
    """

    child: Child
    model: str
    had_photo: bool


def parse(told: Mapping[str, Any], words: str = "") -> FileRecipe | None:
    """What can be painted of a recipe; None: there is nothing that a picture could show.

    Args:
        told: what a file says, of any types and lengths; what is out of bounds is left out.
        words: what is painted in place of its words; empty: what it says.
    """
    prompt = _text(told, "prompt", MOST_CHARACTERS)
    if not prompt.strip():
        return None
    parameters = _numbers(told)
    preset, style = _text(told, "preset", _MOST_NAME), _text(told, "style", _MOST_NAME)
    if _PRESET.fullmatch(preset):
        parameters.preset = preset
    if style not in STYLES:
        style = ""
    if words:
        recipe = db.Recipe(style=style, words=words)  # the prompt follows from them
    else:
        avoided = _text(told, "negative_prompt", MOST_CHARACTERS)
        recipe = taken_apart(prompt, avoided, _text(told, "words", _MOST_WORDS), style)
        parameters.prompt, parameters.negative_prompt = prompt, avoided
    recipe.dial = db.DIAL_DREAM
    dial = STEPS.get(_text(told, "dial", _MOST_NAME), db.DIAL_DREAM)
    return FileRecipe(
        Child(recipe, parameters),
        model=" ".join(_text(told, "model", _MOST_NAME).split()),
        had_photo=dial != db.DIAL_DREAM or "strength" in told,
    )


def _text(told: Mapping[str, Any], name: str, most: int) -> str:
    value = told.get(name)
    return printable(value)[:most] if isinstance(value, str) else ""


def _numbers(told: Mapping[str, Any]) -> db.Parameters:
    """The numbers that are some, and within what the generator takes."""
    parameters = db.Parameters()
    for name, allowed in _WHOLE.items():
        value = told.get(name)
        if type(value) is int and value in allowed:
            setattr(parameters, name, value)
    scale = told.get("guidance_scale")
    if isinstance(scale, int | float) and type(scale) is not bool and 0 <= scale <= _MOST_GUIDANCE:
        parameters.guidance_scale = scale
    return parameters
