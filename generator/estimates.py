"""When a job will be finished, from what steps took before."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from generator import batches
from generator.executors.base import ModelInfo, Speeds, Task
from generator.line import Place

_WEIGHT = 0.3
"""Of the newest measurement in the average."""

_MOST = 1000
"""How many kinds of jobs are kept in mind: requests choose among a hundred thousand."""


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


class _Averages:
    """Exponentially weighted averages by key and size of batch, of the keys last in use."""

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self._known = OrderedDict[Hashable, dict[int, float]]()

    def take(self, key: Hashable, batch: int, seconds: float) -> None:
        of = self._known.setdefault(key, {})
        before = of.get(batch, seconds)
        of[batch] = before + self._weight * (seconds - before)
        self._known.move_to_end(key)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    def get(self, key: Hashable) -> Mapping[int, float]:
        if key not in self._known:
            return {}
        self._known.move_to_end(key)
        return self._known[key]


@dataclass
class Pace:
    """What computing takes: averages for the kinds of jobs that were last computed or asked about.

    Attributes:
        speeds: what was measured of batches.
    """

    speeds: Speeds = field(default_factory=Speeds)
    _seconds: _Averages = field(default_factory=lambda: _Averages(_WEIGHT))
    _guesses: _Averages = field(default_factory=lambda: _Averages(1.0))
    _endings: _Averages = field(default_factory=lambda: _Averages(_WEIGHT))

    def guess(self, kind: Kind, batch: int, seconds: float) -> None:
        """Takes in what a step has taken so far in a batch that is not at its end.

        A preset's steps may differ: only a whole batch tells the mean.
        """
        self._guesses.take(kind, batch, seconds)

    def measure(self, kind: Kind, batch: int, seconds: float) -> None:
        """Takes in what a step of a whole batch took in the mean."""
        self._seconds.take(kind, batch, seconds)

    def measure_ending(self, kind: Kind, seconds: float) -> None:
        """Takes in what one picture took after its last step: it is decoded and checked."""
        self._endings.take((kind.width, kind.height), 1, seconds)

    def seconds(self, kind: Kind, batch: int, steps: int) -> float | None:
        """What a batch will take that has so many steps to do; None: no such step was measured."""
        known = self._seconds.get(kind) or self._guesses.get(kind)
        if not known:
            return None
        size = batch if batch in known else next(iter(known))
        step = known[size] / self.speeds.ratio(size) * self.speeds.ratio(batch)
        ending = self._endings.get((kind.width, kind.height)).get(1, 0.0)
        return step * steps + ending * batch


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
