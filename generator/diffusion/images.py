"""Computed pictures as PNG files."""

import io
import zlib

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image


def to_png(picture: torch.Tensor, size: tuple[int, int]) -> bytes:
    """Encodes 1 x 3 x height x width numbers, of which -1 to 1 are seen, at `size`.

    Args:
        picture: what a decoder gives.
        size: width and height; a picture of another size is scaled.
    """
    levels = picture[0].movedim(0, -1).to(torch.float32, copy=True)
    levels.div_(2).add_(0.5).clamp_(0, 1).mul_(255).round_()  # in place: new memory takes longer
    pixels = levels.to(torch.uint8).cpu().numpy()
    if pixels.shape[1::-1] != size:
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
    return encode(pixels)


def encode(levels: NDArray[np.uint8]) -> bytes:
    """The PNG file of height x width x 3 levels, red first; it holds nothing but the picture."""
    file = io.BytesIO()
    # Runs only: after PNG's filters there is little else to find. Looking for repetitions, as zlib
    # does by default, takes up to three times as long for a file 2 % smaller.
    Image.fromarray(levels).save(file, "PNG", compress_type=zlib.Z_RLE)
    return file.getvalue()
