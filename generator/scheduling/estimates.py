"""When a job will be finished, from what steps took before."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from generator.jobs.order import QueuedJob
from generator.observers import BatchEnded, BatchesMeasured, Observer, StepDone
from generator.scheduling import batches
from generator.tasks import BatchTimes, JobShape, ModelInfo

_WEIGHT = 0.3
"""Of the newest measurement in the average."""

_MOST = 1000
"""How many shapes of jobs are kept in mind: requests choose among a hundred thousand."""


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


class StepTimes(Observer):
    """What computing takes: averages for the shapes of jobs last computed or asked about.

    It listens to the worker.

    Attributes:
        batch_times: what was measured of batches.
    """

    def __init__(self, batch_times: BatchTimes | None = None) -> None:
        self.batch_times = batch_times or BatchTimes()
        self._seconds = _Averages(_WEIGHT)
        self._guesses = _Averages(1.0)
        self._endings = _Averages(_WEIGHT)

    def step_done(self, event: StepDone) -> None:
        """Takes in what steps have taken so far."""
        if event.step_seconds is not None:
            take = self.measure if event.step == event.steps else self.guess
            take(event.shape, event.batch_size, event.step_seconds)

    def batch_ended(self, event: BatchEnded) -> None:
        """Takes in what comes after the last step."""
        if event.picture_seconds is not None:
            self.measure_ending(event.shape, event.picture_seconds)

    def batches_measured(self, event: BatchesMeasured) -> None:
        """Takes in what was measured."""
        self.batch_times = event.times

    def guess(self, shape: JobShape, batch: int, seconds: float) -> None:
        """Takes in what a step has taken so far in a batch that is not at its end.

        A preset's steps may differ: only a whole batch tells the mean.
        """
        self._guesses.take(shape, batch, seconds)

    def measure(self, shape: JobShape, batch: int, seconds: float) -> None:
        """Takes in what a step of a whole batch took in the mean."""
        self._seconds.take(shape, batch, seconds)

    def measure_ending(self, shape: JobShape, seconds: float) -> None:
        """Takes in what one picture took after its last step: it is decoded and checked."""
        self._endings.take((shape.width, shape.height), 1, seconds)

    def seconds(self, shape: JobShape, batch: int, steps: int) -> float | None:
        """What a batch will take that has so many steps to do; None: no such step was measured."""
        step = self.step(shape, batch)
        if step is None:
            return None
        return step * steps + (self.ending(shape, batch) or 0.0)

    def step(self, shape: JobShape, batch: int) -> float | None:
        """What a step of a batch will take; None: no such step was measured."""
        known = self._seconds.get(shape) or self._guesses.get(shape)
        if not known:
            return None
        size = batch if batch in known else next(iter(known))
        return known[size] / self.batch_times.ratio(size) * self.batch_times.ratio(batch)

    def ending(self, shape: JobShape, batch: int) -> float | None:
        """What so many pictures will take after their last step; None: that was not measured."""
        each = self._endings.get((shape.width, shape.height)).get(1)
        return None if each is None else each * batch


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
    order: Sequence[QueuedJob],
    model: ModelInfo | None,
    times: StepTimes,
    steps_done: Callable[[UUID], int],
) -> Mapping[UUID, Outlook]:
    """The outlook of every unfinished job.

    Args:
        order: of computation, the running ones first.
        model: whose own size stands in for a size not given; None: not known yet.
        times: what was measured.
        steps_done: of a running job.
    """
    found = {}
    eta: float | None = 0.0
    position = 0
    for batch in _cut(order, model, times.batch_times):
        own = None if model is None else _seconds(batch, model, times, steps_done)
        eta = None if own is None or eta is None else eta + own
        for job in batch:
            found[job.id] = Outlook(0 if job.running else position, eta)
            position += 1
    return found


def shape_of(job: QueuedJob, model: ModelInfo) -> JobShape:
    """The shape of a job, the model's own size standing in for one not given."""
    width, height = job.width or model.width, job.height or model.height
    return JobShape(width, height, job.preset, job.guidance_scale > 1)


def _cut(
    order: Sequence[QueuedJob], model: ModelInfo | None, times: BatchTimes
) -> Iterator[Sequence[QueuedJob]]:
    """The order as it will be computed in batches if nobody joins or leaves it."""
    running = sum(1 for job in order if job.running)
    if running:
        yield order[:running]
    at = running
    own = (model.width, model.height) if model is not None else (1, 1)
    while at < len(order):
        first = order[at : at + batches.SIZES[-1]]
        size = batches.choose(first, len(order) - at, times, own)
        yield order[at : at + size]
        at += size


def _seconds(
    batch: Sequence[QueuedJob],
    model: ModelInfo,
    times: StepTimes,
    steps_done: Callable[[UUID], int],
) -> float | None:
    steps = max(job.steps - steps_done(job.id) if job.running else job.steps for job in batch)
    return times.seconds(shape_of(batch[0], model), len(batch), steps)
