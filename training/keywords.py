"""Emojibase's keywords as further words for the concepts: "meow" for a black cat."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from training.captions import TEMPLATES
from training.concepts import Concept, entries, imagenet, numbers

_SHARED: Final = 3
"""How many emoji may share a keyword: a man, a woman and a person surfing are one thing."""

_WORD: Final = re.compile(r"[a-z]{3,}")


def keywords(emojibase: Path, concepts: Sequence[Concept]) -> list[tuple[str, ...]]:
    """The keywords of each concept that mean it and nothing else, in order.

    Left out are keywords that another concept has ("animal"), that more than a few emoji have, even
    if those are no concepts ("bank"), that occur in another concept's names or labels ("spider", of
    a web), and words of the templates ("under", of a koala).

    Args:
        emojibase: the unpacked package `emojibase-data`.
        concepts: all that the model draws.
    """
    tags = {entry["label"]: entry.get("tags", ()) for entry in entries(emojibase)}
    carriers = Counter(tag for carried in tags.values() for tag in carried)
    own = Counter(tag for concept in concepts for tag in tags[concept.name])
    said = _said(concepts)
    general = _words(TEMPLATES)
    return [
        tuple(
            tag
            for tag in tags[concept.name]
            if own[tag] == 1
            and carriers[tag] <= _SHARED
            and _WORD.fullmatch(tag)
            and tag not in general
            and tag not in (concept.name, *concept.words)
            and said.get(tag, {number}) == {number}
        )
        for number, concept in enumerate(concepts)
    ]


def _said(concepts: Sequence[Concept]) -> dict[str, set[int]]:
    """The concepts in whose names or labels each word occurs."""
    of_concepts = [
        (number, name)
        for number, concept in enumerate(concepts)
        for name in (concept.name, *concept.words)
    ]
    places = numbers(concepts)
    of_labels = [(places[name], label) for label, name in imagenet().items()]
    said: dict[str, set[int]] = {}
    for number, text in (*of_concepts, *of_labels):
        for word in _words([text]):
            said.setdefault(word, set()).add(number)
    return said


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in _WORD.findall(text.lower())}
