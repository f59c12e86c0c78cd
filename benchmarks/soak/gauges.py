"""What the services hold, looked at from outside again and again."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable

import psutil

from lookalike.processes.stack import Stack

_EVERY_SECONDS = 5.0


class Gauges:
    """The most memory and file descriptors of each service's processes."""

    def __init__(self, stack: Stack) -> None:
        """Looks at the services of this stack."""
        self._stack = stack
        self._memory: defaultdict[str, list[float]] = defaultdict(list)
        self._descriptors: defaultdict[str, list[int]] = defaultdict(list)

    async def watch(self, names: tuple[str, ...], over: Callable[[], bool]) -> None:
        """Looks every few seconds until it is over."""
        while not over():
            for name in names:
                with contextlib.suppress(psutil.Error, KeyError):  # it has just been killed
                    process = psutil.Process(self._stack.process(name).popen.pid)
                    self._memory[name].append(process.memory_info().rss / 2**20)
                    self._descriptors[name].append(process.num_fds())
            await asyncio.sleep(_EVERY_SECONDS)

    def rows(self) -> list[str]:
        """A line for each service: medians of the first and the last quarter."""
        return [
            f"{name}: {_quarters(self._memory[name])} MiB,"
            f" {_quarters(self._descriptors[name])} file descriptors"
            for name in self._memory
        ]


def _quarters(values: list[float] | list[int]) -> str:
    quarter = max(1, len(values) // 4)
    first, last = sorted(values[:quarter]), sorted(values[-quarter:])
    return f"{first[len(first) // 2]:.0f} -> {last[len(last) // 2]:.0f}"
