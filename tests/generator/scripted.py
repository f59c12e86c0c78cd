"""An executor that does what a test says, step by step: a fake at the worker's seam."""

import asyncio
import threading
from collections.abc import Callable

from generator.executors.base import Cancelled, ModelInfo, Picture, Task
from lookalike.errors import StartError

MODEL = ModelInfo("scripted", 64, 72)


def png_of(task: Task) -> bytes:
    """What the scripted executor paints: bytes that tell the task."""
    return b"\x89PNG\r\n\x1a\n" + repr(task).encode()


class ScriptedExecutor:
    """Waits before each step until the test lets it go on; `go()` lets all go on from now on."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.endings: list[Exception] = []
        self.deaf = False
        self.loadable = asyncio.Event()
        self.loadable.set()
        self.load_error: StartError | None = None
        self._steps = asyncio.Semaphore(0)
        self._free = False

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            self._steps.release()

    def go(self) -> None:
        self._free = True
        self._steps.release()

    async def load(self) -> ModelInfo:
        await self.loadable.wait()
        if self.load_error is not None:
            raise self.load_error
        return MODEL

    async def run(
        self, task: Task, on_step: Callable[[int], None], cancelled: threading.Event
    ) -> Picture:
        self.tasks.append(task)
        for step in range(1, task.steps + 1):
            await self._permission(cancelled)
            if cancelled.is_set() and not self.deaf:
                raise Cancelled
            on_step(step)
        if self.endings:
            raise self.endings.pop(0)
        return Picture(png_of(task), task.width, task.height)

    async def _permission(self, cancelled: threading.Event) -> None:
        while not self._free and (self.deaf or not cancelled.is_set()):
            try:
                async with asyncio.timeout(0.01):
                    await self._steps.acquire()
            except TimeoutError:
                continue
            return

    async def close(self) -> None:
        return
