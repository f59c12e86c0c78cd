"""Measures what a step takes for batches of several sizes."""

import logging
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from generator.models.loading import is_out_of_memory
from generator.tasks import BatchTimes, CancelToken

LEAST_GAIN = 0.05
"""As a share of what a job takes; less than this is noise."""

_ROUNDS = 3

_log = logging.getLogger(__name__)


class _DoesNotFit(Exception):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


@dataclass(frozen=True)
class Steps:
    """What is measured.

    Attributes:
        compute: computes one step of a batch of that size, and waits for its end.
        pixels: of each picture.
        bytes_each: of memory that each picture takes.
    """

    compute: Callable[[int], None]
    pixels: int
    bytes_each: int


def measure(
    steps: Steps, sizes: Sequence[int], free_memory: Callable[[], int], token: CancelToken
) -> BatchTimes | None:
    """Times steps, each size in turn against the best one so far.

    It stops at a size that gains nothing or does not fit memory, and keeps those before.

    Args:
        steps: what to time.
        sizes: ascending, beginning with 1.
        free_memory: bytes that are free now.
        token: looked at before every step.

    Returns:
        The sizes that pay; None: cancelled.
    """
    pay: dict[int, float] = {}
    for size in sizes:
        if size > 1 and size * steps.bytes_each > free_memory():
            break
        rivals = sorted({*list(pay)[-1:], size})
        try:
            taken = _time(steps.compute, rivals, token)
        except _DoesNotFit as error:
            _log.warning("%d pictures at once do not fit memory; batches stay smaller.", error.size)
            pay = {known: seconds for known, seconds in pay.items() if known < error.size}
            break
        if taken is None:
            return None
        found = {rival: statistics.median(times) for rival, times in taken.items()}
        if not pay:
            pay = found
            continue
        base = rivals[0]
        noise = statistics.median(
            abs(second / first - found[size] / found[base]) / (found[size] / found[base])
            for first, second in zip(taken[base], taken[size], strict=True)
        )
        relative = {**pay, size: pay[base] * found[size] / found[base]}
        better = paying(relative, noise)
        if size not in better:
            break
        pay = better
    return BatchTimes(pay, steps.pixels, steps.bytes_each)


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


def _time(
    compute: Callable[[int], None], rivals: Sequence[int], token: CancelToken
) -> dict[int, list[float]] | None:
    """What steps of several sizes took, in turns; None: cancelled."""
    taken: dict[int, list[float]] = {rival: [] for rival in rivals}
    # The first of a size is slower. Sizes take turns, as the machine's speed changes.
    for turn in range(_ROUNDS + 1):
        for rival in rivals:
            if token.cancelled:
                return None
            began = time.perf_counter()
            try:
                compute(rival)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                raise _DoesNotFit(rival) from None
            if turn:
                taken[rival].append(time.perf_counter() - began)
    return taken
