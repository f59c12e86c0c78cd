"""The pipeline of this project, with nothing but defaults."""

from typing import Any

from benchmarks.systems import PROMPT, Draw, Drawing, Drawn, Mark, Setup
from generator import models
from generator.diffusion.options import Options
from generator.diffusion.pipeline import Pipeline
from generator.tasks import CancelToken, Task


def load(setup: Setup) -> Draw:
    """Loads the model; a mark is a step of all pictures."""
    pipeline = Pipeline(models.find(str(setup.model)), Options(lcm_lora=setup.lora, previews="0"))

    def draw(drawing: Drawing, mark: Mark) -> Drawn:
        scale = drawing.preset.guidance_scale
        tasks = [
            Task(PROMPT, "", setup.side, setup.side, drawing.steps, scale, seed)
            for seed in drawing.seeds
        ]

        def on_step(number: int, _step: int, _shown: Any) -> None:
            if number == len(tasks) - 1:
                mark(None)

        tokens = [CancelToken() for _ in tasks]
        samples = pipeline.sample(drawing.preset, tasks, on_step, tokens)
        if not drawing.decode:
            return Drawn()
        pictures = [pipeline.decode(sample.latents).float().cpu() for sample in samples]
        mark(None)
        pixels = (pictures[0][0] / 2 + 0.5).clamp(0, 1).movedim(0, -1)
        return Drawn(samples[0].latents[0].cpu().numpy(), pixels.numpy())

    return draw
