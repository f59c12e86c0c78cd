"""Batches: how many of the jobs next in line are computed together.

Two rules, and docs/decisions/0020-batches.md says why. Nobody is passed: a batch is the beginning
of the line, as far as its jobs are alike. And it is made only if it shortens the sum of all
waiting times, by what steps of so many jobs were measured to take.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from generator.executors.base import Speeds
from generator.line import Place

SIZES = (1, 2, 4, 8)
"""What batches may have, so that few shapes have to be made fast."""

LEAST_GAIN = 0.05
"""Of a job's share of the time; less is noise."""


def paying(seconds: Mapping[int, float], noise: float) -> dict[int, float]:
    """The sizes that save time for each job, and 1.

    Args:
        seconds: a step takes, by size; 1 among them.
        noise: the spread of the measurements, as a share of what was measured.
    """
    share = 1 - max(LEAST_GAIN, noise)
    found = {1: seconds[1]}
    for size in sorted(seconds):
        best = min(taken / of for of, taken in found.items())
        if seconds[size] / size < best * share:
            found[size] = seconds[size]
    return found


def fitting(speeds: Speeds) -> Speeds:
    """Of what was measured, the sizes that fit what memory is free now, and 1."""
    fit = {size: taken for size, taken in speeds.seconds.items() if size == 1 or speeds.fits(size)}
    return replace(speeds, seconds=fit)


def choose(line: Sequence[Place], waiting: int, speeds: Speeds, own: tuple[int, int]) -> int:
    """How many jobs at the head of the line are to be computed together; at least 1.

    Args:
        line: the jobs that wait, in their order, or as many of them as the largest size has.
        waiting: how many jobs wait in all.
        speeds: what was measured of the sizes that may be chosen.
        own: the model's own width and height, which stand in for a size not given.
    """
    head = line[0]
    pixels = (head.width or own[0]) * (head.height or own[1])
    room = max(speeds.seconds, default=1) * speeds.pixels // pixels
    sizes = [1, *(count for count in speeds.seconds if 1 < count <= room)]
    count = alike(line[: SIZES[-1]], own)
    # The sum of waiting times of the best way to cut that many jobs into batches, and its first
    # batch: as long as a batch takes, all wait that are in it or behind it.
    shortest, first = [0.0], [0]
    for left in range(1, count + 1):
        total, size = min(
            ((left + waiting - count) * speeds.ratio(size) + shortest[left - size], size)
            for size in sizes
            if size <= left
        )
        shortest.append(total)
        first.append(size)
    return first[count]


def alike(line: Sequence[Place], own: tuple[int, int]) -> int:
    """How many jobs at the head of the line could share a batch; see `choose`."""
    if line[0].attempts:
        return 1  # it broke once: it could take its neighbours down again
    kind = _kind(line[0], own)
    like = takewhile(lambda place: not place.attempts and _kind(place, own) == kind, line)
    return sum(1 for _ in like)


def _kind(place: Place, own: tuple[int, int]) -> tuple[object, ...]:
    """What jobs in one batch have in common."""
    width, height = place.width or own[0], place.height or own[1]
    return width, height, place.steps, place.guidance_scale, place.preset
