"""Computed pictures as PNG files."""

import io
import zlib

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from generator.diffusion import recipes


def to_png(picture: torch.Tensor, size: tuple[int, int], recipe: str) -> bytes:
    """Encodes 1 x 3 x height x width numbers, of which -1 to 1 are seen, at `size`.

    Args:
        picture: what a decoder gives.
        size: width and height; a picture of another size is scaled.
        recipe: see `encode`.
    """
    levels = picture[0].movedim(0, -1).to(torch.float32, copy=True)
    levels.div_(2).add_(0.5).clamp_(0, 1).mul_(255).round_()  # in place: new memory takes longer
    pixels = levels.to(torch.uint8).cpu().numpy()
    if pixels.shape[1::-1] != size:
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
    return encode(pixels, recipe)


def encode(levels: NDArray[np.uint8], recipe: str) -> bytes:
    """The PNG file of a picture; it holds nothing but this and its recipe.

    Args:
        levels: height x width x 3, red first.
        recipe: goes into a text chunk, iTXt, which takes all of Unicode but the character 0
            (PNG, third edition, 11.3.3.4).
    """
    file = io.BytesIO()
    texts = PngInfo()
    texts.add_itxt(recipes.KEYWORD, recipe)
    # Runs only: after PNG's filters there is little else to find. Looking for repetitions, as zlib
    # does by default, takes up to three times as long for a file 2 % smaller.
    Image.fromarray(levels).save(file, "PNG", compress_type=zlib.Z_RLE, pnginfo=texts)
    return file.getvalue()
