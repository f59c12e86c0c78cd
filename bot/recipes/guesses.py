"""What a photo may show where its captioner is not sure: guesses that can be painted instead."""

from collections.abc import Sequence
from typing import Final

from protos.lookalike.db.v1 import db_pb2 as db

PHOTO_OF: Final = "a photo of "
"""What a sentence begins with whose captioner knows nothing but the name of a thing."""

USER: Final = "user"
"""The captioner of what a photo's owner has said."""

_SURE: Final = 0.35


def is_unsure(caption: db.Caption) -> bool:
    """Whether its captioner would not bet on it."""
    return caption.HasField("confidence") and caption.confidence < _SURE


def offered(caption: db.Caption) -> Sequence[str]:
    """The guesses that are offered: of a captioner that is not sure, until its owner knows better.

    They are sentences, as the captioner would have said them.
    """
    is_chosen = caption.captioner == USER and caption.text in caption.guesses
    return caption.guesses if is_unsure(caption) or is_chosen else ()


def thing(sentence: str) -> str:
    """What a guess names: "a football helmet" of "a photo of a football helmet"."""
    return sentence.removeprefix(PHOTO_OF)
