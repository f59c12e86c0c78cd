"""The UNet and the text encoder: from noise and a prompt to the autoencoder's latents."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import CLIPTokenizer

from training import distributed, words
from training.art import random_colour
from training.captions import Captions, on_background
from training.latents import Latents
from training.loop import Stage
from training.profiles import Profile

_COLOURED: Final = 0.08
"""The share of captions that name a background."""

_DROPPED: Final = 0.15
"""The share of captions that are left out, so that guidance has something to compare with."""

_SHARE: Final = 0.27
"""How far a caption moves the target, from the unconditional prediction to the right one.

The generator's usual guidance of 7.5 then amounts to 2: without a prompt, a network as small as
this one knows too little for more, and guidance multiplies its errors, too. This starts at the
profile's step `shared_from`: before it, the unconditional prediction is not worth comparing with.
"""

_CLIP: Final = 5.0
"""The signal-to-noise ratio above which a noise level gets no more weight (Min-SNR, 2303.09556)."""

_KARRAS: Final = 7.0
_LEAST_SIGMA: Final = 0.03
_EMPHASIS: Final = 1.3

_log = logging.getLogger(__name__)


def scheduler() -> Any:
    """The noise levels of Stable Diffusion 1.5; the network predicts the velocity."""
    return DPMSolverMultistepScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        steps_offset=1,
        use_karras_sigmas=True,
    )


def unet(profile: Profile) -> Any:
    """A new UNet: no attention at the latents' own resolution, attention at the coarser ones."""
    attentive = len(profile.unet_channels) - 1
    return UNet2DConditionModel(
        sample_size=profile.side // 8,
        in_channels=profile.latent_channels,
        out_channels=profile.latent_channels,
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * attentive),
        up_block_types=(*["CrossAttnUpBlock2D"] * attentive, "UpBlock2D"),
        block_out_channels=profile.unet_channels,
        layers_per_block=1,
        attention_head_dim=4,
        norm_num_groups=16,
        cross_attention_dim=words.WIDTH,
    ).to(memory_format=torch.channels_last)


class Drawer(nn.Module):
    """The two networks that are trained together."""

    def __init__(self, text_encoder: Any, network: Any) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.unet = network

    def forward(self, noisy: Tensor, times: Tensor, ids: Tensor) -> Tensor:
        """The velocities in noisy latents, of which each text has equally many."""
        said = self.text_encoder(ids).last_hidden_state
        states = said.repeat_interleave(len(noisy) // len(ids), 0)
        velocity: Tensor = self.unet(noisy, times, states).sample
        return velocity


def new(profile: Profile, tokenizer: CLIPTokenizer, seed: int) -> Drawer:
    """Untrained networks."""
    torch.manual_seed(seed)
    return Drawer(words.build(tokenizer), unet(profile)).to(profile.device)


class Batches:
    """Draws the random batches."""

    def __init__(
        self,
        profile: Profile,
        latents: Latents,
        captions: Captions,
        tokenizer: CLIPTokenizer,
        seed: int,
    ) -> None:
        self._profile = profile
        self._latents = latents
        self._tokenizer = tokenizer
        self._captions = captions
        self._seed = seed
        bars = scheduler().alphas_cumprod
        self._ratios = bars / (1 - bars)
        self._sigmas = self._ratios.rsqrt().numpy()

    def loss(self, drawer: Drawer, step: int) -> Tensor:
        """The networks' loss in the batch of a step."""
        profile = self._profile
        random = np.random.default_rng((self._seed, 3, step, distributed.rank()))
        chosen, texts = [], []
        for _ in range(profile.captions // distributed.world_size()):
            said = self._captions.draw(random)
            colour = random_colour(_COLOURED, random)
            picks = self._latents.pick(said.concept, said.style, colour, profile.levels, random)
            chosen += picks
            text = on_background(said.text, self._latents.views[picks[0]], random)
            texts.append("" if random.random() < _DROPPED else text)
        clean = self._latents.values[chosen]
        noise = torch.from_numpy(random.standard_normal(clean.shape, np.float32))
        times = self._times(len(clean), random)
        ratios = self._ratios[times].view(-1, 1, 1, 1)
        signal, spread = (ratios / (1 + ratios)).sqrt(), (1 / (1 + ratios)).sqrt()
        noisy = (signal * clean + spread * noise).to(
            profile.device, memory_format=torch.channels_last
        )
        right = (signal * noise - spread * clean).to(profile.device)
        times = times.to(profile.device)
        velocity = self._velocity(drawer, noisy, times, texts)
        if step >= profile.shared_from:
            right = self._shared(drawer, noisy, times, texts, right)
        weights = (_CLIP / (1 + ratios)).clamp(max=1).to(profile.device)
        weighted: Tensor = (velocity - right).square() * weights
        return weighted.mean()

    def _velocity(
        self, drawer: Drawer, noisy: Tensor, times: Tensor, texts: Sequence[str]
    ) -> Tensor:
        """The networks' prediction, computed in the precision of training."""
        ids = words.tokens(self._tokenizer, texts).to(self._profile.device)
        with (
            torch.autocast(self._profile.device, torch.bfloat16),
            sdpa_kernel(SDPBackend.MATH),
        ):
            velocity: Tensor = drawer(noisy, times, ids)
        return velocity.float()

    def _shared(
        self, drawer: Drawer, noisy: Tensor, times: Tensor, texts: Sequence[str], right: Tensor
    ) -> Tensor:
        """The target where there is a caption: `_SHARE` of the way to the right velocity."""
        with torch.no_grad():
            wordless = self._velocity(drawer, noisy, times, [""])
        said = torch.tensor([bool(text) for text in texts], device=right.device)
        share = torch.where(said.repeat_interleave(self._profile.levels), _SHARE, 1.0)
        return wordless.lerp(right, share.view(-1, 1, 1, 1))

    def _times(self, count: int, random: np.random.Generator) -> Tensor:
        """Time steps spread as the sampler's (Karras, 2206.00364), with more of the noisy ones."""
        shares = random.random(count) ** _EMPHASIS
        root = self._sigmas[-1] ** (1 / _KARRAS)
        sigmas = (root + shares * (_LEAST_SIGMA ** (1 / _KARRAS) - root)) ** _KARRAS
        steps = np.arange(len(self._sigmas))
        return torch.from_numpy(
            np.interp(np.log(sigmas), np.log(self._sigmas), steps).round().astype(np.int64)
        )


def train(
    profile: Profile,
    batches: Batches,
    drawer: Drawer,
    file: Path,
    *,
    every: int,
    report: Callable[[Stage], None],
) -> Stage:
    """Trains both networks until the profile's steps are done; resumes from `file`."""
    stage = Stage(file, drawer, rate=2e-3, decay=0.997)
    stage.run(
        profile.diffusion_steps,
        lambda step: batches.loss(drawer, step),
        every=every,
        report=lambda _: report(stage),
    )
    return stage
