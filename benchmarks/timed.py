"""The generator as a service that also says how long the model itself took for each picture.

`benchmarks.overhead` starts it as it would start the generator, by its module's name.
"""

import os
import runpy
import sys
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from generator import server
from generator.diffusion.pipeline import Pipeline
from generator.observers import Observer

SAYS = "The model took"

WITHOUT_METRICS = "BENCHMARK_WITHOUT_METRICS"
"""A variable: if it is set, nothing is counted."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _timed(call: Callable[_P, _T]) -> Callable[_P, _T]:
    def timed(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        began = time.perf_counter()
        try:
            return call(*args, **kwargs)
        finally:
            print(SAYS, time.perf_counter() - began, file=sys.stderr, flush=True)

    return timed


if __name__ == "__main__":
    Pipeline.sample = _timed(Pipeline.sample)  # type: ignore[method-assign] # the service is not to know
    Pipeline.decode = _timed(Pipeline.decode)  # type: ignore[method-assign] # likewise
    if WITHOUT_METRICS in os.environ:
        vars(server).update(
            MetricsObserver=lambda _registry: Observer(), transaction_seconds=lambda _registry: None
        )
    runpy.run_module("generator", run_name="__main__", alter_sys=True)
