"""What the model can draw: the concepts, the words for them, and ImageNet's labels among them."""

import csv
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).parent / "data"

IMAGENET: Final = _DATA / "imagenet_to_emoji.csv"
"""The reviewed table: a label of the offline captioner, the concept drawn for it."""


@dataclass(frozen=True)
class Concept:
    """One thing that the model draws.

    Attributes:
        name: its label in emojibase: "lady beetle".
        words: other words for it, the commonest first: "ladybug".
    """

    name: str
    words: tuple[str, ...]


@cache
def concepts() -> tuple[Concept, ...]:
    """All concepts, in the order of the file; a concept's number is its place here."""
    lines = (_DATA / "concepts.txt").read_text(encoding="utf-8").splitlines()
    return tuple(_concept(line) for line in lines if line and not line.startswith("#"))


def _concept(line: str) -> Concept:
    name, _, words = line.partition(" = ")
    return Concept(name, tuple(word.strip() for word in words.split(";") if word.strip()))


def numbers() -> dict[str, int]:
    """The number of each concept by its name."""
    return {concept.name: number for number, concept in enumerate(concepts())}


def imagenet() -> dict[str, str]:
    """The concept's name for each label of the offline captioner: "a tench" is a "fish"."""
    with IMAGENET.open(encoding="utf-8", newline="") as file:
        return {row["label"]: row["concept"] for row in csv.DictReader(file)}


def hexcodes(emojibase: Path) -> dict[str, str]:
    """The code points of each emoji by its label, as file names write them: "1f41e".

    Args:
        emojibase: the unpacked package `emojibase-data`.
    """
    entries = json.loads((emojibase / "en" / "data.json").read_text(encoding="utf-8"))
    return {entry["label"]: entry["hexcode"].lower() for entry in entries}
