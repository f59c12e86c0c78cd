"""The pictures as latents, encoded once, so that diffusion never sees a pixel."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from training.art import COLOURS, FLUENT, STYLES, WHITE, Art, View, tensor

_GROUP: Final = 64


class Latents:
    """All views of all concepts.

    Attributes:
        values: (views, channels, side / 8, side / 8); each channel has mean 0 and variance 1.
        views: what each latent shows.
    """

    def __init__(self, values: Tensor, views: list[View]) -> None:
        self.values = values
        self.views = views
        self._found: dict[tuple[int, str, str], list[int]] = {}
        for number, view in enumerate(views):
            self._found.setdefault((view.concept, view.style, view.colour), []).append(number)

    def pick(
        self, concept: int, style: str, colour: str, count: int, random: np.random.Generator
    ) -> list[int]:
        """Numbers of views of an art on a background: the first with probability 1/2, and so on."""
        views = self._found[concept, style, colour]
        places = np.minimum(random.geometric(0.5, count), len(views)) - 1
        return [views[place] for place in places]


def make(art: Art, autoencoder: Any, file: Path, seed: int) -> Latents:
    """Encodes the views, or reads them from `file`."""
    if file.exists():
        state = torch.load(file, weights_only=True)
        return Latents(state["values"], [View(**view) for view in state["views"]])
    random = np.random.default_rng((seed, 2))
    views = [
        view
        for style in STYLES
        for concept in range(len(art))
        for view in _views(art, concept, style, random)
    ]
    values = encode(autoencoder, art, views).cpu()
    written = file.with_suffix(".new")
    torch.save({"values": values, "views": [asdict(view) for view in views]}, written)
    written.replace(file)
    return Latents(values, views)


@torch.no_grad()
def encode(autoencoder: Any, art: Art, views: Sequence[View]) -> Tensor:
    """The latents of views: (n, channels, side / 8, side / 8)."""
    parts = []
    for start in range(0, len(views), _GROUP):
        seen = tensor([art.picture(view) for view in views[start : start + _GROUP]])
        parts.append(autoencoder.encode(seen.to(autoencoder.device)).latent_dist.mode())
    return torch.cat(parts).contiguous()


def _views(art: Art, concept: int, style: str, random: np.random.Generator) -> list[View]:
    """The art as it is and on each colour; Fluent's also mirrored, and moved a little on white.

    There are only a few, so that the UNet learns them by heart.
    """
    views = [art.plain(concept, style)]
    if style == FLUENT:
        views.append(art.mirrored(concept))
        views += [art.random_view(concept, style, (WHITE,), random) for _ in range(2)]
    colours = (colour for colour in COLOURS if colour != WHITE)
    return views + [art.random_view(concept, style, (colour,), random) for colour in colours]


@torch.no_grad()
def standardize(autoencoder: Any, art: Art) -> None:
    """Scales and shifts the autoencoder's channels to mean 0 and variance 1 over Fluent's arts.

    The 1x1 convolutions on both sides of the latents absorb the change, so that pictures stay the
    same and `scaling_factor` can be 1.
    """
    values = encode(autoencoder, art, [art.plain(concept) for concept in range(len(art))])
    mean, deviation = values.mean((0, 2, 3)), values.std((0, 2, 3))
    count = len(mean)
    inward, outward = autoencoder.quant_conv, autoencoder.post_quant_conv
    inward.bias[:count] -= mean
    inward.weight[:count] /= deviation[:, None, None, None]
    inward.bias[:count] /= deviation
    inward.bias[count:] -= 2 * deviation.log()
    outward.bias += outward.weight[:, :, 0, 0] @ mean
    outward.weight *= deviation[None, :, None, None]
