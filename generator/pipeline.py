"""The diffusers pipeline: load once, run, report steps."""

import io
import logging
import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler
from PIL import Image

from generator import models
from generator.executors.base import Cancelled, ModelInfo, Picture, Refused, Task, TaskError
from generator.models import loading
from lookalike.errors import StartError

_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")

_OVERFLOW = "The model's numbers overflowed for this picture; another seed or guidance may work."

_SMALL_PARAMETERS = 10_000_000

_SMALLEST_SIDE = 256
"""A picture on a phone needs about as many pixels; what a smaller model draws is enlarged."""

_log = logging.getLogger(__name__)


class Pipeline:
    """A loaded model.

    One thread at a time may use it.

    Attributes:
        info: the model's name and own size.
    """

    info: ModelInfo

    def __init__(self, source: models.Source, device: str) -> None:
        """Loads a model.

        Args:
            source: where the model is found.
            device: `GENERATOR_DEVICE`: `auto`, `cpu`, `cuda` or `mps`.

        Raises:
            StartError: the model or the device is missing or unusable.
        """
        chosen = _device(device)
        _respect_cpu_quota()
        # Half precision halves memory and time on CUDA; CPUs and MPS are surer in full.
        dtype = torch.float16 if chosen == "cuda" else torch.float32
        pipe = loading.load(source, dtype)
        try:
            self._pipe = pipe.to(chosen)
        except RuntimeError as error:
            if loading.is_out_of_memory(error):
                reason = f"{source.location} does not fit its memory"
            else:
                reason = str(error).partition("\n")[0]
            raise StartError(f"GENERATOR_DEVICE {chosen} cannot be used: {reason}.") from None
        _use_no_threads_if_small(pipe.unet)
        self._scheduler_config = _scheduler(pipe.scheduler.config).config
        size = pipe.unet.config.sample_size
        height, width = (size, size) if isinstance(size, int) else size
        width, height = width * pipe.vae_scale_factor, height * pipe.vae_scale_factor
        self._enlarge = math.ceil(_SMALLEST_SIDE / min(width, height))
        self.info = ModelInfo(
            name=source.name, width=width * self._enlarge, height=height * self._enlarge
        )
        enlarged = f", enlarged {self._enlarge} times" if self._enlarge > 1 else ""
        _log.info("Loaded %s (%d x %d%s) on %s.", source.name, width, height, enlarged, chosen)

    def run(
        self, task: Task, on_step: Callable[[int], None], cancelled: threading.Event
    ) -> Picture:
        """Computes one picture; see `Executor.run`.

        A model with a side under 256 pixels draws everything smaller by the same whole number, and
        the picture is enlarged to the asked size.

        Args:
            task: what to compute.
            on_step: called on this thread with the number of steps done.
            cancelled: looked at before the first and after every step.

        Raises:
            Refused: the safety checker flagged the picture.
            Cancelled: `cancelled` was set.
            TaskError: the numbers overflowed or memory ran out.
        """
        if cancelled.is_set():
            raise Cancelled

        def step_end(_pipe: Any, index: int, _timestep: Any, tensors: dict[str, Any]) -> Any:
            # This look also waits for the device, so that a step reported is a step done.
            if not tensors["latents"].isfinite().all():
                raise TaskError(_OVERFLOW)
            on_step(index + 1)
            if cancelled.is_set():
                raise Cancelled  # diffusers lets it pass, and the next run is none the worse
            return tensors

        self._pipe.scheduler = _scheduler(self._scheduler_config)
        try:
            with np.errstate(invalid="ignore"):  # the safety checker's cast of NaN; found below
                output = self._pipe(
                    prompt=task.prompt,
                    negative_prompt=task.negative_prompt,
                    width=_drawn(task.width, self._enlarge),
                    height=_drawn(task.height, self._enlarge),
                    num_inference_steps=task.steps,
                    guidance_scale=task.guidance_scale,
                    # On the CPU whatever the device, so that a seed means the same everywhere.
                    generator=torch.Generator("cpu").manual_seed(task.seed),
                    output_type="np",
                    callback_on_step_end=step_end,
                )
        except (RuntimeError, MemoryError) as error:
            if not loading.is_out_of_memory(error):
                raise
            raise TaskError(
                f"A picture of {task.width} x {task.height} does not fit this machine's memory;"
                " ask for a smaller one."
            ) from None
        if any(output.nsfw_content_detected or ()):
            raise Refused
        pixels = output.images[0]
        if not np.isfinite(pixels).all():
            raise TaskError(_OVERFLOW)
        png = _png(pixels, (task.width, task.height))
        return Picture(png=png, width=task.width, height=task.height)


def _scheduler(config: Any) -> Any:
    """A scheduler for one run: DPM-Solver++ 2M on Karras' noise levels.

    The noise schedule is the model's own. Sources: arXiv 2211.01095 and 2206.00364.
    """
    return DPMSolverMultistepScheduler.from_config(
        config,
        algorithm_type="dpmsolver++",
        solver_order=2,
        solver_type="midpoint",
        use_karras_sigmas=True,
        lower_order_final=True,
        final_sigmas_type="zero",
    )


def _drawn(side: int, enlarge: int) -> int:
    """The side to draw, a multiple of 8, for one that is to be enlarged to `side` pixels."""
    return 8 * math.ceil(side / enlarge / 8)


def _png(pixels: Any, size: tuple[int, int]) -> bytes:
    """Encodes an array of height x width x 3 in 0 to 1 at `size`, without metadata."""
    image = Image.fromarray((pixels * 255).round().astype(np.uint8))
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _device(wanted: str) -> str:
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return next(name for name, there in available.items() if there)
    if wanted not in available:
        raise StartError(f"GENERATOR_DEVICE {wanted}: write auto, cpu, cuda or mps.")
    if not available[wanted]:
        raise StartError(
            f"GENERATOR_DEVICE {wanted}: PyTorch finds no such device on this machine; auto takes"
            " what there is."
        )
    return wanted


def _use_no_threads_if_small(unet: torch.nn.Module) -> None:
    """Computes a small model on one core: its operations are too short to be shared.

    20 steps of a UNet of 1 million parameters take 0.6 s on one thread, 0.9 s on two, and on a busy
    machine with four threads, which wait for one another, up to 40 s.
    """
    if sum(parameter.numel() for parameter in unet.parameters()) < _SMALL_PARAMETERS:
        torch.set_num_threads(1)


def _respect_cpu_quota() -> None:
    """Starts no more threads than a container's CPU quota lets run; more would wait in turns.

    PyTorch itself sees the machine's cores. Source: the kernel's cgroup v2 document, cpu.max.
    """
    try:
        quota, period = _CPU_QUOTA.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return
    if quota != "max":
        cores = math.ceil(int(quota) / int(period))
        torch.set_num_threads(min(torch.get_num_threads(), max(1, cores)))
