"""The generator as a service that also says how long the model itself took for each picture.

`benchmarks.overhead` starts it as it would start the generator, by its module's name.
"""

import runpy
import sys
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from generator.diffusion.pipeline import Pipeline

SAYS = "The model took"

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
    runpy.run_module("generator", run_name="__main__", alter_sys=True)
