"""What is known of a model besides its files: what it draws well, and how to keep to a photo."""

from collections.abc import Mapping, Sequence

from generator.models import EMOJI, Source

TWIN, SIBLING, COUSIN = "twin", "sibling", "cousin"
"""The dial's steps that start from a photo, the nearest first."""

DIAL: Mapping[str, float] = {TWIN: 0.35, SIBLING: 0.55, COUSIN: 0.75}
"""Strengths for Stable Diffusion 1.x."""

_DIAL_OF_EMOJI = {TWIN: 0.2, SIBLING: 0.5, COUSIN: 0.65}
"""The small model turns from photo to drawing between 0.5 and 0.7: seen, and `benchmarks.dial`."""

_GRID = 64
"""Pixels: a UNet halves the rows and columns of latents three times, and a latent has eight."""

_SHORTEST, _LONGEST = 0.75, 1.375
"""Of the own side: 384 and 704 of 512."""

_MOST = 1024
"""What a request may ask for, in pixels of a side."""

_AREA = 0.1
"""How far the number of pixels may be from the own one, as a share of it."""


def dial(source: Source) -> Mapping[str, float]:
    """How strongly each step of the dial changes a photo, by its name."""
    return _DIAL_OF_EMOJI if source.location == str(EMOJI) else DIAL


def sizes(width: int, height: int, *, enlarged: bool) -> Sequence[tuple[int, int]]:
    """What a model draws well, in pixels: its own size first, and others with about its area.

    Args:
        width: its own.
        height: likewise.
        enlarged: whether it draws smaller than that. Small models have seen squares alone, and of
            anything else make nothing that one would recognize.
    """
    own = (width, height)
    if enlarged or width != height:
        return (own,)
    least = -(-round(_SHORTEST * width) // _GRID) * _GRID
    sides = range(least, min(round(_LONGEST * width), _MOST) + 1, _GRID)
    others = (
        (wide, high)
        for wide in sides
        for high in sides
        if wide != high and abs(wide * high / (width * height) - 1) <= _AREA
    )
    return (own, *others)
