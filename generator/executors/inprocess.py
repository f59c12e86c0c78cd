"""Computes pictures in one thread of this process."""

import asyncio
import gc
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from generator import models
from generator.diffusion.options import Options
from generator.tasks import BatchTimes, CancelToken, ModelInfo, OnStep, Outcome, Step, Task

if TYPE_CHECKING:
    from generator.diffusion.pipeline import Pipeline

_T = TypeVar("_T")

_CLOSE_SECONDS = 5.0
"""How long the thread may take to end a step before it is left behind."""

_QUIET = {
    "DIFFUSERS_VERBOSITY": "critical",
    "TRANSFORMERS_VERBOSITY": "critical",
    "HF_HUB_VERBOSITY": "critical",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
"""What the libraries read once, when they are imported; our own log says what matters."""


def quieten() -> None:
    """Keeps the libraries quiet; call it before the first of them is imported."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


class InProcessExecutor:
    """An `Executor` with a pipeline of its own.

    PyTorch and diffusers are imported in its thread by `load`, so that making one costs nothing
    and the event loop goes on meanwhile.

    Attributes:
        elsewhere: it computes here.
        lanes: one batch at a time.
        capacity: likewise; see `Executor.capacity`.
        changed: is never set.
    """

    elsewhere = False
    lanes = capacity = 1

    def __init__(self, model: str, options: Options) -> None:
        """An executor that has not loaded anything.

        Args:
            model: `GENERATOR_MODEL`.
            options: of its pipeline.
        """
        self.changed = asyncio.Event()
        self._model = model
        self._options = options
        self._pipeline: Pipeline | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pipeline")

    async def load(self) -> ModelInfo:
        """Loads the model; see `Executor.load`."""
        loop = asyncio.get_running_loop()
        self._pipeline = await loop.run_in_executor(self._thread, self._load)
        return self._pipeline.info

    def _load(self) -> "Pipeline":
        source = models.find(self._model)  # before the imports, which take seconds
        quieten()
        # The libraries' modules create a million objects that all stay: searching them for garbage
        # again and again is a fifth of the time that importing takes.
        gc.disable()
        try:
            from generator.diffusion.pipeline import Pipeline

            return Pipeline(source, self._options)
        finally:
            gc.freeze()
            gc.enable()

    async def measure(self, sizes: Sequence[int], token: CancelToken) -> BatchTimes | None:
        """Finds out which batches pay; see `Executor.measure`."""
        return await self._call([token], self._loaded().measure, sizes, token)

    async def free_memory(self) -> int:
        """Bytes that are free on its device; see `Executor.free_memory`."""
        return await self._call([], self._loaded().free_memory)

    async def run(
        self, tasks: Sequence[Task], on_step: OnStep, tokens: Sequence[CancelToken]
    ) -> list[Outcome]:
        """Computes pictures together; see `Executor.run`."""
        loop = asyncio.get_running_loop()

        def report(step: Step) -> None:
            loop.call_soon_threadsafe(on_step, step)

        return await self._call(tokens, self._loaded().run, tasks, report, tokens)

    def _loaded(self) -> "Pipeline":
        if self._pipeline is None:
            raise RuntimeError("load() comes first")
        return self._pipeline

    async def _call(
        self, tokens: Iterable[CancelToken], call: Callable[..., _T], *arguments: object
    ) -> _T:
        """Calls the pipeline in its thread; whoever stops waiting for it cancels what it does."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, call, *arguments)
        except asyncio.CancelledError:
            for token in tokens:
                token.cancel()
            raise

    async def close(self) -> None:
        """Waits a few seconds until nothing runs any more; see `Executor.close`.

        A load is left behind at once: it holds nothing that could be half-written.
        """
        idle = False
        if self._pipeline is not None:
            loop = asyncio.get_running_loop()
            last = loop.run_in_executor(self._thread, threading.Event)  # its turn comes last
            idle = bool((await asyncio.wait({last}, timeout=_CLOSE_SECONDS))[0])
        self._thread.shutdown(wait=idle, cancel_futures=True)
        self._pipeline = None
