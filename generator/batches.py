"""Batches: how many of the jobs next in line are computed together.

Two rules, and docs/decisions/0020-batches.md says why. Nobody is passed: a batch is the beginning
of the line, as far as its jobs are alike. And it is made only if it shortens the sum of all
waiting times, by what steps of so many jobs were measured to take.
"""

from collections.abc import Mapping, Sequence
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


def size(line: Sequence[Place], waiting: int, speeds: Speeds, own: tuple[int, int]) -> int:
    """How many jobs at the head of the line are to be computed together; at least 1.

    Args:
        line: the jobs that wait, in their order, or as many of them as there may be in a batch.
        waiting: how many jobs wait in all.
        speeds: what was measured.
        own: the model's own width and height, which stand in for a size not given.
    """
    head = line[0]
    most = alike(line, own)
    pixels = (head.width or own[0]) * (head.height or own[1])
    room = max(speeds.seconds, default=1) * speeds.pixels // pixels
    best, saved = 1, 0.0
    for count in speeds.seconds:
        if 1 < count <= min(most, room):
            saving = _saving(count, waiting, speeds.ratio(count)) / count
            if saving > saved:
                best, saved = count, saving
    return best


def alike(line: Sequence[Place], own: tuple[int, int]) -> int:
    """How many jobs at the head of the line could share a batch; see `size`."""
    if not line[0].sociable:
        return 1
    kind = _kind(line[0], own)
    others = takewhile(lambda place: place.sociable and _kind(place, own) == kind, line)
    return sum(1 for _ in others)


def _kind(place: Place, own: tuple[int, int]) -> tuple[object, ...]:
    """What jobs in one batch have in common."""
    width, height = place.width or own[0], place.height or own[1]
    return width, height, place.steps, place.guidance_scale, place.preset


def _saving(count: int, waiting: int, ratio: float) -> float:
    """How much a batch takes off the sum of waiting times, in times that one job takes.

    One by one, the first job ends after 1, the second after 2, and those behind the last of them
    begin after `count`. In a batch, all of that comes after `ratio`.
    """
    behind = waiting - count
    one_by_one = count * (count + 1) / 2 + behind * count
    return one_by_one - waiting * ratio
