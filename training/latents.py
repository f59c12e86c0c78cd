"""The pictures as the autoencoder's numbers, made once, so that diffusion never sees a pixel."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from training.art import COLOURS, LETTERED, WHITE, Art, View, plain, random_view, tensor

_GROUP: Final = 64


class Latents:
    """All views of all concepts.

    Attributes:
        values: (views, 8, 8, 8); each channel has mean 0 and variance 1.
        views: what each of them shows.
    """

    def __init__(self, values: Tensor, views: list[View]) -> None:
        self.values = values
        self.views = views
        self._found: dict[tuple[int, str], list[int]] = {}
        for number, view in enumerate(views):
            self._found.setdefault((view.concept, view.colour), []).append(number)

    def pick(self, concept: int, colour: str, count: int, random: np.random.Generator) -> list[int]:
        """Numbers of views of a concept on a background: the first half of the time, and so on."""
        views = self._found[concept, colour]
        places = np.minimum(random.geometric(0.5, count), len(views)) - 1
        return [views[place] for place in places]


def make(art: Art, names: list[str], autoencoder: Any, file: Path, seed: int) -> Latents:
    """Encodes the views, or reads them from `file`."""
    if file.exists():
        state = torch.load(file, weights_only=True)
        return Latents(state["values"], [View(**view) for view in state["views"]])
    random = np.random.default_rng((seed, 2))
    views = [
        view
        for concept, name in enumerate(names)
        for view in _views(concept, random, mirrors=name not in LETTERED)
    ]
    with torch.inference_mode():
        parts = []
        for start in range(0, len(views), _GROUP):
            seen = tensor([art.picture(view) for view in views[start : start + _GROUP]])
            parts.append(autoencoder.encode(seen).latent_dist.mode())
        values = torch.cat(parts).contiguous()
    torch.save({"values": values, "views": [asdict(view) for view in views]}, file)
    return Latents(values, views)


def _views(concept: int, random: np.random.Generator, *, mirrors: bool) -> list[View]:
    """The art as it is and mirrored, moved a little, and on each colour.

    Few, so that the UNet learns them by heart.
    """
    return [
        plain(concept),
        replace(plain(concept), mirrored=mirrors),
        *(
            random_view(concept, mirrors=mirrors, colours=(colour,), random=random)
            for colour in (WHITE, *COLOURS)
        ),
    ]


@torch.no_grad()
def standardize(autoencoder: Any, art: Art) -> None:
    """Scales and shifts the autoencoder's channels to mean 0 and variance 1 over the arts.

    The 1x1 convolutions on both sides of the latents take the change up, so that pictures stay the
    same and `scaling_factor` can be 1.
    """
    seen = tensor([art.picture(plain(concept)) for concept in range(len(art))])
    values = torch.cat(
        [autoencoder.encode(part).latent_dist.mode() for part in torch.split(seen, _GROUP)]
    )
    mean, deviation = values.mean((0, 2, 3)), values.std((0, 2, 3))
    count = len(mean)
    inward, outward = autoencoder.quant_conv, autoencoder.post_quant_conv
    inward.bias[:count] -= mean
    inward.weight[:count] /= deviation[:, None, None, None]
    inward.bias[:count] /= deviation
    inward.bias[count:] -= 2 * deviation.log()
    outward.bias += outward.weight[:, :, 0, 0] @ mean
    outward.weight *= deviation[None, :, None, None]
