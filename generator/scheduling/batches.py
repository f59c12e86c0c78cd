"""Batches: how many of the jobs next in the order are computed together.

Two rules, and docs/decisions/0020-batches.md says why. Nobody is passed: a batch is the beginning
of the order, as far as its jobs are alike. And it is made only if it shortens the sum of all
waiting times, by what steps of so many jobs were measured to take.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from generator.jobs.order import QueuedJob
from generator.scheduling.shapes import size_of, strength_of
from generator.tasks import BatchTimes, ModelInfo

SIZES = (1, 2, 4, 8)
"""What batches may have, so that few shapes have to be made fast."""


def fitting(times: BatchTimes, free_bytes: int) -> BatchTimes:
    """Of what was measured, the sizes that fit so much memory, and 1."""
    fit = {
        size: taken
        for size, taken in times.seconds.items()
        if size == 1 or size * times.bytes_each <= free_bytes
    }
    return replace(times, seconds=fit)


def choose(order: Sequence[QueuedJob], waiting: int, times: BatchTimes, model: ModelInfo) -> int:
    """How many of the first jobs are to be computed together; at least 1.

    Args:
        order: the jobs that wait, in their order, or as many of them as the largest size has.
        waiting: how many jobs wait in all.
        times: what was measured of the sizes that may be chosen.
        model: which computes them.
    """
    pixels = math.prod(size_of(order[0], model))
    room = max(times.seconds, default=1) * times.pixels // pixels
    sizes = [1, *(count for count in times.seconds if 1 < count <= room)]
    count = alike(order[: SIZES[-1]], model)
    # The sum of waiting times of the best way to cut that many jobs into batches, and its first
    # batch: as long as a batch takes, all wait that are in it or behind it.
    shortest, beginning = [0.0], [0]
    for left in range(1, count + 1):
        total, size = min(
            ((left + waiting - count) * times.ratio(size) + shortest[left - size], size)
            for size in sizes
            if size <= left
        )
        shortest.append(total)
        beginning.append(size)
    return beginning[count]


def alike(order: Sequence[QueuedJob], model: ModelInfo) -> int:
    """How many of the first jobs could share a batch; see `choose`."""
    if order[0].attempts:
        return 1  # it broke once: it could take its neighbours down again
    first = _in_common(order[0], model)
    like = takewhile(lambda job: not job.attempts and _in_common(job, model) == first, order)
    return sum(1 for _ in like)


def _in_common(job: QueuedJob, model: ModelInfo) -> tuple[object, ...]:
    """What jobs in one batch have in common; with that, they compute the same steps."""
    size, strength = size_of(job, model), strength_of(job, model)
    return size, job.steps, strength, job.guidance_scale, job.preset
