"""What goes to an executor and what comes back: plain data that could cross to another process."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a loaded model.

    Attributes:
        name: how results call it, such as `stable-diffusion-v1-5`.
        width: its own width in pixels.
        height: its own height in pixels.
        unavailable: presets that it cannot be used with: why, in a sentence each, by name.
        dial: how strongly each step of the dial changes the picture that it starts from, by its
            name: twin, sibling, cousin.
        sizes: width and height of what it draws well, about as many pixels each.
    """

    name: str
    width: int
    height: int
    unavailable: Mapping[str, str] = field(default_factory=dict)
    dial: Mapping[str, float] = field(default_factory=dict)
    sizes: Sequence[tuple[int, int]] = ()

    def size(
        self, width: int | None, height: int | None, aspect: tuple[int, int] | None
    ) -> tuple[int, int]:
        """The width and height of a picture.

        Args:
            width: as asked; None: not asked.
            height: likewise.
            aspect: of what it shall look like, as width and height in any unit; it counts where
                neither side is asked. None: no matter.

        Returns:
            Sides as asked, the model's own standing in for one that is not; or else, of the sizes
            that it draws well, the one whose proportions are nearest to `aspect`.
        """
        if width is not None or height is not None or aspect is None or not self.sizes:
            return width or self.width, height or self.height
        wanted = math.log(aspect[0] / aspect[1])
        return min(self.sizes, key=lambda size: abs(math.log(size[0] / size[1]) - wanted))


@dataclass(frozen=True)
class JobShape:
    """What decides how long a step takes.

    Attributes:
        width: pixels.
        height: pixels.
        preset: a name in `generator.presets`.
        guided: every step, or every one within the preset's interval, costs twice.
        strength: of its init image; None: it has none. A preset whose steps differ spends others on
            a picture that is there already.
    """

    width: int
    height: int
    preset: str
    guided: bool
    strength: float | None = None


@dataclass(frozen=True)
class InitImage:
    """The picture that a task starts from.

    Attributes:
        image: a PNG, RGB, as our own decoder wrote it: never bytes from outside. Of any size: it is
            cropped around its centre to the task's proportions, and scaled.
        strength: above 0, up to 1: how much of it is lost in noise, and so how many steps there
            are; see `computed_steps`.
    """

    image: bytes
    strength: float


def computed_steps(steps: int, strength: float | None) -> int:
    """How many of a task's steps are computed.

    Args:
        steps: of the task.
        strength: of its init image; None: it has none.

    Returns:
        All, or the last ones: as many as `get_timesteps` of diffusers'
        `StableDiffusionImg2ImgPipeline` takes, and at least one.
    """
    if strength is None:
        return steps
    return max(1, min(steps, int(steps * strength)))


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
        init: what it starts from; None: from noise alone.
    """

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance_scale: float
    seed: int
    preset: str = "balanced"
    init: InitImage | None = None

    @property
    def strength(self) -> float | None:
        """Of its init image; None: it has none."""
        return None if self.init is None else self.init.strength

    @property
    def computed_steps(self) -> int:
        """How many of its steps are computed and reported."""
        return computed_steps(self.steps, self.strength)

    @property
    def shape(self) -> JobShape:
        """What decides how long its steps take."""
        guided = self.guidance_scale > 1
        return JobShape(self.width, self.height, self.preset, guided, self.strength)


@dataclass(frozen=True)
class Step:
    """A step is done.

    Attributes:
        task: which one of the batch, from 0.
        number: how many of the steps that are computed are done, from 1; 0: an executor elsewhere
            has begun, where the batch had to wait for its turn.
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
        self._listener: Callable[[], object] | None = None

    def cancel(self) -> None:
        """Asks for the end; asking again changes nothing."""
        self._cancelled = True
        if self._listener is not None:
            self._listener()

    def listen(self, listener: Callable[[], object]) -> None:
        """Has a function called when the end is asked for, maybe repeatedly, on any thread.

        There is one listener: whoever computes.
        """
        self._listener = listener
        if self._cancelled:
            listener()

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


class NotTaken(Exception):
    """The executor cannot take a batch now, and has computed nothing of it: no attempt is lost."""


class ComputerLost(Exception):
    """What computed a batch elsewhere is gone, or makes no progress."""


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
