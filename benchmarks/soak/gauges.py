"""What the processes hold, looked at from outside again and again."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Final, NamedTuple

import psutil

from benchmarks.soak.up import SERVICES, Up

_EVERY_SECONDS = 3.0
_WARM_SECONDS: Final = 20.0
"""A younger process has not come to what it needs yet."""

MORE_MEMORY: Final = (1.1, 16.0)
"""Memory is flat that grows to at most so many times as much, and so many MiB."""

MORE_DESCRIPTORS: Final = 8


class Reading(NamedTuple):
    """What a process holds: MiB of its own and shared memory (RSS), and descriptors."""

    memory: float
    descriptors: float


class Gauges:
    """Readings of the supervisor and the services, whichever process that is at the time."""

    def __init__(self, up: Up) -> None:
        self._up = up
        self._readings: defaultdict[str, list[Reading]] = defaultdict(list)

    async def watch(self, over: Callable[[], bool]) -> None:
        """Looks every few seconds until it is over."""
        while not over():
            for name in ("up", *SERVICES):
                with contextlib.suppress(psutil.Error):  # it has just been killed
                    process = self._up.process(name)
                    if time.time() - process.create_time() > _WARM_SECONDS:
                        memory = process.memory_info().rss / 2**20
                        self._readings[name].append(Reading(memory, process.num_fds()))
            await asyncio.sleep(_EVERY_SECONDS)

    def growth(self) -> dict[str, tuple[Reading, Reading]]:
        """For each name the medians of the first quarter and of the last."""
        return {
            name: (
                _middle(readings[: len(readings) // 4 + 1]),
                _middle(readings[-len(readings) // 4 :]),
            )
            for name, readings in self._readings.items()
        }


def is_flat(first: Reading, last: Reading) -> bool:
    """Whether this is no growth."""
    times, more = MORE_MEMORY
    return (
        last.memory <= first.memory * times + more
        and last.descriptors <= first.descriptors + MORE_DESCRIPTORS
    )


def _middle(readings: list[Reading]) -> Reading:
    return Reading(
        median(each.memory for each in readings), median(each.descriptors for each in readings)
    )
