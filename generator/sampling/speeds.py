"""Measures what a step takes for batches of several sizes."""

import statistics
import threading
import time
from collections.abc import Callable, Sequence

from generator import batches
from generator.executors.base import Speeds

_ROUNDS = 3


def measure(
    step: Callable[[int], None],
    sizes: Sequence[int],
    fits: Callable[[int], bool],
    pixels: int,
    cancelled: threading.Event,
) -> Speeds | None:
    """Times steps, each size in turn against the best one so far, and stops where none is gained.

    Args:
        step: computes one step of a batch of that size, and waits for its end.
        sizes: ascending, beginning with 1.
        fits: whether a batch of that size may be tried.
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
        taken: dict[int, list[float]] = {rival: [] for rival in rivals}
        # The first of a size is slower; rounds go to and fro, as the machine's pace changes.
        for turn in range(_ROUNDS + 1):
            for rival in rivals:
                if cancelled.is_set():
                    return None
                began = time.perf_counter()
                step(rival)
                if turn:
                    taken[rival].append(time.perf_counter() - began)
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
    return Speeds(pay, pixels)
