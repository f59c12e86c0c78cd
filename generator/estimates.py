"""When a job will be finished, from what steps took before."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from generator import batches
from generator.executors.base import ModelInfo, Speeds, Task
from generator.line import Place

_WEIGHT = 0.3
"""Of the newest measurement in the average."""


@dataclass(frozen=True)
class Kind:
    """What decides how long a step takes.

    Attributes:
        width: pixels.
        height: pixels.
        preset: of the task.
        guided: every step, or every one within the preset's interval, costs twice.
    """

    width: int
    height: int
    preset: str
    guided: bool

    @classmethod
    def of(cls, job: Task | Place, model: ModelInfo) -> "Kind":
        """The kind of a job, the model's own size standing in for one not given."""
        return cls(
            job.width or model.width,
            job.height or model.height,
            job.preset,
            job.guidance_scale > 1,
        )


@dataclass
class Pace:
    """Exponentially weighted averages of what computing takes.

    Attributes:
        speeds: what was measured of batches.
    """

    speeds: Speeds = field(default_factory=Speeds)
    _seconds: dict[tuple[Kind, int], float] = field(default_factory=dict)
    _guesses: dict[tuple[Kind, int], float] = field(default_factory=dict)
    _endings: dict[tuple[int, int], float] = field(default_factory=dict)

    def guess(self, kind: Kind, batch: int, seconds: float) -> None:
        """Takes in what a step has taken so far in a batch that is not at its end.

        A preset's steps may differ: only a whole batch tells the mean.
        """
        self._guesses[kind, batch] = seconds

    def measure(self, kind: Kind, batch: int, seconds: float) -> None:
        """Takes in what a step of a whole batch took in the mean."""
        known = self._seconds.get((kind, batch), seconds)
        self._seconds[kind, batch] = known + _WEIGHT * (seconds - known)

    def measure_ending(self, kind: Kind, seconds: float) -> None:
        """Takes in what one picture took after its last step: it is decoded and checked."""
        size = kind.width, kind.height
        known = self._endings.get(size, seconds)
        self._endings[size] = known + _WEIGHT * (seconds - known)

    def seconds(self, kind: Kind, batch: int, steps: int) -> float | None:
        """What a batch will take that has so many steps to do; None: no such step was measured."""
        step = self._step(kind, batch)
        ending = self._endings.get((kind.width, kind.height), 0.0)
        return None if step is None else step * steps + ending * batch

    def _step(self, kind: Kind, batch: int) -> float | None:
        for source in (self._seconds, self._guesses):
            if (known := source.get((kind, batch))) is not None:
                return known
            for (other, size), seconds in source.items():
                if other == kind:
                    return seconds / self.speeds.ratio(size) * self.speeds.ratio(batch)
        return None


@dataclass(frozen=True)
class Outlook:
    """What an unfinished job may expect.

    Attributes:
        position: how many jobs are ahead of it, those running included; 0: it runs, or is next.
        eta_seconds: until it is finished; None: not known, for it or for one ahead of it.
    """

    position: int
    eta_seconds: float | None


def outlooks(
    line: Sequence[Place], model: ModelInfo | None, pace: Pace, steps_done: Callable[[UUID], int]
) -> Mapping[UUID, Outlook]:
    """The outlook of every unfinished job.

    Args:
        line: in the order of computation, the running ones first.
        model: whose own size stands in for a size not given; None: not known yet.
        pace: what was measured.
        steps_done: of a running job.
    """
    found = {}
    eta: float | None = 0.0
    position = 0
    for batch in _batches(line, model, pace.speeds):
        own = None if model is None else _seconds(batch, model, pace, steps_done)
        eta = None if own is None or eta is None else eta + own
        for place in batch:
            found[place.id] = Outlook(0 if place.running else position, eta)
            position += 1
    return found


def _batches(
    line: Sequence[Place], model: ModelInfo | None, speeds: Speeds
) -> Iterator[Sequence[Place]]:
    """The line as it will be computed if nobody joins or leaves it."""
    running = sum(1 for place in line if place.running)
    if running:
        yield line[:running]
    at = running
    own = (model.width, model.height) if model is not None else (1, 1)
    while at < len(line):
        head = line[at : at + batches.SIZES[-1]]
        size = batches.choose(head, len(line) - at, speeds, own)
        yield line[at : at + size]
        at += size


def _seconds(
    batch: Sequence[Place], model: ModelInfo, pace: Pace, steps_done: Callable[[UUID], int]
) -> float | None:
    first = batch[0]
    steps = max(
        place.steps - steps_done(place.id) if place.running else place.steps for place in batch
    )
    return pace.seconds(Kind.of(first, model), len(batch), steps)
