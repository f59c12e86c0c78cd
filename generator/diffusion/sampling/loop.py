"""The sampling loop: takes the noise away from several pictures at once.

What the pictures share is the UNet's pass; scheduler, noise, cancellation and failure are each
one's own, so that a picture does not depend on the others beside it.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from generator.diffusion.sampling import schedulers
from generator.diffusion.sampling.denoiser import Denoiser
from generator.presets import Preset, Reuse
from generator.tasks import Cancelled, CancelToken, Task, TaskError

OVERFLOW = "The model's numbers overflowed for this picture; another seed or guidance may work."

_PREVIEW_SECONDS = 1.0
"""Between two previews of a picture; of several pictures each waits longer, so that previews never
take more time."""

_Row = tuple[int, bool]
"""A row of a UNet's batch: which picture, and whether with its negative prompt."""

OnStep = Callable[[int, int, torch.Tensor | None], None]
"""Told after each step: which picture, how many of its steps are done, and now and then the latents
of the picture that the model sees in the noise."""


@dataclass
class Sample:
    """One picture on its way out of the noise.

    Attributes:
        prompt_embeds: 1 x tokens x features.
        negative_prompt_embeds: likewise; None: there is no guidance.
        generator: of its noise, on the CPU.
        token: looked at before the first and after every step.
        latents: 1 x channels x height x width, float32: at first noise.
        start: the latents of the picture that it starts from; None: there is none.
        end: why it has no picture; None: it goes on, or its latents are the picture's.
    """

    prompt_embeds: torch.Tensor
    negative_prompt_embeds: torch.Tensor | None
    generator: torch.Generator
    token: CancelToken
    latents: torch.Tensor
    start: torch.Tensor | None = None
    end: Cancelled | TaskError | None = None


def noise(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> torch.Tensor:
    """What a picture begins as; drawn on the CPU, so that a seed means the same everywhere."""
    return torch.randn(shape, generator=generator, dtype=torch.float32).to(device)


def denoise(
    denoiser: Denoiser,
    samples: Sequence[Sample],
    preset: Preset,
    like: Task,
    scheduler_config: Any,
    on_step: OnStep,
) -> None:
    """Brings samples to their end: afterwards each has its picture's latents, or says why not.

    Args:
        denoiser: the UNet.
        samples: of equal size, steps, computed steps and guidance.
        preset: how.
        like: the task of one of them.
        scheduler_config: of the model's own scheduler.
        on_step: told of progress; of several pictures in their order.
    """
    skipped = like.steps - like.computed_steps
    own = [schedulers.create(preset.solver, scheduler_config, like.steps, skipped) for _ in samples]
    timesteps = schedulers.remaining(own[0], skipped)
    for sample, scheduler in zip(samples, own, strict=True):
        if sample.start is None:
            sample.latents = sample.latents * scheduler.init_noise_sigma
        else:
            sample.latents = schedulers.noisy(scheduler, timesteps[0], sample.start, sample.latents)
        _look(sample)
    reuse = preset.reuse if denoiser.splits else None
    batch = _Batch(denoiser, samples, reuse)
    # A solver may take a pass more than it has steps.
    warmup = len(timesteps) - like.computed_steps
    shown_at = -math.inf
    for index, timestep in enumerate(timesteps):
        going = [number for number, sample in enumerate(samples) if sample.end is None]
        if not going:
            return
        level = schedulers.noise_level(own[0], timestep)
        guided = preset.guided is None or preset.guided.low < level <= preset.guided.high
        scale = like.guidance_scale if guided and like.guidance_scale > 1 else None
        inputs = {n: own[n].scale_model_input(samples[n].latents, timestep) for n in going}
        predictions = batch.predict(timestep, inputs, scale)
        due = time.monotonic() - shown_at >= _PREVIEW_SECONDS * len(going)
        for number in going:
            sample, scheduler, predicted = samples[number], own[number], predictions[number]
            before = sample.latents
            sample.latents = _step(scheduler, predicted, timestep, sample)
            # This look also waits for the device, so that a step reported is a step done.
            if not sample.latents.isfinite().all():
                sample.end = TaskError(OVERFLOW)
                continue
            if index >= warmup:
                shown = schedulers.denoised(scheduler, timestep, before, predicted) if due else None
                on_step(number, index + 1 - warmup, shown)
            _look(sample)
        if due:
            shown_at = time.monotonic()


def _look(sample: Sample) -> None:
    if sample.token.cancelled:
        sample.end = Cancelled()


def _step(
    scheduler: Any, predicted: torch.Tensor, timestep: torch.Tensor, sample: Sample
) -> torch.Tensor:
    """Latents with a little less noise; a solver that adds noise of its own draws it here."""
    options: dict[str, Any] = {"return_dict": False}
    if schedulers.draws_noise(scheduler):
        options["generator"] = sample.generator
    latents = scheduler.step(predicted, timestep, sample.latents, **options)[0]
    return torch.as_tensor(latents)


class _Batch:
    """The UNet's passes for several pictures, and what one pass leaves for the next."""

    def __init__(self, denoiser: Denoiser, samples: Sequence[Sample], reuse: Reuse | None) -> None:
        self._denoiser = denoiser
        self._samples = samples
        self._reuse = reuse
        self._features: torch.Tensor | None = None
        self._rows: list[_Row] = []
        self._age = 0  # steps since the features were computed

    def predict(
        self,
        timestep: torch.Tensor,
        inputs: dict[int, torch.Tensor],
        scale: float | None,
    ) -> dict[int, torch.Tensor]:
        """What the model predicts for each picture.

        Args:
            timestep: of the step.
            inputs: the noisy latents, by the picture's number.
            scale: of guidance; None: there is none at this step.
        """
        guided = scale is not None
        rows = [
            (number, negative)
            for negative in ([True, False] if guided else [False])
            for number in inputs
        ]
        text = torch.cat([self._text(row) for row in rows])
        latents = torch.cat([inputs[number] for number, _ in rows])
        predicted = dict(
            zip(rows, torch.split(self._pass(timestep, latents, text, rows), 1), strict=True)
        )
        found = {}
        for number in inputs:
            found[number] = predicted[number, False]
            if scale is not None:
                without = predicted[number, True]
                found[number] = without + scale * (found[number] - without)
        return found

    def _text(self, row: _Row) -> torch.Tensor:
        number, negative = row
        sample = self._samples[number]
        if not negative:
            return sample.prompt_embeds
        if sample.negative_prompt_embeds is None:
            raise ValueError("guidance needs a negative prompt")
        return sample.negative_prompt_embeds

    def _pass(
        self,
        timestep: torch.Tensor,
        latents: torch.Tensor,
        text: torch.Tensor,
        rows: list[_Row],
    ) -> torch.Tensor:
        if self._reuse is None:
            return self._denoiser(latents, timestep, text)
        layers = self._reuse.layers
        self._age += 1
        features = self._kept(rows) if self._age < self._reuse.interval else None
        if features is None:
            predicted, self._features = self._denoiser.deep(latents, timestep, text, layers)
            self._rows, self._age = rows, 0
        else:
            predicted = self._denoiser.shallow(latents, timestep, text, layers, features)
        return predicted

    def _kept(self, rows: list[_Row]) -> torch.Tensor | None:
        """The features of these rows; None: some were not computed, as guidance has just begun."""
        if self._features is None or not set(rows) <= set(self._rows):
            return None
        if rows == self._rows:
            return self._features
        return self._features[[self._rows.index(row) for row in rows]]
