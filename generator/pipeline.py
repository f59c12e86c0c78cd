"""The diffusers pipeline: load once, compute batches, report steps."""

import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from generator import memory, models, png
from generator.engines import allocator, choice, threads
from generator.engines.acceleration import accelerate
from generator.engines.compiling import CompiledPass
from generator.executors.base import (
    Cancelled,
    ModelInfo,
    OnStep,
    Outcome,
    Picture,
    Previews,
    Refused,
    Speeds,
    Task,
    TaskError,
)
from generator.models import loading, lora
from generator.sampling import loop, speeds
from generator.sampling.denoiser import Denoiser
from generator.sampling.loop import OVERFLOW, Course
from generator.sampling.presets import FAST, PRESETS, Preset, Solver
from generator.sampling.previews import Previewer
from lookalike.errors import StartError

_SMALLEST_SIDE = 256
"""A picture on a phone needs about as many pixels; what a smaller model draws is enlarged."""

_COMPILED_ROWS = (2, 1, 4, 8, 16)
"""Of a UNet's batches: a picture with guidance and one without, then more pictures."""

_COMPILE_SECONDS = 300.0
"""Batches are not measured before, or they would be while some are compiled and others not."""

_LIVE_TENSORS = 48
"""How many tensors of the UNet's widest layers a guided pass holds at once, rounded up."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What a pipeline is told besides its model.

    Attributes:
        device: `GENERATOR_DEVICE`: `auto`, `cpu`, `cuda` or `mps`.
        lcm_lora: the weights that the preset `fast` needs; None: there are none.
        previews: whether there are any.
    """

    device: str = "auto"
    lcm_lora: Path | None = None
    previews: Previews = "1"


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
            options: what else is to be known.

        Raises:
            StartError: the model or the device is missing or unusable.
        """
        self._engine = choice.choose(options.device, small=loading.is_small(source))
        threads.limit(small=self._engine.small)
        pipe = loading.load(source, self._engine.dtype)
        self._source = source
        self._pipe = _move(pipe, self._engine.device, source)
        self._lcm_lora = options.lcm_lora
        self._fast: Denoiser | None = None
        self._compiled: CompiledPass | None = None
        size = pipe.unet.config.sample_size
        height, width = (size, size) if isinstance(size, int) else size
        width, height = width * pipe.vae_scale_factor, height * pipe.vae_scale_factor
        self._enlarge = math.ceil(_SMALLEST_SIDE / min(width, height))
        unavailable = {}
        if self._lcm_lora is not None and not lora.fits(self._lcm_lora, pipe.unet):
            unavailable[FAST] = (
                f"The preset fast needs weights made for {source.name}, and those of"
                " GENERATOR_LCM_LORA were made for another model."
            )
        self.info = ModelInfo(
            name=source.name,
            width=width * self._enlarge,
            height=height * self._enlarge,
            unavailable=unavailable,
        )
        accelerate(pipe.vae, self._engine)
        self._denoiser = self._make_denoiser(pipe.unet)
        self._previewer = self._make_previewer(options.previews)
        if self._engine.device == "cpu" and not self._engine.small:
            allocator.keep_freed()  # not before, as what loading frees is in pieces
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
        self, tasks: Sequence[Task], on_step: OnStep, cancelled: Sequence[threading.Event]
    ) -> list[Outcome]:
        """Computes pictures together; see `Executor.run`.

        A model with a side under 256 pixels draws everything smaller by the same whole number, and
        the picture is enlarged to the asked size.

        Args:
            tasks: alike in all but prompts and seeds.
            on_step: called on this thread.
            cancelled: one for each task.
        """
        try:
            return self._run(tasks, on_step, cancelled)
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
        _log.warning("%d pictures at once do not fit memory; one by one.", len(tasks))

        def alone(number: int) -> OnStep:
            return lambda _index, step, preview: on_step(number, step, preview)

        return [
            self.run([task], alone(number), [event])[0]
            for number, (task, event) in enumerate(zip(tasks, cancelled, strict=True))
        ]

    @torch.no_grad()
    def measure(self, sizes: Sequence[int], cancelled: threading.Event) -> Speeds | None:
        """Finds out which batches pay; see `Executor.measure`."""
        if self._engine.small:
            return Speeds()
        pipe, unet = self._pipe, self._pipe.unet
        width, height = (self.info.width, self.info.height)
        shape = self._shape(width, height)
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
            predicted = self._denoiser(latents, timestep, text.repeat(2 * size, 1, 1))
            predicted.isfinite().all().item()  # waits for the device

        def fits(size: int) -> bool:
            return size == 1 or size * bytes_each < memory.free(self._device)

        if self._compiled is not None:
            self._compiled.wait(cancelled, _COMPILE_SECONDS)
        return speeds.measure(step, sizes, fits, width * height, cancelled)

    @torch.no_grad()
    def sample(
        self,
        preset: Preset,
        tasks: Sequence[Task],
        on_step: loop.OnStep,
        cancelled: Sequence[threading.Event],
    ) -> list[Course]:
        """Brings tasks to their last latents, which are still to be decoded and checked.

        Args:
            preset: how; the tasks' own is not looked at.
            tasks: as for `run`.
            on_step: as for `loop.sample`.
            cancelled: as for `run`.
        """
        first = tasks[0]
        denoiser = self._denoiser_for(preset)
        courses = [self._begin(task, event) for task, event in zip(tasks, cancelled, strict=True)]
        config = self._pipe.scheduler.config
        loop.sample(denoiser, courses, preset, first.steps, first.guidance_scale, config, on_step)
        return courses

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
        self, tasks: Sequence[Task], on_step: OnStep, cancelled: Sequence[threading.Event]
    ) -> list[Outcome]:
        def report(number: int, step: int, shown: torch.Tensor | None) -> None:
            preview = None
            if shown is not None and self._previewer is not None:
                preview = self._previewer.draw(shown)
            on_step(number, step, preview)

        courses = self.sample(PRESETS[tasks[0].preset], tasks, report, cancelled)
        # One by one: a decoder takes more memory than everything before.
        return [self._end(task, course) for task, course in zip(tasks, courses, strict=True)]

    def _begin(self, task: Task, cancelled: threading.Event) -> Course:
        """A picture's noise and words. Each prompt is encoded alone, so that none sees another."""
        generator = torch.Generator("cpu").manual_seed(task.seed)
        words, against = self._pipe.encode_prompt(
            task.prompt, self._device, 1, task.guidance_scale > 1, task.negative_prompt
        )
        shape = self._shape(task.width, task.height)
        latents = loop.noise(shape, generator, self._device)
        return Course(words, against, generator, cancelled, latents)

    def _end(self, task: Task, course: Course) -> Outcome:
        """Decodes and checks a picture that has come to its end."""
        if course.end is not None:
            return course.end
        if course.cancelled.is_set():  # while those before it were decoded
            return Cancelled()
        pipe = self._pipe
        image = self.decode(course.latents)
        with np.errstate(invalid="ignore"):  # the safety checker's cast of NaN; found below
            dtype = getattr(pipe.safety_checker, "dtype", image.dtype)
            image, flagged = pipe.run_safety_checker(image, self._device, dtype)
        if any(flagged or ()):
            return Refused()
        if not all(bound.isfinite() for bound in image.aminmax()):
            return TaskError(OVERFLOW)
        size = task.width, task.height
        return Picture(png=_png(image, size), width=task.width, height=task.height)

    def _shape(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Of the latents of a picture of this size."""
        pipe = self._pipe
        rows, columns = (
            _drawn(side, self._enlarge) // pipe.vae_scale_factor for side in (height, width)
        )
        return 1, pipe.unet.config.in_channels, rows, columns

    def _denoiser_for(self, preset: Preset) -> Denoiser:
        """The UNet with the weights that a preset needs.

        Those of LCM-LoRA are a second UNet, loaded when it is first asked for. Adding them to the
        first and taking them away again would not give its weights back to the bit.
        """
        if preset.solver is not Solver.LCM:
            return self._denoiser
        if self._fast is None:
            if self._lcm_lora is None or FAST in self.info.unavailable:
                # It was asked for before the model was loaded, or when there was another one.
                raise TaskError("The preset fast has no weights here that fit the model.")
            began = time.perf_counter()
            try:
                unet = loading.load_unet(self._source, self._engine.dtype)
            except StartError as error:
                raise TaskError(str(error)) from None
            lora.fuse(self._lcm_lora, unet)
            self._fast = self._make_denoiser(unet.to(self._device))
            _log.info("Loaded the preset fast in %.1f s.", time.perf_counter() - began)
        return self._fast

    def _make_denoiser(self, unet: Any) -> Denoiser:
        """The UNet, made fast: from here on nobody changes its weights."""
        accelerate(unet, self._engine)
        if self._engine.small or self._engine.device != "cuda":
            return Denoiser(unet)
        shape = self._shape(self.info.width, self.info.height)
        shapes = [(rows, *shape[1:]) for rows in _COMPILED_ROWS]
        tokens = self._pipe.tokenizer.model_max_length
        self._compiled = CompiledPass(unet, shapes, tokens)
        return Denoiser(unet, self._compiled)

    def _make_previewer(self, wanted: Previews) -> Previewer | None:
        """None: there are no previews; they would show what the safety checker refuses."""
        checked = self._pipe.safety_checker is not None
        if wanted == "0" or (wanted == "1" and checked):
            return None
        return Previewer(self._pipe.vae)


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


def _png(picture: torch.Tensor, size: tuple[int, int]) -> bytes:
    """Encodes 1 x 3 x height x width numbers, of which -1 to 1 are seen, at `size`."""
    levels = picture[0].movedim(0, -1).to(torch.float32, copy=True)
    levels.div_(2).add_(0.5).clamp_(0, 1).mul_(255).round_()  # in place: new memory takes longer
    pixels = levels.to(torch.uint8).cpu().numpy()
    if pixels.shape[1::-1] != size:
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
    return png.encode(pixels)
