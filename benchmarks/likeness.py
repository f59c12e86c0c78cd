"""How alike two pictures are."""

from typing import Any

import numpy as np
from PIL import Image


def cosine(one: Any, other: Any) -> float:
    """The cosine between two arrays of latents of one shape, NumPy's or PyTorch's."""
    one, other = (np.asarray(latents, np.float64).ravel() for latents in (one, other))
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


def psnr(one: Any, other: Any) -> float:
    """The peak signal-to-noise ratio of two such arrays of pixels from 0 to 1, in dB."""
    one, other = (np.asarray(pixels, np.float64) for pixels in (one, other))
    error = np.square(one - other).mean()
    return float("inf") if error == 0 else float(-10 * np.log10(error))


_GRID = 8
_ZIGZAG = ((0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2))
"""Coefficients, by row and column, those of the largest forms first."""

_KEPT = (6, 3, 3)
"""How many of them, of Y, Cb and Cr."""


def layout_distance(one: Image.Image, other: Image.Image) -> float:
    """How far apart the layouts of colours of two pictures are; 0: the same.

    The colour layout descriptor of MPEG-7 (ISO/IEC 15938-3, 2002; Kasutani and Yamada, "The MPEG-7
    color layout descriptor", ICIP 2001) and its distance: the mean colours of 8 x 8 blocks in
    YCbCr, 6, 3 and 3 coefficients of their cosine transform, and the sum of the Euclidean distances
    of the three. All coefficients weigh the same, and none is rounded to fewer bits.
    """
    distances = (
        np.linalg.norm(first - second)
        for first, second in zip(_layout(one), _layout(other), strict=True)
    )
    return float(sum(distances))


def _layout(picture: Image.Image) -> list[Any]:
    """The coefficients that are kept of each plane."""
    blocks = picture.convert("RGB").resize((_GRID, _GRID), Image.Resampling.BOX).convert("YCbCr")
    numbers = np.arange(_GRID)
    cosines = np.sqrt(2 / _GRID) * np.cos(np.pi * np.outer(numbers, 2 * numbers + 1) / (2 * _GRID))
    cosines[0] /= np.sqrt(2)
    found = []
    for plane, kept in zip(blocks.split(), _KEPT, strict=True):
        coefficients = cosines @ np.asarray(plane, np.float64) @ cosines.T
        found.append(np.array([coefficients[at] for at in _ZIGZAG[:kept]]))
    return found
