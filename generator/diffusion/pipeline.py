"""The loaded model: computes batches of tasks and reports their steps."""

import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from generator import models
from generator.diffusion import batch_times, images, init_images, memory, recipes
from generator.diffusion.denoisers import Denoisers, Inputs
from generator.diffusion.options import Options, Previews
from generator.diffusion.sampling import loop
from generator.diffusion.sampling.loop import OVERFLOW, Sample
from generator.diffusion.sampling.previews import Previewer
from generator.engines import allocator, choice, threads
from generator.engines.acceleration import accelerate
from generator.models import known, loading, lora
from generator.presets import FAST, PRESETS, Preset
from generator.tasks import (
    BatchTimes,
    Cancelled,
    CancelToken,
    InitImage,
    ModelInfo,
    OnStep,
    Outcome,
    Picture,
    SafetyRejected,
    Step,
    Task,
    TaskError,
)
from lookalike.errors import StartError

_SMALLEST_SIDE = 256
"""What a picture needs to look good on a phone; a smaller model's pictures are enlarged."""

_LIVE_TENSORS = 48
"""How many tensors of the UNet's widest layers a guided pass holds at once, rounded up."""

_log = logging.getLogger(__name__)


class Pipeline:
    """A loaded model.

    One thread at a time may use it.

    Attributes:
        info: the model's name and own size.
    """

    info: ModelInfo

    def __init__(self, source: models.Source, options: Options) -> None:
        """Loads a model.

        Args:
            source: where the model is found.
            options: everything else.

        Raises:
            StartError: the model or the device is missing or unusable.
        """
        self._engine = choice.choose(options.device, small=loading.is_small(source))
        threads.limit(small=self._engine.small)
        pipe = loading.load(source, self._engine.dtype)
        self._pipe = _move(pipe, self._engine.device, source)
        size = pipe.unet.config.sample_size
        height, width = (size, size) if isinstance(size, int) else size
        width, height = width * pipe.vae_scale_factor, height * pipe.vae_scale_factor
        self._enlarge = math.ceil(_SMALLEST_SIDE / min(width, height))
        lcm_lora, unavailable = options.lcm_lora, {}
        if lcm_lora is not None and not lora.fits(lcm_lora, pipe.unet):
            lcm_lora = None
            unavailable[FAST] = (
                f"The preset fast needs weights made for {source.name}, and those of"
                " GENERATOR_LCM_LORA were made for another model."
            )
        self.info = ModelInfo(
            name=source.name,
            width=width * self._enlarge,
            height=height * self._enlarge,
            unavailable=unavailable,
            dial=known.dial(source),
            sizes=known.sizes(
                width * self._enlarge, height * self._enlarge, enlarged=self._enlarge > 1
            ),
        )
        accelerate(pipe.vae, self._engine)
        inputs = Inputs(
            self._latents_shape(self.info.width, self.info.height)[1:],
            pipe.tokenizer.model_max_length,
        )
        self._denoisers = Denoisers(pipe.unet, source, self._engine, lcm_lora, inputs)
        self._previewer = _previewer(pipe, options.previews)
        if self._engine.device == "cpu" and not self._engine.small:
            allocator.keep_freed()  # not earlier, as loading frees memory in pieces
        enlarged = f", enlarged {self._enlarge} times" if self._enlarge > 1 else ""
        _log.info(
            "Loaded %s (%d x %d%s) on %s in %s.",
            source.name,
            width,
            height,
            enlarged,
            self._engine.device,
            str(self._engine.dtype).removeprefix("torch."),
        )

    @torch.no_grad()
    def run(
        self, tasks: Sequence[Task], on_step: OnStep, tokens: Sequence[CancelToken]
    ) -> list[Outcome]:
        """Computes pictures together; see `Executor.run`.

        A model with a side under 256 pixels draws everything smaller by the same whole number, and
        the picture is enlarged to the asked size.

        Args:
            tasks: as for `Executor.run`.
            on_step: called on this thread.
            tokens: one for each task.
        """
        try:
            return self._run(tasks, on_step, tokens)
        except TaskError as error:
            return [error] * len(tasks)
        except (RuntimeError, MemoryError) as error:
            if not loading.is_out_of_memory(error):
                raise
        first = tasks[0]
        if len(tasks) == 1:
            return [
                TaskError(
                    f"A picture of {first.width} x {first.height} does not fit this machine's"
                    " memory; ask for a smaller one."
                )
            ]
        _log.warning("%d pictures at once do not fit memory; they come one by one.", len(tasks))

        def alone(number: int) -> OnStep:
            return lambda step: on_step(Step(number, step.number, step.preview))

        return [
            self.run([task], alone(number), [token])[0]
            for number, (task, token) in enumerate(zip(tasks, tokens, strict=True))
        ]

    @torch.no_grad()
    def measure(self, sizes: Sequence[int], token: CancelToken) -> BatchTimes | None:
        """Finds out which batches pay; see `Executor.measure`."""
        if self._engine.small:
            return BatchTimes()
        pipe, unet = self._pipe, self._pipe.unet
        width, height = (self.info.width, self.info.height)
        shape = self._latents_shape(width, height)
        text = pipe.encode_prompt("", self._device, 1, do_classifier_free_guidance=False)[0]
        timestep = pipe.scheduler.timesteps[0]
        bytes_each = (
            _LIVE_TENSORS
            * unet.config.block_out_channels[0]
            * math.prod(shape[2:])
            * self._engine.dtype.itemsize
        )

        def step(size: int) -> None:
            latents = torch.zeros((2 * size, *shape[1:]), device=self._device)
            predicted = self._denoisers.usual(latents, timestep, text.repeat(2 * size, 1, 1))
            predicted.isfinite().all().item()  # waits for the device

        self._denoisers.wait(token)
        steps = batch_times.Steps(step, width * height, bytes_each)
        return batch_times.measure(steps, sizes, self.free_memory, token)

    def free_memory(self) -> int:
        """Bytes that are free on its device."""
        return memory.free(self._device)

    @torch.no_grad()
    def sample(
        self,
        preset: Preset,
        tasks: Sequence[Task],
        on_step: loop.OnStep,
        tokens: Sequence[CancelToken],
    ) -> list[Sample]:
        """Brings tasks to their last latents, which are still to be decoded and checked.

        Args:
            preset: how; the tasks' own is not looked at.
            tasks: as for `run`.
            on_step: as for `loop.denoise`.
            tokens: as for `run`.
        """
        first = tasks[0]
        denoiser = self._denoisers.of(preset)
        samples = [self._begin(task, token) for task, token in zip(tasks, tokens, strict=True)]
        config = self._pipe.scheduler.config
        loop.denoise(denoiser, samples, preset, first, config, on_step)
        return samples

    @torch.no_grad()
    def embed(self, task: Task) -> tuple[torch.Tensor, torch.Tensor | None]:
        """A task's prompt and, if there is guidance, its negative prompt, as the UNet reads them.

        Each is 1 x tokens x features.
        """
        embeds, negative_embeds = self._pipe.encode_prompt(
            task.prompt, self._device, 1, task.guidance_scale > 1, task.negative_prompt
        )
        return embeds, negative_embeds

    @torch.no_grad()
    def encode(self, picture: torch.Tensor) -> torch.Tensor:
        """The latents of a picture of the drawn size, 1 x 3 x height x width from -1 to 1.

        They are the mean of the autoencoder's posterior, not a sample of it (docs/decisions/0050).
        """
        vae = self._pipe.vae
        found = vae.encode(picture.to(self._device, vae.dtype), return_dict=False)[0].mean
        return torch.as_tensor(found.float() * vae.config.scaling_factor)

    @torch.no_grad()
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """The picture of latents: 1 x 3 x height x width, -1 to 1 and a little beyond."""
        vae = self._pipe.vae
        scaled = (latents / vae.config.scaling_factor).to(vae.dtype)
        return torch.as_tensor(vae.decode(scaled, return_dict=False)[0])

    @property
    def _device(self) -> torch.device:
        return torch.device(self._engine.device)

    def _run(
        self, tasks: Sequence[Task], on_step: OnStep, tokens: Sequence[CancelToken]
    ) -> list[Outcome]:
        def report(number: int, step: int, shown: torch.Tensor | None) -> None:
            preview = None
            if shown is not None and self._previewer is not None:
                preview = self._previewer.draw(shown)
            on_step(Step(number, step, preview))

        samples = self.sample(PRESETS[tasks[0].preset], tasks, report, tokens)
        # One by one: a decoder takes more memory than everything before.
        return [self._end(task, sample) for task, sample in zip(tasks, samples, strict=True)]

    def _begin(self, task: Task, token: CancelToken) -> Sample:
        """A picture's noise, prompts and what it starts from.

        Each is encoded alone, so that none sees another.
        """
        generator = torch.Generator("cpu").manual_seed(task.seed)
        prompt_embeds, negative_prompt_embeds = self.embed(task)
        shape = self._latents_shape(task.width, task.height)
        latents = loop.noise(shape, generator, self._device)
        start = None
        if task.init is not None and not token.cancelled:
            start = self.encode(self._read(task.init, task))
        return Sample(prompt_embeds, negative_prompt_embeds, generator, token, latents, start)

    def _read(self, init: InitImage, task: Task) -> torch.Tensor:
        """What a task starts from, at the size that is drawn."""
        size = _drawn(task.width, self._enlarge), _drawn(task.height, self._enlarge)
        return init_images.read(init.image, (task.width, task.height), size)

    def _end(self, task: Task, sample: Sample) -> Outcome:
        """Decodes and checks a picture that has come to its end."""
        if sample.end is not None:
            return sample.end
        if sample.token.cancelled:  # while the ones before it were decoded
            return Cancelled()
        pipe = self._pipe
        image = self.decode(sample.latents)
        with np.errstate(invalid="ignore"):  # the safety checker's cast of NaN; found below
            dtype = getattr(pipe.safety_checker, "dtype", image.dtype)
            image, flagged = pipe.run_safety_checker(image, self._device, dtype)
        if any(flagged or ()):
            return SafetyRejected()
        if not all(bound.isfinite() for bound in image.aminmax()):
            return TaskError(OVERFLOW)
        recipe = recipes.write(self.info.name, task)
        png = images.to_png(image, (task.width, task.height), recipe)
        return Picture(png=png, width=task.width, height=task.height)

    def _latents_shape(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Of the latents of a picture of this size."""
        pipe = self._pipe
        rows, columns = (
            _drawn(side, self._enlarge) // pipe.vae_scale_factor for side in (height, width)
        )
        return 1, pipe.unet.config.in_channels, rows, columns


def _move(pipe: Any, device: str, source: models.Source) -> Any:
    try:
        return pipe.to(device)
    except RuntimeError as error:
        if loading.is_out_of_memory(error):
            reason = f"{source.location} does not fit its memory"
        else:
            reason = str(error).partition("\n")[0]
        raise StartError(f"GENERATOR_DEVICE {device} cannot be used: {reason}.") from None


def _drawn(side: int, enlarge: int) -> int:
    """The side to draw, a multiple of 8, for one that is to be enlarged to `side` pixels."""
    return 8 * math.ceil(side / enlarge / 8)


def _previewer(pipe: Any, wanted: Previews) -> Previewer | None:
    """None: no previews, as they would show what the safety checker rejects."""
    checked = pipe.safety_checker is not None
    if wanted == "0" or (wanted == "1" and checked):
        return None
    return Previewer(pipe.vae)
