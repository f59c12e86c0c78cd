"""What the worker asks of an executor."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a loaded model.

    Attributes:
        name: how results call it, such as `stable-diffusion-v1-5`.
        width: its own width in pixels.
        height: its own height in pixels.
    """

    name: str
    width: int
    height: int


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
    """

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance_scale: float
    seed: int


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


class Executor(Protocol):
    """Computes tasks, one at a time, off the event loop."""

    async def load(self) -> ModelInfo:
        """Loads the model; called once, before anything else.

        Raises:
            StartError: the model is missing or unusable.
        """

    async def run(
        self, task: Task, on_step: Callable[[int], None], cancelled: threading.Event
    ) -> Picture:
        """Computes one picture.

        Args:
            task: what to compute.
            on_step: called on the event loop with the number of steps done, 1 to `task.steps`.
            cancelled: set it to have the task end within one step.

        Raises:
            Refused: the safety checker flagged the picture.
            Cancelled: `cancelled` was set.
            TaskError: the task cannot be computed.
        """

    async def close(self) -> None:
        """Lets go of the model, and waits until nothing runs any more, but not for long.

        What still runs then is left to the end of the process.
        """
