"""Drawing with a pipeline, without tokens and callbacks where a test does not care for them."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from generator import models
from generator.diffusion.options import Options
from generator.diffusion.pipeline import Pipeline
from generator.tasks import CancelToken, OnStep, Outcome, Picture, Step, Task

TOLERANCE = 2
"""Of 255: how far a picture from a batch may be from the one that was drawn alone. A batch's sums
are taken in another order."""


def load(model: Path | str, options: Options | None = None) -> Pipeline:
    return Pipeline(models.find(str(model)), options or Options("cpu"))


def ignore(_step: Step) -> None:
    """Hears of progress and forgets it."""


def draw_all(
    pipeline: Pipeline, tasks: Sequence[Task], on_step: OnStep = ignore
) -> Sequence[Outcome]:
    return pipeline.run(tasks, on_step, [CancelToken() for _ in tasks])


def pixels(outcome: Outcome) -> Any:
    """A picture's numbers, 0 to 255, as integers that can be subtracted."""
    assert isinstance(outcome, Picture), outcome
    return np.asarray(Image.open(io.BytesIO(outcome.png))).astype(int)


def shown(outcome: Outcome) -> bytes:
    """A picture without its recipe, to compare with others."""
    found: bytes = pixels(outcome).tobytes()
    return found


def draw(pipeline: Pipeline, task: Task) -> Picture:
    """The picture; an outcome that is none is raised."""
    (outcome,) = draw_all(pipeline, [task])
    if not isinstance(outcome, Picture):
        raise outcome
    return outcome
