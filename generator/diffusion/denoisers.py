"""The UNet of a loaded model, made fast: as it is, and with the weights that `fast` needs."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from generator.diffusion.sampling.denoiser import Denoiser
from generator.engines.acceleration import accelerate
from generator.engines.choice import Engine
from generator.engines.compiling import CompiledPass
from generator.models import Source, loading, lora
from generator.presets import Preset, Solver
from generator.tasks import CancelToken, TaskError
from lookalike.errors import StartError

_COMPILED_ROWS = (2, 1, 4, 8, 16)
"""Rows of a UNet's batches: one picture with guidance and one without, then more pictures."""

_COMPILE_SECONDS = 300.0
"""How long measuring waits: times mean little while some batches are compiled and others not."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inputs:
    """What a UNet is given most of the time.

    Attributes:
        latents: channels, height and width of a picture of the model's own size.
        tokens: of a prompt.
    """

    latents: tuple[int, int, int]
    tokens: int


class Denoisers:
    """The denoiser of each preset.

    Attributes:
        usual: the one of all presets but `fast`.
    """

    def __init__(
        self, unet: Any, source: Source, engine: Engine, lcm_lora: Path | None, inputs: Inputs
    ) -> None:
        """Makes a UNet fast: from here on nobody changes its weights.

        Args:
            unet: a `UNet2DConditionModel` on its device.
            source: where its model is found.
            engine: what computes it.
            lcm_lora: the weights that `fast` needs; None: there are none that fit.
            inputs: what it is given most of the time.
        """
        self._source = source
        self._engine = engine
        self._lcm_lora = lcm_lora
        self._inputs = inputs
        self._compiled: CompiledPass | None = None
        self._fast: Denoiser | None = None
        self.usual = self._make(unet)

    def of(self, preset: Preset) -> Denoiser:
        """The denoiser that a preset needs.

        The weights of LCM-LoRA are in a second UNet, loaded when it is first asked for. Adding them
        to the first and taking them away again would not give its weights back to the bit.

        Raises:
            TaskError: the weights that it needs are not there, or do not fit memory.
        """
        if preset.solver is not Solver.LCM:
            return self.usual
        if self._fast is None:
            if self._lcm_lora is None:
                # The job was taken before the model was loaded, or with another model.
                raise TaskError("The preset fast has no weights here that fit the model.")
            began = time.perf_counter()
            try:
                unet = loading.load_unet(self._source, self._engine.dtype)
            except StartError as error:
                raise TaskError(str(error)) from None
            lora.fuse(self._lcm_lora, unet)
            self._fast = self._make(unet.to(torch.device(self._engine.device)))
            _log.info("Loaded the preset fast in %.1f s.", time.perf_counter() - began)
        return self._fast

    def wait(self, token: CancelToken) -> None:
        """Waits for compilation in the background, but not for ever."""
        if self._compiled is not None:
            self._compiled.wait(token, _COMPILE_SECONDS)

    def _make(self, unet: Any) -> Denoiser:
        accelerate(unet, self._engine)
        if self._engine.small or self._engine.device != "cuda":
            return Denoiser(unet)
        shapes = [(rows, *self._inputs.latents) for rows in _COMPILED_ROWS]
        self._compiled = CompiledPass(unet, shapes, self._inputs.tokens)
        return Denoiser(unet, self._compiled)
