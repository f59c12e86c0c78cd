"""Captions for pictures, from names, templates, scenes around the thing, and ImageNet's labels."""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np

from training.art import FLUENT, WHITE, View, random_style
from training.concepts import Concept, imagenet, numbers

_Thing = TypeVar("_Thing")

_FRAMES: Final = (
    "{}",
    "{}",
    "{}",
    "a photo of {}",
    "a photo of {}",
    "a photo of {}",
    "a picture of {}",
    "an image of {}",
    "a drawing of {}",
    "an emoji of {}",
    "an illustration of {}",
    "a close up of {}",
    "a painting of {}",
    "there is {}",
    "{}, 3d emoji",
)

_FLAT_FRAMES: Final = (
    "a flat drawing of {}",
    "a flat drawing of {}",
    "a flat picture of {}",
    "a flat illustration of {}",
    "a flat emoji of {}",
    "{}, flat drawing",
    "{}, flat emoji",
    "{}, flat style",
    "{} in flat style",
)
"""How Noto's art is asked for."""

_SCENES: Final = (
    "{} sitting on {}",
    "{} lying on {}",
    "{} standing in front of {}",
    "{} in front of {}",
    "{} next to {}",
    "{} on top of {}",
    "{} on {}",
    "{} in {}",
    "{} with {}",
    "{} near {}",
    "{} under {}",
    "{} behind {}",
    "{} looking at {}",
    "{} and {}",
)

_AROUND: Final = (
    "the grass",
    "a field",
    "the snow",
    "the water",
    "a table",
    "a wooden table",
    "the floor",
    "the ground",
    "a white surface",
    "a white background",
    "a room",
    "a kitchen",
    "a garden",
    "a street",
    "the road",
    "the sky",
    "the background",
    "trees",
    "a blanket",
    "a shelf",
    "the wall",
    "the sidewalk",
    "a parking lot",
    "a cage",
    "a zoo",
    "a plate",
    "the sun",
    "the night",
    "the dark",
    "the rain",
    "its mouth open",
    "its eyes closed",
)

_ADJECTIVES: Final = (
    "small",
    "large",
    "big",
    "little",
    "cute",
    "old",
    "new",
    "young",
    "beautiful",
    "white",
    "black",
    "brown",
    "red",
    "blue",
    "green",
    "yellow",
    "grey",
    "orange",
    "black and white",
    "brown and white",
    "colorful",
    "shiny",
    "wooden",
    "close-up",
)

_BACKGROUND: Final = "the a an background"
TEMPLATES: Final = (*_FRAMES, *_FLAT_FRAMES, *_SCENES, *_AROUND, *_ADJECTIVES, _BACKGROUND)
"""Everything in captions beside the thing's name."""

_KEYWORDS: Final = 0.15
"""The share of captions that use a keyword in place of the name, if the concept has one."""

_LABELS: Final = 0.4
"""The share of captions that use ImageNet's labels rather than the concepts' names."""


class Said(NamedTuple):
    """What is drawn, and the caption that asks for it.

    Attributes:
        concept: its number.
        style: `FLUENT` or `NOTO`.
        text: the caption, without a background.
    """

    concept: int
    style: str
    text: str


class Captions:
    """Draws a random concept and a caption for it."""

    def __init__(
        self, concepts: Sequence[Concept], keywords: Sequence[Sequence[str]], noto: float
    ) -> None:
        """Prepares names, labels and keywords.

        Args:
            concepts: what can be drawn.
            keywords: of each concept, in the same order.
            noto: the share of captions that ask for Noto's art.
        """
        places = numbers(concepts)
        self._labels = [(label, places[name]) for label, name in imagenet().items()]
        self._names = [(concept.name, *concept.words) for concept in concepts]
        self._keywords = keywords
        self._noto = noto

    def draw(self, random: np.random.Generator) -> Said:
        """The next random concept, with its caption."""
        if random.random() < _LABELS:
            label, concept = self._labels[random.integers(len(self._labels))]
            return self._said(concept, label, random, plain=0.6)
        concept = int(random.integers(len(self._names)))
        return self._said(concept, self._noun(concept, random), random, plain=0.1)

    def _said(self, concept: int, thing: str, random: np.random.Generator, *, plain: float) -> Said:
        """A caption: as the offline captioner says it, or with other words, maybe with a scene."""
        style = random_style(self._noto, random)
        if style == FLUENT and random.random() < plain:
            return Said(concept, style, f"a photo of {thing}")
        if random.random() < 0.35:  # noqa: PLR2004
            thing = _pick(_SCENES, random).format(thing, self._place(random))
        frames = _FRAMES if style == FLUENT else _FLAT_FRAMES
        return Said(concept, style, _pick(frames, random).format(thing))

    def _noun(self, concept: int, random: np.random.Generator) -> str:
        """One of a concept's names, mostly the first one, with or without an article."""
        names, keywords = self._names[concept], self._keywords[concept]
        name = names[0] if random.random() < 0.5 else _pick(names, random)  # noqa: PLR2004
        if keywords and random.random() < _KEYWORDS:
            name = _pick(keywords, random)
        if random.random() < 0.15:  # noqa: PLR2004
            name = f"{_pick(_ADJECTIVES, random)} {name}"
        return with_article(name, random)

    def _place(self, random: np.random.Generator) -> str:
        """What is around the thing: a place, or another thing."""
        if random.random() < 0.6:  # noqa: PLR2004
            return _pick(_AROUND, random)
        return with_article(_pick(_pick(self._names, random), random), random)

    def corpus(self) -> list[str]:
        """Texts with every word that a caption can have."""
        names = [name for names in self._names for name in names]
        labels = [label for label, _ in self._labels]
        keywords = [keyword for keywords in self._keywords for keyword in keywords]
        return [*names, *labels, *keywords, *TEMPLATES]


def on_background(caption: str, view: View, random: np.random.Generator) -> str:
    """The caption with the background's colour, where it is not white."""
    if view.colour == WHITE:
        return caption
    return f"{caption} {_pick(('on a', 'on a', 'with a'), random)} {view.colour} background"


def with_article(name: str, random: np.random.Generator) -> str:
    """A name with an article, or without one."""
    chance = random.random()
    if chance < 0.2:  # noqa: PLR2004
        return name
    if chance < 0.35:  # noqa: PLR2004
        return f"the {name}"
    return indefinite(name)


def indefinite(name: str) -> str:
    """A name after "a" or "an": "an owl"."""
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _pick(things: Sequence[_Thing], random: np.random.Generator) -> _Thing:
    return things[int(random.integers(len(things)))]
