"""When a job will be finished, from what steps took before."""

import heapq
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from generator.jobs.order import Line, QueuedJob
from generator.observers import BatchEnded, BatchesMeasured, Observer, StepDone
from generator.scheduling import batches
from generator.scheduling.shapes import shape_of, steps_of
from generator.tasks import BatchTimes, JobShape, ModelInfo

_WEIGHT = 0.3
"""Of the newest measurement in the average."""

_MOST = 1000
"""How many shapes of jobs are kept in mind: requests choose among a hundred thousand."""

_ANY_SIZE = "any size"
"""The key of what a pixel takes."""


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
        self._heard = _Averages(1.0)
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
        self._take(self._guesses, shape, batch, seconds)

    def hear(self, shape: JobShape, batch: int, seconds: float) -> None:
        """Takes in what a step takes elsewhere, which counts for what was never measured here."""
        self._take(self._heard, shape, batch, seconds)

    def measure(self, shape: JobShape, batch: int, seconds: float) -> None:
        """Takes in what a step of a whole batch took in the mean."""
        self._take(self._seconds, shape, batch, seconds)

    def measure_ending(self, shape: JobShape, seconds: float) -> None:
        """Takes in what one picture took after its last step: it is decoded and checked."""
        self._endings.take((shape.width, shape.height), 1, seconds)
        self._endings.take(_ANY_SIZE, 1, seconds / _pixels(shape))

    def seconds(self, shape: JobShape, batch: int, steps: int) -> float | None:
        """What a batch will take that has so many steps to do.

        A shape that has not run yet is expected to take what others took, in proportion to pixels.

        Returns:
            None: no step of its preset was measured, nor was one heard of.
        """
        step = self.step(shape, batch)
        if step is None:
            step = self._step_by_pixels(shape, batch)
        if step is None:
            return None
        ending = self.ending(shape, batch)
        if ending is None:
            ending = self._endings.get(_ANY_SIZE).get(1, 0.0) * _pixels(shape) * batch
        return step * steps + ending

    def step(self, shape: JobShape, batch: int) -> float | None:
        """What a step of a batch will take; None: no step of this shape was measured."""
        known = self._seconds.get(shape) or self._guesses.get(shape)
        if not known:
            return None
        size = batch if batch in known else next(iter(known))
        return known[size] / self.batch_times.ratio(size) * self.batch_times.ratio(batch)

    def ending(self, shape: JobShape, batch: int) -> float | None:
        """What so many pictures will take after their last step; None: that was not measured."""
        each = self._endings.get((shape.width, shape.height)).get(1)
        return None if each is None else each * batch

    def _take(self, averages: _Averages, shape: JobShape, batch: int, seconds: float) -> None:
        averages.take(shape, batch, seconds)
        each = seconds / self.batch_times.ratio(batch) / _pixels(shape)
        for family in _families(shape):
            averages.take(family, 1, each)

    def _step_by_pixels(self, shape: JobShape, batch: int) -> float | None:
        for averages in ((self._seconds, self._guesses), (self._heard,)):
            for family in _families(shape):
                for each in averages:
                    if known := each.get(family):
                        return known[1] * _pixels(shape) * self.batch_times.ratio(batch)
        return None


def _families(shape: JobShape) -> Sequence[Hashable]:
    """What shapes of other sizes are like this one, and those of any strength."""
    of_any_strength = (shape.preset, shape.guided)
    return (*of_any_strength, shape.strength), of_any_strength


def _pixels(shape: JobShape) -> int:
    return shape.width * shape.height


@dataclass(frozen=True)
class Outlook:
    """What an unfinished job may expect.

    Attributes:
        position: how many jobs are ahead of it, those running included; 0: it runs, or is next.
        eta_seconds: until it is finished; None: not known, for it or for one ahead of it.
    """

    position: int
    eta_seconds: float | None


def outlooks(line: Line, model: ModelInfo | None, times: StepTimes) -> Mapping[UUID, Outlook]:
    """The outlook of every unfinished job.

    Each batch is begun by whoever is free first, as if all of them were alike.

    Args:
        line: all that wait, and how many batches are computed at once.
        model: which computes them; None: not known yet.
        times: what was measured; it hears of what is measured elsewhere.
    """
    found = {}
    running = [job for job in line.jobs if job.running]
    lanes, ends = max(1, line.capacity), list[float | None]()
    turns = list[Sequence[QueuedJob]]()
    for batch in _begun_first(running):
        if batch[0].step == 0 and len(ends) >= lanes:  # an executor elsewhere has it in its line
            turns.append(batch)
            continue
        ends.append(_seconds(batch, model, times))
        found.update({job.id: Outlook(0, ends[-1]) for job in batch})
    free = [end for end in ends if end is not None]
    known = len(free) == len(ends)
    free += [0.0] * (lanes - len(ends))
    heapq.heapify(free)
    position = len(running)
    for group in [*turns, *_cut(line.jobs[position:], model, times.batch_times)]:
        own = _seconds(group, model, times)
        known = known and own is not None
        eta = None
        if known and own is not None:
            eta = free[0] + own
            heapq.heapreplace(free, eta)
        for job in group:
            found[job.id] = Outlook(0 if job.running else position, eta)
            position += not job.running
    return found


def _begun_first(running: Sequence[QueuedJob]) -> Sequence[Sequence[QueuedJob]]:
    """The batches that run, those first that have done a step."""
    batches = [list(batch) for _, batch in groupby(running, key=lambda job: job.batch)]
    return sorted(batches, key=lambda batch: batch[0].step == 0)


def _cut(
    order: Sequence[QueuedJob], model: ModelInfo | None, times: BatchTimes
) -> Iterator[Sequence[QueuedJob]]:
    """The order as it will be computed in batches if nobody joins or leaves it."""
    at = 0
    while at < len(order):
        size = 1
        if model is not None:
            first = order[at : at + batches.SIZES[-1]]
            size = batches.choose(first, len(order) - at, times, model)
        yield order[at : at + size]
        at += size


def _seconds(batch: Sequence[QueuedJob], model: ModelInfo | None, times: StepTimes) -> float | None:
    if model is None:
        return None
    shape = shape_of(batch[0], model)
    if batch[0].step_seconds is not None:
        times.hear(shape, len(batch), batch[0].step_seconds)
    left = max(steps_of(job, model) - job.step for job in batch)
    return times.seconds(shape, len(batch), left)
