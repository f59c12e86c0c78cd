"""What metrics and traces add to a job's overhead, and what the code of traces costs without any.

    python -m benchmarks.telemetry [--jobs 300]

Three generators with the small model compute jobs in turns, one each, so that all find the same
machine: one that counts nothing, one as it is, and one that traces. The collector is a process on
it that takes all and keeps nothing.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks import overhead
from benchmarks.results import Spread
from benchmarks.timed import WITHOUT_METRICS
from generator.models import EMOJI
from lookalike import tracing

_SIDE: Final = 256
_WARM: Final = 20  # jobs of each that are not counted
_CALLS: Final = 100_000
_SPANS: Final = 10
"""Of a synchronous job: the request, five transactions, the job, its batch, steps and decoding."""


@contextmanager
def _collecting() -> Iterator[str]:
    """Where a collector is while this lasts, in which something has to come.

    Raises:
        RuntimeError: nothing came.
    """
    command = [sys.executable, "-m", "benchmarks.collector"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as collector:
        assert collector.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(collector.stdout.readline())}"
        finally:
            collector.terminate()
        if not collector.stdout.read():
            raise RuntimeError("Nothing was traced. Is lookalike[telemetry] installed?")


def measure(jobs: int) -> list[tuple[str, str, str]]:
    """A job's overhead without any, with metrics, with both, and what each adds to it.

    Args:
        jobs: how many, of each.
    """
    found: tuple[list[float], ...] = [], [], []
    with (
        _collecting() as collector,
        overhead.serving(EMOJI, _SIDE, **{WITHOUT_METRICS: "1"}) as bare,
        overhead.serving(EMOJI, _SIDE) as usual,
        overhead.serving(EMOJI, _SIDE, OTEL_EXPORTER_OTLP_ENDPOINT=collector) as traced,
    ):
        ways = deque(zip((bare, usual, traced), found, strict=True))
        for _ in range(_WARM + jobs):
            ways.rotate()  # whoever comes later is faster
            for compute, taken in ways:
                taken.append(compute())
    without, counted, both = (taken[_WARM:] for taken in found)
    median = statistics.median(without)
    off = 1000 * _off() * _SPANS
    return [
        ("a job's overhead without metrics and traces", _in_words(without), ""),
        ("with metrics", _in_words(counted), ""),
        ("with metrics and traces", _in_words(both), ""),
        ("what metrics add, median of pairs", _added(without, counted, median), "3%"),
        ("what traces add, likewise", _added(counted, both, median), "3%"),
        ("what the code for traces takes where they are off", f"{off / median:.2%}", "0.1%"),
    ]


def _added(before: list[float], after: list[float], overhead: float) -> str:
    more = statistics.median(map(float.__sub__, after, before))
    return f"{more:.2f} ms, {more / overhead:.1%}"


def _off() -> float:
    """Seconds of a span that nobody is told of."""
    attributes = {"db.system.name": "sqlite"}
    began = time.perf_counter()
    for _ in range(_CALLS):
        with tracing.span("transaction", attributes) as span:
            span.set("number", 1)
    return (time.perf_counter() - began) / _CALLS


def _in_words(milliseconds: list[float]) -> str:
    spread = Spread.of(milliseconds)
    return f"median {spread.median:.1f} ms, fastest {spread.least:.1f} ms"


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.telemetry")
    parser.add_argument("--jobs", type=int, default=300, help="of each")
    told = parser.parse_args()
    print(f"{os.cpu_count()} cores")
    for name, value, bar in measure(told.jobs):
        print(f"{name}: {value}{f' (bar: {bar})' if bar else ''}")


if __name__ == "__main__":
    _main()
