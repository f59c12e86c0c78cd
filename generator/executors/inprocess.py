"""Computes pictures in one thread of this process."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from generator import models
from generator.executors.base import ModelInfo, Picture, Task

if TYPE_CHECKING:
    from generator.pipeline import Pipeline

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


class InProcessExecutor:
    """An `Executor` with a pipeline of its own.

    Torch and diffusers are imported in its thread by `load`, so that making one costs nothing
    and the event loop goes on meanwhile.

    Args:
        model: `GENERATOR_MODEL`.
        device: `GENERATOR_DEVICE`.
    """

    def __init__(self, model: str, device: str) -> None:
        self._model = model
        self._device = device
        self._pipeline: Pipeline | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pipeline")

    async def load(self) -> ModelInfo:
        """Loads the model; see `Executor.load`."""
        loop = asyncio.get_running_loop()
        self._pipeline = await loop.run_in_executor(self._thread, self._load)
        return self._pipeline.info

    def _load(self) -> "Pipeline":
        source = models.find(self._model)  # before seconds go into imports
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        from generator.pipeline import Pipeline

        return Pipeline(source, self._device)

    async def run(
        self, task: Task, on_step: Callable[[int], None], cancelled: threading.Event
    ) -> Picture:
        """Computes one picture; see `Executor.run`.

        Whoever stops waiting for it cancels it: `cancelled` is set when this call is cancelled.
        """
        if self._pipeline is None:
            raise RuntimeError("load() comes before run()")
        loop = asyncio.get_running_loop()

        def report(step: int) -> None:
            loop.call_soon_threadsafe(on_step, step)

        try:
            return await loop.run_in_executor(
                self._thread, self._pipeline.run, task, report, cancelled
            )
        except asyncio.CancelledError:
            cancelled.set()
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
