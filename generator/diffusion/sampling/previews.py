"""Previews: small pictures of where a job is, by a linear map from latents to colours.

A latent cell stands for 8 x 8 pixels, and its four numbers give their mean colour well enough.
"""

import io
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from generator.models import SD15

_SD15_MAP = (
    (0.3512, 0.2297, 0.3227),
    (0.3250, 0.4974, 0.2350),
    (-0.2829, 0.1762, 0.2721),
    (-0.2120, -0.2616, -0.7177),
    (0.0, 0.0, 0.0),
)
"""For the latents of Stable Diffusion 1.x: red, green and blue from -1 to 1 for each channel, and
what is added. Source: ComfyUI, comfy/latent_formats.py, SD15."""

_ALIKE = ("latent_channels", "block_out_channels", "layers_per_block", "scaling_factor")
_CELLS = 8
_SAMPLES = 4
_SIDE = 256
_QUALITY = 80


class Previewer:
    """Draws previews of one model's latents."""

    def __init__(self, vae: Any) -> None:
        """Draws nothing yet; `vae` decodes what is previewed."""
        self._vae = vae

    @cached_property
    def _map(self) -> torch.Tensor:
        """The known map of Stable Diffusion 1.x, or one found by trial when it is first needed."""
        return torch.tensor(_SD15_MAP) if _is_sd15(self._vae) else _fit(self._vae)

    @torch.no_grad()
    def draw(self, latents: torch.Tensor) -> bytes:
        """A JPEG whose long side has 256 pixels, which is as small as chats show well.

        Args:
            latents: 1 x channels x height x width, scaled as the UNet takes them.
        """
        cells = latents[0].float().cpu().movedim(0, -1)
        colours = (cells @ self._map[:-1] + self._map[-1]).clamp(-1, 1).nan_to_num()
        pixels = ((colours + 1) * 127.5).round().to(torch.uint8).numpy()
        image = Image.fromarray(np.ascontiguousarray(pixels))
        width, height = (max(1, round(side * _SIDE / max(image.size))) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=_QUALITY)
        return buffer.getvalue()


def _is_sd15(vae: Any) -> bool:
    """Whether a VAE has the shape of Stable Diffusion 1.x's, whose finetunes share its latents."""
    known = json.loads(Path(SD15, "vae", "config.json").read_text(encoding="utf-8"))
    own = dict(vae.config)
    return all(_plain(own.get(name)) == known.get(name, own.get(name)) for name in _ALIKE)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@torch.no_grad()
def _fit(vae: Any) -> torch.Tensor:
    """The map that comes nearest to what a decoder makes of latents: least squares.

    Returns:
        (channels + 1) x 3; the last row is what is added.
    """
    generator = torch.Generator("cpu").manual_seed(0)
    channels = vae.config.latent_channels
    # Patches of several sizes: a decoder treats flat areas differently from noise.
    layers = [
        torch.nn.functional.interpolate(
            torch.randn((_SAMPLES, channels, side, side), generator=generator), _CELLS
        )
        for side in (1, 4, _CELLS)
    ]
    latents = torch.cat([layers[0], layers[1], (layers[1] + 0.3 * layers[2]) / 1.044])
    decoded = [
        vae.decode(one.to(vae.device, vae.dtype) / vae.config.scaling_factor, return_dict=False)[0]
        for one in torch.split(latents, 1)
    ]
    # A decoder that overflows is reported at the end of the picture, not by its previews.
    drawn = torch.cat(decoded).float().cpu().nan_to_num(0, 1, -1)
    colours = torch.nn.functional.adaptive_avg_pool2d(drawn, _CELLS)
    cells = latents.movedim(1, -1).reshape(-1, channels)
    cells = torch.cat([cells, torch.ones(len(cells), 1)], dim=1)
    wanted = colours.movedim(1, -1).reshape(-1, 3)
    return torch.as_tensor(torch.linalg.lstsq(cells, wanted).solution)
