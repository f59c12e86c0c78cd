"""The autoencoder: pixels to latents of an eighth of the rows and columns, and back."""

import logging
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn

from training import distributed
from training.art import (
    COLOURS,
    STYLES,
    WHITE,
    Art,
    pictures,
    random_colour,
    random_style,
    sheet,
    tensor,
)
from training.latents import Latents
from training.loop import Stage
from training.profiles import Profile

_KL: Final = 1e-5
_COLOURED: Final = 0.15
_WRONG: Final = 0.3
"""How much noise the decoder learns to tolerate; the latents' own standard deviation is 1."""

_BACKGROUNDS: Final = (*COLOURS, *[WHITE] * 6)
"""White is about as frequent as all others together."""

_log = logging.getLogger(__name__)


def build(profile: Profile) -> Any:
    """A new autoencoder."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=profile.coder_channels,
        layers_per_block=1,
        norm_num_groups=8,
        latent_channels=profile.latent_channels,
        sample_size=profile.side,
        scaling_factor=1.0,
    ).to(profile.device, memory_format=torch.channels_last)


def train(profile: Profile, art: Art, folder: Path, seed: int) -> Any:
    """Trains the autoencoder, or resumes from `folder`.

    Returns:
        The autoencoder with averaged weights.
    """
    torch.manual_seed(seed)
    module = build(profile)
    stage = Stage(folder / "autoencoder.pt", module, rate=1.5e-3, decay=0.998)
    seen = [
        art.plain(concept, style)
        for style in STYLES
        for concept in range(0, len(art), max(1, len(art) // 32))
    ]
    originals = [art.picture(view) for view in seen]

    def loss(step: int) -> Tensor:
        random = np.random.default_rng((seed, 1, step, distributed.rank()))
        torch.manual_seed(int(random.integers(2**62)))
        views = [
            art.random_view(int(concept), random_style(profile.noto, random), _BACKGROUNDS, random)
            for concept in random.integers(
                len(art), size=profile.pictures // distributed.world_size()
            )
        ]
        wanted = tensor([art.picture(view) for view in views]).to(profile.device)
        with torch.autocast(profile.device, torch.bfloat16):
            posterior = module.encode(wanted.to(memory_format=torch.channels_last)).latent_dist
            drawn = module.decode(posterior.sample()).sample
        distant: Tensor = posterior.kl().float().mean()
        return difference(drawn.float(), wanted) + _KL * distant

    def report(step: int) -> None:
        averaged = copy(module, stage)
        drawn = pictures(reconstruct(averaged, tensor(originals)))
        errors = (drawn.astype(np.float32) - np.stack(originals)) ** 2
        _log.info("autoencoder step %d: %.2f dB", step, 10 * np.log10(255**2 / errors.mean()))
        rows = [
            [*originals[start : start + 8], *drawn[start : start + 8]] for start in range(0, 64, 8)
        ]
        if len(originals) >= 64:  # noqa: PLR2004, eight rows
            sheet(rows).save(folder / "autoencoder.png")

    stage.run(profile.autoencoder_steps, loss, every=250, report=report)
    return copy(module, stage)


def refine(
    profile: Profile, autoencoder: Any, latents: Latents, art: Art, folder: Path, seed: int
) -> None:
    """Trains only the decoder, on latents that are a little off, as the UNet's are.

    The latents stay as they are, so this can be done at any time, and repeated.
    """
    decoder = nn.Sequential(autoencoder.post_quant_conv, autoencoder.decoder).requires_grad_()
    stage = Stage(folder / "decoder.pt", decoder, rate=2e-3, decay=0.998)

    def loss(step: int) -> Tensor:
        random = np.random.default_rng((seed, 4, step, distributed.rank()))
        chosen = [
            latents.pick(
                int(concept),
                random_style(profile.noto, random),
                random_colour(_COLOURED, random),
                1,
                random,
            )[0]
            for concept in random.integers(
                len(art), size=profile.pictures // distributed.world_size()
            )
        ]
        wanted = tensor([art.picture(latents.views[number]) for number in chosen])
        exact = latents.values[chosen]
        noise = torch.from_numpy(random.standard_normal(exact.shape, np.float32))
        amount = torch.from_numpy(random.uniform(0, _WRONG, (len(exact), 1, 1, 1))).float()
        wrong = (exact + amount * noise).to(profile.device, memory_format=torch.channels_last)
        with torch.autocast(profile.device, torch.bfloat16):
            drawn = decoder(wrong)
        return difference(drawn.float(), wanted.to(profile.device))

    def report(step: int) -> None:
        _log.info("decoder step %d", step)

    stage.run(profile.decoder_steps, loss, every=250, report=report)
    decoder.load_state_dict(stage.average.values)
    decoder.eval().requires_grad_(False)


def difference(drawn: Tensor, wanted: Tensor) -> Tensor:
    """How much pictures differ from the wanted ones: in pixels and, for sharpness, in edges."""
    apart = drawn - wanted
    across = apart[..., 1:] - apart[..., :-1]
    down = apart[..., 1:, :] - apart[..., :-1, :]
    edges = across.abs().mean() + down.abs().mean()
    return apart.abs().mean() + apart.square().mean() + 0.5 * edges


@torch.inference_mode()
def reconstruct(module: Any, values: Tensor) -> Tensor:
    """Pictures encoded and decoded again, in groups that fit the CPU's caches."""
    parts = [
        module.decode(module.encode(part).latent_dist.mode()).sample
        for part in torch.split(values.to(module.device), 32)
    ]
    return torch.cat(parts)


def copy(module: nn.Module, stage: Stage) -> Any:
    """A copy of the module with the averaged weights."""
    import copy

    averaged = copy.deepcopy(module).eval().requires_grad_(False)
    averaged.load_state_dict(stage.average.values)
    return averaged
