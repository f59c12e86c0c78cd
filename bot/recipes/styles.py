"""The styles, as `styles.toml` has them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final


@dataclass(frozen=True)
class Style:
    """One way to paint.

    Attributes:
        emoji: stands for it on a button.
        label: what it is called in English, in lower case; a source string of the texts.
        words: what is added to the prompt.
        avoid: what is added to the negative prompt.
    """

    emoji: str
    label: str
    words: str
    avoid: str


def _load() -> Mapping[str, Style]:
    text = resources.files("bot.recipes").joinpath("styles.toml").read_text("utf-8")
    return {name: Style(**fields) for name, fields in tomllib.loads(text).items()}


STYLES: Final = _load()
"""The styles by their names, in the order of their buttons."""
