"""What follows from a picture: the recipe of another one, and how it is computed.

The picture to start from is always the photo. What is not changed stays: the seed, too, unless it
is painted again.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.recipes.prompts import words_of
from protos.lookalike.db.v1 import db_pb2 as db

NAMES: Final[Mapping[db.Dial, str]] = {
    db.DIAL_DREAM: "dream",
    db.DIAL_COUSIN: "cousin",
    db.DIAL_SIBLING: "sibling",
    db.DIAL_TWIN: "twin",
}
"""The names of the dial's steps: each keeps more of the photo than the one before."""

DIAL: Final = tuple(NAMES)
"""The steps of the dial, in this order."""

STEPS: Final[Mapping[str, db.Dial]] = {name: step for step, name in NAMES.items()}
"""The steps of the dial by name."""

COUNTS: Final = (1, 2, 4)
"""How many pictures somebody may want at once."""

_SEED_BITS = 32  # what other programs around Stable Diffusion take, too


@dataclass(frozen=True)
class Child:
    """Another picture.

    Attributes:
        recipe: what it is made of.
        parameters: how it is computed.
        several: whether there are as many as its owner wants at once; else it is one.
    """

    recipe: db.Recipe
    parameters: db.Parameters
    several: bool = True


def new_seed() -> int:
    """A seed that nobody has chosen."""
    return secrets.randbits(_SEED_BITS)


def has_photo(item: db.Item) -> bool:
    """Whether it is painted for a photo, and not from words alone."""
    return bool(item.photo.file_id)


def numbered(item: db.Item) -> Sequence[tuple[int, str]]:
    """The pictures of a set that are still there, by their numbers in its album."""
    in_album = [each for each in item.members if each.result_message_id or each.HasField("picture")]
    return [(n, each.id) for n, each in enumerate(in_album, start=1) if each.HasField("picture")]


def turned(item: db.Item, steps: int) -> db.Dial | None:
    """The dial so many steps closer to the photo; None: it does not go so far."""
    if not has_photo(item):
        return None
    at = DIAL.index(item.generation.recipe.dial) + steps
    return DIAL[at] if 0 <= at < len(DIAL) else None


def again(item: db.Item) -> Child:
    """The same with another seed."""
    return _child(item, new_seed())


def dialled(item: db.Item, dial: db.Dial) -> Child:
    """The same at another step of the dial."""
    child = _child(item, _seed(item), several=False)
    child.recipe.dial = dial
    return child


def styled(item: db.Item, style: str) -> Child:
    """The same in another style; "": in none."""
    child = _child(item, _seed(item), several=False)
    child.recipe.style = style
    return child


def worded(item: db.Item, words: str) -> Child:
    """The same with other words."""
    child = _child(item, _seed(item))
    child.recipe.words = words
    return child


def same(item: db.Item) -> Child:
    """The same, for a photo of which something else is said."""
    return _child(item, _seed(item))


def _seed(item: db.Item) -> int | None:
    """The seed of a picture, or of the first one of a set; None: it has none yet."""
    generation = next(iter(item.members), item.generation)
    if generation.HasField("picture"):
        return generation.picture.seed
    return item.generation.parameters.seed if item.generation.parameters.HasField("seed") else None


def _child(item: db.Item, seed: int | None, *, several: bool = True) -> Child:
    before = item.generation
    recipe = db.Recipe(dial=before.recipe.dial, style=before.recipe.style, words=words_of(item))
    parameters = db.Parameters()
    parameters.CopyFrom(before.parameters)
    parameters.prompt = parameters.negative_prompt = ""  # they follow from the recipe
    parameters.ClearField("seed")
    if seed is not None:
        parameters.seed = seed
    return Child(recipe, parameters, several)
