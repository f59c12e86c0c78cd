"""Measures what a step takes for batches of several sizes."""

import logging
import statistics
import threading
import time
from collections.abc import Callable, Sequence

from generator import batches
from generator.executors.base import Speeds
from generator.models.loading import is_out_of_memory

_ROUNDS = 3

_log = logging.getLogger(__name__)


class _DoesNotFit(Exception):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


def measure(
    step: Callable[[int], None],
    sizes: Sequence[int],
    fits: Callable[[int], bool],
    pixels: int,
    cancelled: threading.Event,
) -> Speeds | None:
    """Times steps, each size in turn against the best one so far.

    It stops at a size that gains nothing or does not fit memory, and keeps those before.

    Args:
        step: computes one step of a batch of that size, and waits for its end.
        sizes: ascending, beginning with 1.
        fits: whether a batch of that size fits what memory is free now.
        pixels: of each picture.
        cancelled: looked at before every step.

    Returns:
        The sizes that pay; None: cancelled.
    """
    pay: dict[int, float] = {}
    for size in sizes:
        if not fits(size):
            break
        rivals = sorted({*list(pay)[-1:], size})
        try:
            taken = _time(step, rivals, cancelled)
        except _DoesNotFit as error:
            _log.warning("%d at once do not fit memory; batches are smaller.", error.size)
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
        better = batches.paying(relative, noise)
        if size not in better:
            break
        pay = better
    return Speeds(pay, pixels, fits)


def _time(
    step: Callable[[int], None], rivals: Sequence[int], cancelled: threading.Event
) -> dict[int, list[float]] | None:
    """What steps of several sizes took, in turns; None: cancelled."""
    taken: dict[int, list[float]] = {rival: [] for rival in rivals}
    # The first of a size is slower; rounds go to and fro, as the machine's pace changes.
    for turn in range(_ROUNDS + 1):
        for rival in rivals:
            if cancelled.is_set():
                return None
            began = time.perf_counter()
            try:
                step(rival)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                raise _DoesNotFit(rival) from None
            if turn:
                taken[rival].append(time.perf_counter() - began)
    return taken
