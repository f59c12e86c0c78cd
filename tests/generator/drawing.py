"""Drawing with a pipeline, without threads and events where a test does not care for them."""

import threading
from collections.abc import Sequence
from pathlib import Path

from generator import models
from generator.executors.base import OnStep, Outcome, Picture, Task
from generator.pipeline import Options, Pipeline


def load(model: Path | str, options: Options | None = None) -> Pipeline:
    return Pipeline(models.find(str(model)), options or Options("cpu"))


def ignore(_index: int, _step: int, _preview: bytes | None) -> None:
    """Hears of progress and forgets it."""


def draw_all(
    pipeline: Pipeline, tasks: Sequence[Task], on_step: OnStep = ignore
) -> Sequence[Outcome]:
    return pipeline.run(tasks, on_step, [threading.Event() for _ in tasks])


def draw(pipeline: Pipeline, task: Task) -> Picture:
    """The picture; an outcome that is none is raised."""
    (outcome,) = draw_all(pipeline, [task])
    if not isinstance(outcome, Picture):
        raise outcome
    return outcome
