"""What the worker asks of an executor."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Previews = Literal["0", "1", "always"]
"""`GENERATOR_PREVIEWS`."""


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a loaded model.

    Attributes:
        name: how results call it, such as `stable-diffusion-v1-5`.
        width: its own width in pixels.
        height: its own height in pixels.
        unavailable: presets that it cannot be used with: why, in a sentence each, by name.
    """

    name: str
    width: int
    height: int
    unavailable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One picture to compute, every default filled in.

    Attributes:
        prompt: 1 to 1,000 characters.
        negative_prompt: up to 1,000 characters.
        width: pixels, a multiple of 8 in 64 to 1,024.
        height: likewise.
        steps: 1 to 150.
        guidance_scale: 0 to 30.
        seed: 0 to 2^63 - 1.
        preset: a name in `generator.sampling.presets`.
    """

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance_scale: float
    seed: int
    preset: str = "balanced"


@dataclass(frozen=True)
class Picture:
    """A computed picture.

    Attributes:
        png: the file's bytes; they depend on nothing but the model and the task.
        width: pixels.
        height: pixels.
    """

    png: bytes
    width: int
    height: int


class Refused(Exception):
    """The safety checker flagged the picture; there is none."""


class Cancelled(Exception):
    """The task was cancelled between two steps."""


class TaskError(Exception):
    """The task cannot be computed, now or later; the message is for the person who asked."""


@dataclass(frozen=True)
class Speeds:
    """What was measured of batches.

    Attributes:
        seconds: a step takes, by how many pictures are computed together: 1, and the sizes that
            take less time for each. Empty: nothing was measured, and batches are not wanted.
        pixels: of each picture that was measured.
        fits: whether a batch of so many of these pictures fits what memory is free now.
    """

    seconds: Mapping[int, float] = field(default_factory=dict)
    pixels: int = 0
    fits: Callable[[int], bool] = field(default=lambda _size: True, compare=False)

    def ratio(self, size: int) -> float:
        """How much longer a step of so many pictures takes than one of a single picture."""
        next_larger = min((known for known in self.seconds if known >= size), default=None)
        if next_larger is None:
            return float(size)
        return self.seconds[next_larger] / self.seconds[1]  # an upper bound where one has left


Outcome = Picture | Refused | Cancelled | TaskError
"""How a task ended."""

OnStep = Callable[[int, int, bytes | None], None]
"""Told after each step: which task of a batch, how many of its steps are done, and now and then a
preview as a JPEG."""


class Executor(Protocol):
    """Computes batches of tasks, one batch at a time, off the event loop."""

    async def load(self) -> ModelInfo:
        """Loads the model; called once, before anything else.

        Raises:
            StartError: the model is missing or unusable.
        """

    async def measure(self, sizes: Sequence[int], cancelled: threading.Event) -> Speeds | None:
        """Finds out which batches pay, at the model's own size.

        Args:
            sizes: of batches, ascending, beginning with 1.
            cancelled: set it to have the measurement end within one step.

        Returns:
            None: cancelled.
        """

    async def run(
        self, tasks: Sequence[Task], on_step: OnStep, cancelled: Sequence[threading.Event]
    ) -> Sequence[Outcome]:
        """Computes pictures together.

        Args:
            tasks: at least one, alike in all but prompts and seeds.
            on_step: called on the event loop; steps count from 1 to `steps`.
            cancelled: one for each task; set it to have the task end within one step.

        Returns:
            How each task ended.
        """

    async def close(self) -> None:
        """Lets go of the model, and waits until nothing runs any more, but not for long.

        What still runs then is left to the end of the process.
        """
