"""The UNet and the text encoder: from noise and words to the autoencoder's numbers."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import CLIPTokenizer

from training import team, words
from training.art import random_colour
from training.captions import Captions, on_background
from training.latents import Latents
from training.loop import Stage

_CAPTIONS: Final = 36
_LEVELS: Final = 4
"""A batch: captions, and noisy views for each of them."""

_COLOURED: Final = 0.08
"""How many captions name a background."""

_DROPPED: Final = 0.15
"""How many captions are left out, so that guidance has something to compare with."""

_SHARE: Final = 0.27
"""How far words move what is learnt, from what is drawn without words to what is right.

The generator's usual guidance of 7.5 then amounts to 2: a network as small as this one knows too
little without words for more, and its errors, too, are multiplied.
"""

_SHARED_FROM: Final = 2_250
"""The step from which on: before it, what is drawn without words is not worth comparing with."""

_CLIP: Final = 5.0
"""The signal-to-noise ratio from which on a noise level counts no more (Min-SNR, 2303.09556)."""

_KARRAS: Final = 7.0
_LEAST_SIGMA: Final = 0.03
_EMPHASIS: Final = 1.3

_log = logging.getLogger(__name__)


def scheduler() -> Any:
    """The noise levels: Stable Diffusion 1.5's; what is predicted is the velocity."""
    return DPMSolverMultistepScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        steps_offset=1,
        use_karras_sigmas=True,
    )


def unet() -> Any:
    """A new UNet: 8x8 without attention, 4x4 with it."""
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=8,
        out_channels=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(96, 160),
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
        """The velocities in noisy latents, `_LEVELS` for each of the texts."""
        said = self.text_encoder(ids).last_hidden_state
        states = said.repeat_interleave(len(noisy) // len(ids), 0)
        velocity: Tensor = self.unet(noisy, times, states).sample
        return velocity


def new(tokenizer: CLIPTokenizer, seed: int) -> Drawer:
    """Untrained networks."""
    torch.manual_seed(seed)
    return Drawer(words.build(tokenizer), unet())


class Batches:
    """Draws what one step sees."""

    def __init__(self, latents: Latents, tokenizer: CLIPTokenizer, seed: int) -> None:
        self._latents = latents
        self._tokenizer = tokenizer
        self._captions = Captions()
        self._seed = seed
        bars = scheduler().alphas_cumprod
        self._ratios = bars / (1 - bars)
        self._sigmas = self._ratios.rsqrt().numpy()

    def loss(self, drawer: Drawer, step: int) -> Tensor:
        """How far the networks are off in the batch of a step."""
        random = np.random.default_rng((self._seed, 3, step, team.rank()))
        chosen, texts = [], []
        for _ in range(_CAPTIONS // team.size()):
            concept, text = self._captions.draw(random)
            colour = random_colour(_COLOURED, random)
            picks = self._latents.pick(concept, colour, _LEVELS, random)
            chosen += picks
            text = on_background(text, self._latents.views[picks[0]], random)
            texts.append("" if random.random() < _DROPPED else text)
        clean = self._latents.values[chosen]
        noise = torch.from_numpy(random.standard_normal(clean.shape, np.float32))
        times = self._times(len(clean), random)
        ratios = self._ratios[times].view(-1, 1, 1, 1)
        signal, spread = (ratios / (1 + ratios)).sqrt(), (1 / (1 + ratios)).sqrt()
        noisy = signal * clean + spread * noise
        noisy = noisy.contiguous(memory_format=torch.channels_last)
        wanted = signal * noise - spread * clean
        with torch.autocast("cpu", torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            velocity = drawer(noisy, times, words.tokens(self._tokenizer, texts))
        if step >= _SHARED_FROM:
            wanted = self._shared(drawer, noisy, times, texts, wanted)
        wrong = (velocity.float() - wanted).square()
        weighted: Tensor = wrong * (_CLIP / (1 + ratios)).clamp(max=1)
        return weighted.mean()

    def _shared(
        self, drawer: Drawer, noisy: Tensor, times: Tensor, texts: list[str], right: Tensor
    ) -> Tensor:
        """What is learnt where words are said: `_SHARE` of the way to what is right."""
        with (
            torch.no_grad(),
            torch.autocast("cpu", torch.bfloat16),
            sdpa_kernel(SDPBackend.MATH),
        ):
            wordless: Tensor = drawer(noisy, times, words.tokens(self._tokenizer, [""]))
        said = torch.tensor([bool(text) for text in texts]).repeat_interleave(_LEVELS)
        share = torch.where(said, _SHARE, 1.0).view(-1, 1, 1, 1)
        return wordless.float().lerp(right, share)

    def _times(self, count: int, random: np.random.Generator) -> Tensor:
        """Time steps spread as the sampler's are (Karras, 2206.00364), the noisy ones favoured."""
        shares = random.random(count) ** _EMPHASIS
        root = self._sigmas[-1] ** (1 / _KARRAS)
        sigmas = (root + shares * (_LEAST_SIGMA ** (1 / _KARRAS) - root)) ** _KARRAS
        steps = np.arange(len(self._sigmas))
        return torch.from_numpy(
            np.interp(np.log(sigmas), np.log(self._sigmas), steps).round().astype(np.int64)
        )


def train(
    batches: Batches,
    drawer: Drawer,
    file: Path,
    *,
    steps: int,
    every: int,
    report: Callable[[Stage], None],
) -> Stage:
    """Trains both networks until `steps` are done, going on where `file` stands."""
    stage = Stage(file, drawer, rate=2e-3, decay=0.999)
    stage.run(
        steps, lambda step: batches.loss(drawer, step), every=every, report=lambda _: report(stage)
    )
    return stage
