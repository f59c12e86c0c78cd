"""The pipeline of this project, with nothing but defaults."""

import threading
from typing import Any

from benchmarks.contenders import PROMPT, Draw, Drawing, Drawn, Mark, Setup
from generator import models
from generator.executors.base import Task
from generator.pipeline import Options, Pipeline


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

        cancelled = [threading.Event() for _ in tasks]
        courses = pipeline.sample(drawing.preset, tasks, on_step, cancelled)
        if not drawing.decode:
            return Drawn()
        pictures = [pipeline.decode(course.latents).float().cpu() for course in courses]
        mark(None)
        pixels = (pictures[0][0] / 2 + 0.5).clamp(0, 1).movedim(0, -1)
        return Drawn(courses[0].latents[0].cpu().numpy(), pixels.numpy())

    return draw
