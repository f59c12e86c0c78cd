"""The prompt that follows from a photo's caption, a style, and somebody's words."""

import re
from typing import Final

from bot.recipes.styles import STYLES
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db

MOST_CHARACTERS: Final = 1000
"""Of a prompt, as generator.xsd takes it."""

_SURELY_READ: Final = 200  # characters; English has four and more to a token

_AVOID: Final = re.compile(r"(?:^|\s)--\s+(?P<avoid>[^-].*)$")


def words_of(item: db.Item) -> str:
    """The words that a picture is painted with: its own, or those that came with the photo."""
    return item.generation.recipe.words or item.photo.user_text or item.photo.album_text


def sentence(item: db.Item) -> str:
    """What a picture shows, in a sentence: its words, and the photo's caption."""
    wanted, _ = _parts(words_of(item))
    return _joined(wanted, item.photo.caption.text)


def compose(item: db.Item) -> tuple[str, str]:
    """The prompt and the negative prompt.

    CLIP reads 77 tokens (arXiv 2103.00020). What may not find room in them is the caption's end, so
    a caption stands last if it is long. Otherwise the style does: the small model reads 24, and
    draws the thing in no style rather than a style of nothing. Words can end with `-- word, word`:
    what to avoid.
    """
    wanted, avoided = _parts(words_of(item))
    style, caption = STYLES.get(item.generation.recipe.style), item.photo.caption.text
    manner = style.words if style else ""
    prompt = _joined(wanted, caption, manner)
    if len(prompt) > _SURELY_READ:
        prompt = _joined(wanted, manner, caption)
    return prompt, _joined(avoided, style.avoid if style else "")


def taken_apart(prompt: str, negative_prompt: str, words: str, style: str) -> db.Recipe:
    """A recipe that a prompt follows from, though nobody has the photo's caption any more.

    Args:
        prompt: what `compose` has given, or somebody else.
        negative_prompt: likewise.
        words: of its recipe; empty if it has none.
        style: likewise.

    Returns:
        Its words, which say what the caption said as well, and its style. If the prompt is not made
        of these, its words are all of it.
    """
    wanted, avoided = _parts(words)
    manner = STYLES[style].words if style in STYLES else ""
    for before, after in ((wanted, manner), (_joined(wanted, manner), "")):
        caption = _between(prompt, before, after)
        if caption is not None and (before or after):
            everything = _joined(wanted, caption)
            break
    else:
        style, everything, avoided = "", prompt, negative_prompt
    avoided = avoided[:MOST_CHARACTERS]
    return db.Recipe(style=style, words=f"{everything} -- {avoided}" if avoided else everything)


def _between(prompt: str, before: str, after: str) -> str | None:
    """What a prompt has between these; None: it does not begin or end with them."""
    whole, start, end = (f", {part}, " if part else ", " for part in (prompt, before, after))
    if not (whole.startswith(start) and whole.endswith(end)):
        return None
    if len(whole) + len(", ") < len(start) + len(end):
        return None
    return whole[len(start) : len(whole) - len(end)]


def _parts(words: str) -> tuple[str, str]:
    """What is wanted, and what is to be avoided."""
    words = " ".join(printable(words).split())
    match = _AVOID.search(words)
    if match is None:
        return words, ""
    return words[: match.start()].rstrip(), match["avoid"]


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))[:MOST_CHARACTERS].rstrip(" ,")
