"""What traces add to a job's overhead, and what their code costs where nothing is traced.

    python -m benchmarks.traces [--jobs 300]

Two generators with the small model, of which one traces, compute jobs in turns, one each, so that
both find the same machine. The collector is a process on it that takes all and keeps nothing.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks import overhead
from benchmarks.results import Spread
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
    """Milliseconds of a job's overhead without and with traces, and one as a part of the other.

    Args:
        jobs: how many, of each.
    """
    without, traced = list[float](), list[float]()
    with (
        _collecting() as collector,
        overhead.serving(EMOJI, _SIDE) as generate,
        overhead.serving(EMOJI, _SIDE, OTEL_EXPORTER_OTLP_ENDPOINT=collector) as generate_traced,
    ):
        for number in range(_WARM + jobs):
            ways = [(generate, without), (generate_traced, traced)]
            for compute, found in ways if number % 2 else reversed(ways):  # the second is faster
                found.append(compute())
    del without[:_WARM], traced[:_WARM]
    more = statistics.median(map(float.__sub__, traced, without))
    median = statistics.median(without)
    off = 1000 * _off() * _SPANS
    return [
        ("a job's overhead without traces", _in_words(without), ""),
        ("with traces", _in_words(traced), ""),
        ("what they add, median of pairs", f"{more:.2f} ms, {more / median:.1%}", "3%"),
        ("what the code for them takes where they are off", f"{off / median:.2%}", "0.1%"),
    ]


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
    parser = argparse.ArgumentParser(prog="python -m benchmarks.traces")
    parser.add_argument("--jobs", type=int, default=300, help="of each")
    told = parser.parse_args()
    print(f"{os.cpu_count()} cores")
    for name, value, bar in measure(told.jobs):
        print(f"{name}: {value}{f' (bar: {bar})' if bar else ''}")


if __name__ == "__main__":
    _main()
