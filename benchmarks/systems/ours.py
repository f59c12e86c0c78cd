"""The pipeline of this project, with nothing but defaults."""

import io
import time
from collections.abc import Callable
from typing import Any

from PIL import Image

from benchmarks.systems import PROMPT, Draw, Drawing, Drawn, Mark, Setup
from generator import models
from generator.diffusion.options import Options
from generator.diffusion.pipeline import Pipeline
from generator.tasks import CancelToken, InitImage, Task

_PARTS = ("embed", "encode", "decode")
"""What a picture takes besides steps, by the pipeline's own names."""


def load(setup: Setup) -> Draw:
    """Loads the model; a mark is a step of all pictures."""
    pipeline = Pipeline(models.find(str(setup.model)), Options(lcm_lora=setup.lora, previews="0"))
    parts = dict.fromkeys(_PARTS, 0.0)
    for part in _PARTS:
        setattr(pipeline, part, _timed(getattr(pipeline, part), part, parts))

    def draw(drawing: Drawing, mark: Mark) -> Drawn:
        parts.update(dict.fromkeys(_PARTS, 0.0))
        width, height = drawing.size or (setup.side, setup.side)
        scale = drawing.preset.guidance_scale
        init = None if drawing.strength is None else InitImage(_noise(), drawing.strength)
        tasks = [
            Task(PROMPT, "", width, height, drawing.steps, scale, seed, init=init)
            for seed in drawing.seeds
        ]

        def on_step(number: int, _step: int, _shown: Any) -> None:
            if number == len(tasks) - 1:
                mark(None)

        tokens = [CancelToken() for _ in tasks]
        samples = pipeline.sample(drawing.preset, tasks, on_step, tokens)
        if not drawing.decode:
            return Drawn(parts=dict(parts))
        pictures = [pipeline.decode(sample.latents).float().cpu() for sample in samples]
        mark(None)
        pixels = (pictures[0][0] / 2 + 0.5).clamp(0, 1).movedim(0, -1)
        return Drawn(samples[0].latents[0].cpu().numpy(), pixels.numpy(), dict(parts))

    return draw


def _timed(call: Callable[..., Any], part: str, parts: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any) -> Any:
        began = time.perf_counter()
        found = call(*args)
        parts[part] += time.perf_counter() - began
        return found

    return timed


def _noise() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((1280, 960), 60).convert("RGB").save(file, "PNG")
    return file.getvalue()
