"""Pictures to start from, as an autoencoder takes them."""

import io

import numpy as np
import torch
from PIL import Image

_Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""


def read(png: bytes, proportions: tuple[int, int], size: tuple[int, int]) -> torch.Tensor:
    """Reads a picture, crops it around its centre, and scales it; nothing is stretched.

    Args:
        png: the file.
        proportions: width and height to crop to, in any unit.
        size: width and height to scale to, of about these proportions.

    Returns:
        1 x 3 x height x width, -1 to 1.
    """
    with Image.open(io.BytesIO(png)) as image:
        box = _centred(image.size, proportions)
        scaled = image.convert("RGB").resize(size, Image.Resampling.LANCZOS, box)
    levels = torch.from_numpy(np.array(scaled)).movedim(-1, 0)[None]
    return 2 * (levels.to(torch.float32) / 255) - 1


def _centred(size: tuple[int, int], proportions: tuple[int, int]) -> _Box:
    """The largest box of these proportions around the centre."""
    width, height = size
    scale = min(width / proportions[0], height / proportions[1])
    left = (width - proportions[0] * scale) / 2
    top = (height - proportions[1] * scale) / 2
    return left, top, width - left, height - top
