"""What goes to an executor and what comes back: plain data that could cross to another process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


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
class JobShape:
    """What decides how long a step takes.

    Attributes:
        width: pixels.
        height: pixels.
        preset: a name in `generator.presets`.
        guided: every step, or every one within the preset's interval, costs twice.
    """

    width: int
    height: int
    preset: str
    guided: bool


@dataclass(frozen=True)
class Task:
    """One picture to compute, every default filled in.

    Attributes:
        prompt: 1 to 1,000 characters.
        negative_prompt: up to 1,000 characters.
        width: pixels, a multiple of 8 in 64 to 1,024.
        height: likewise.
        steps: 1 to 150.
        guidance_scale: 0 to 30; 1 or less is none.
        seed: 0 to 2^63 - 1.
        preset: a name in `generator.presets`.
    """

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance_scale: float
    seed: int
    preset: str = "balanced"

    @property
    def shape(self) -> JobShape:
        """What decides how long its steps take."""
        return JobShape(self.width, self.height, self.preset, self.guidance_scale > 1)


@dataclass(frozen=True)
class Step:
    """A step is done.

    Attributes:
        task: which one of the batch, from 0.
        number: how many of its steps are done, from 1.
        preview: now and then, a JPEG of where it is.
    """

    task: int
    number: int
    preview: bytes | None = None


OnStep = Callable[[Step], None]


class CancelToken:
    """Asks a computation to end. Any thread may set it, and any may look at it."""

    def __init__(self) -> None:
        self._cancelled = False

    def cancel(self) -> None:
        """Asks for the end; asking again changes nothing."""
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        """Whether the end was asked for."""
        return self._cancelled


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


class SafetyRejected(Exception):
    """The safety checker flagged the picture; there is none."""


class Cancelled(Exception):
    """The task was cancelled between two steps."""


class TaskError(Exception):
    """The task cannot be computed, now or later; the message is for the person who asked."""


Outcome = Picture | SafetyRejected | Cancelled | TaskError
"""How a task ended."""


@dataclass(frozen=True)
class BatchTimes:
    """What was measured of batches.

    Attributes:
        seconds: a step takes, by how many pictures are computed together: 1, and the sizes that
            take less time for each. Empty: nothing was measured, and batches are not wanted.
        pixels: of each picture that was measured.
        bytes_each: of memory that each picture of a batch takes.
    """

    seconds: Mapping[int, float] = field(default_factory=dict)
    pixels: int = 0
    bytes_each: int = 0

    def ratio(self, size: int) -> float:
        """How much longer a step of so many pictures takes than one of a single picture."""
        next_larger = min((known for known in self.seconds if known >= size), default=None)
        if next_larger is None:
            return float(size)
        return self.seconds[next_larger] / self.seconds[1]  # an upper bound, if one has left
