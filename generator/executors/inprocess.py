"""Computes pictures in one thread of this process."""

import asyncio
import gc
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from generator import models
from generator.executors.base import ModelInfo, OnStep, Outcome, Previews, Speeds, Task

if TYPE_CHECKING:
    from generator.pipeline import Pipeline

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
"""What the libraries read once, when they are imported: our log says what there is to say."""


def quieten() -> None:
    """Has the libraries keep quiet; to be called before the first of them is imported."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


class InProcessExecutor:
    """An `Executor` with a pipeline of its own.

    Torch and diffusers are imported in its thread by `load`, so that making one costs nothing
    and the event loop goes on meanwhile.
    """

    def __init__(
        self,
        model: str,
        device: str,
        *,
        lcm_lora: Path | None = None,
        previews: Previews = "0",
    ) -> None:
        """An executor that has not loaded anything.

        Args:
            model: `GENERATOR_MODEL`.
            device: `GENERATOR_DEVICE`.
            lcm_lora: the weights that the preset `fast` needs; None: there are none.
            previews: `GENERATOR_PREVIEWS`.
        """
        self._model = model
        self._device = device
        self._lcm_lora = lcm_lora
        self._previews = previews
        self._pipeline: Pipeline | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pipeline")

    async def load(self) -> ModelInfo:
        """Loads the model; see `Executor.load`."""
        loop = asyncio.get_running_loop()
        self._pipeline = await loop.run_in_executor(self._thread, self._load)
        return self._pipeline.info

    def _load(self) -> "Pipeline":
        source = models.find(self._model)  # before seconds go into imports
        quieten()
        # The libraries' modules make a million objects that all stay: looking through them for
        # garbage, again and again, is a fifth of the time to import them.
        gc.disable()
        try:
            from generator.pipeline import Options, Pipeline

            return Pipeline(source, Options(self._device, self._lcm_lora, self._previews))
        finally:
            gc.freeze()
            gc.enable()

    async def measure(self, sizes: Sequence[int], cancelled: threading.Event) -> Speeds | None:
        """Finds out which batches pay; see `Executor.measure`."""
        return await self._call([cancelled], self._loaded().measure, sizes, cancelled)

    async def run(
        self, tasks: Sequence[Task], on_step: OnStep, cancelled: Sequence[threading.Event]
    ) -> list[Outcome]:
        """Computes pictures together; see `Executor.run`."""
        loop = asyncio.get_running_loop()

        def report(index: int, step: int, preview: bytes | None) -> None:
            loop.call_soon_threadsafe(on_step, index, step, preview)

        return await self._call(cancelled, self._loaded().run, tasks, report, cancelled)

    def _loaded(self) -> "Pipeline":
        if self._pipeline is None:
            raise RuntimeError("load() comes first")
        return self._pipeline

    async def _call(
        self, cancelled: Iterable[threading.Event], call: Callable[..., _T], *arguments: object
    ) -> _T:
        """Calls the pipeline in its thread; whoever stops waiting for it cancels what it does."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, call, *arguments)
        except asyncio.CancelledError:
            for event in cancelled:
                event.set()
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
