"""`python -m benchmarks.scale.simulated`: a generator that sleeps where a model would compute."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from io import BytesIO

from PIL import Image

from generator.server import RunningGenerator, running
from generator.settings import GeneratorSettings
from generator.tasks import (
    BatchTimes,
    Cancelled,
    CancelToken,
    ModelInfo,
    OnStep,
    Outcome,
    Picture,
    Step,
    Task,
)
from lookalike.lifecycle import serve

PICTURE_SECONDS = "SIMULATED_PICTURE_SECONDS"
"""The variable that says how long a picture takes."""

_SIDE = 256


class SimulatedExecutor:
    """Takes a while for each picture, and draws all alike; see `Executor`.

    Attributes:
        elsewhere: it computes here.
        lanes: one batch at a time, as a GPU takes.
        capacity: likewise.
        changed: never.
    """

    elsewhere = False
    lanes = capacity = 1

    def __init__(self, seconds: float) -> None:
        """`seconds`: of a picture, whatever its steps."""
        self.changed = asyncio.Event()
        self._seconds = seconds
        file = BytesIO()
        Image.effect_noise((_SIDE, _SIDE), 64).save(file, "PNG")
        self._png = file.getvalue()

    async def load(self) -> ModelInfo:
        """Loads nothing."""
        return ModelInfo("simulated", _SIDE, _SIDE, sizes=((_SIDE, _SIDE),))

    async def measure(self, sizes: Sequence[int], token: CancelToken) -> BatchTimes | None:
        """Batches do not pay."""
        del sizes, token
        return BatchTimes()

    async def free_memory(self) -> int:
        """Plenty."""
        return 2**40

    async def run(
        self, tasks: Sequence[Task], on_step: OnStep, tokens: Sequence[CancelToken]
    ) -> Sequence[Outcome]:
        """Sleeps step by step, for each task as long as for one: batches do not pay."""
        steps = tasks[0].computed_steps
        for number in range(1, steps + 1):
            await asyncio.sleep(self._seconds * len(tasks) / steps)
            for task, token in enumerate(tokens):
                if not token.cancelled:
                    on_step(Step(task, number))
        return [
            Cancelled() if token.cancelled else Picture(self._png, task.width, task.height)
            for task, token in zip(tasks, tokens, strict=True)
        ]

    async def close(self) -> None:
        """Nothing to let go of."""


def _running(settings: GeneratorSettings) -> AbstractAsyncContextManager[RunningGenerator]:
    seconds = float(os.environ[PICTURE_SECONDS])
    return running(settings, executor=SimulatedExecutor(seconds))


if __name__ == "__main__":
    serve("generator", GeneratorSettings, _running)
