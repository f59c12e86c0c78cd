"""How alike two pictures are."""

from typing import Any

import numpy as np


def cosine(one: Any, other: Any) -> float:
    """The cosine between two arrays of latents of one shape, NumPy's or PyTorch's."""
    one, other = (np.asarray(latents, np.float64).ravel() for latents in (one, other))
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


def psnr(one: Any, other: Any) -> float:
    """The peak signal-to-noise ratio of two such arrays of pixels from 0 to 1, in dB."""
    one, other = (np.asarray(pixels, np.float64) for pixels in (one, other))
    error = np.square(one - other).mean()
    return float("inf") if error == 0 else float(-10 * np.log10(error))
