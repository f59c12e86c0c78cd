"""What the model can draw: the concepts, the words for them, and ImageNet's labels among them."""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

_DATA: Final = Path(__file__).parent / "data"

IMAGENET: Final = _DATA / "imagenet_to_emoji.csv"
"""A table, reviewed by eye: each label of the offline captioner, and the concept drawn for it."""

_LETTERED: Final = frozenset(
    {"stop sign", "pool 8 ball", "ATM sign", "ambulance", "police car", "keyboard", "taxi"}
)
"""Reviewed concepts that carry letters or figures."""

_COMPONENTS: Final = 2
_FLAGS: Final = 9


@dataclass(frozen=True)
class Concept:
    """One thing that the model draws.

    Attributes:
        name: its label in emojibase: "lady beetle".
        words: other words for it, the commonest first: "ladybug".
        mirrors: whether its art may be mirrored; art with letters may not.
    """

    name: str
    words: tuple[str, ...]
    mirrors: bool


@cache
def reviewed() -> tuple[Concept, ...]:
    """The concepts of the file, in its order."""
    lines = (_DATA / "concepts.txt").read_text(encoding="utf-8").splitlines()
    return tuple(_concept(line) for line in lines if line and not line.startswith("#"))


def _concept(line: str) -> Concept:
    name, _, words = line.partition(" = ")
    others = tuple(word.strip() for word in words.split(";") if word.strip())
    return Concept(name, others, mirrors=name not in _LETTERED)


def everything(emojibase: Path, drawn: Callable[[str], bool]) -> tuple[Concept, ...]:
    """The reviewed concepts, then all other emoji with art except flags and skin tones.

    The others are never mirrored, as nobody has checked them for letters. A reviewed concept loses
    the words that are names of others: a "child" is no longer a boy.

    Args:
        emojibase: the unpacked package `emojibase-data`.
        drawn: whether there is art for an emoji of these code points.
    """
    known = {concept.name for concept in reviewed()}
    others = [
        Concept(entry["label"], (), mirrors=False)
        for entry in entries(emojibase)
        if entry.get("group", _COMPONENTS) not in {_COMPONENTS, _FLAGS}
        and entry["label"] not in known
        and drawn(entry["hexcode"].lower())
    ]
    names = {concept.name for concept in others}
    return (
        *(
            replace(concept, words=tuple(word for word in concept.words if word not in names))
            for concept in reviewed()
        ),
        *others,
    )


def numbers(concepts: Sequence[Concept]) -> dict[str, int]:
    """Each concept's number, its place in the sequence, by its name."""
    return {concept.name: number for number, concept in enumerate(concepts)}


def imagenet() -> dict[str, str]:
    """The concept's name for each label of the offline captioner: "a tench" is a "fish"."""
    with IMAGENET.open(encoding="utf-8", newline="") as file:
        return {row["label"]: row["concept"] for row in csv.DictReader(file)}


def entries(emojibase: Path) -> list[dict[str, Any]]:
    """What emojibase knows of each emoji: "label", "hexcode", mostly "tags" and "group"."""
    text = (emojibase / "en" / "data.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)
    return found
