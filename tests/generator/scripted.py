"""An executor that does what a test says, step by step: a fake at the worker's seam."""

import asyncio
from collections.abc import Sequence

from generator.tasks import (
    BatchTimes,
    Cancelled,
    CancelToken,
    ModelInfo,
    OnStep,
    Outcome,
    Picture,
    SafetyRejected,
    Step,
    Task,
    TaskError,
)
from lookalike.errors import StartError

MODEL = ModelInfo(
    "scripted",
    64,
    72,
    dial={"twin": 0.3, "sibling": 0.5, "cousin": 0.75},
    sizes=((64, 72), (96, 48), (48, 96)),
)


def png_of(task: Task) -> bytes:
    """What the scripted executor draws: bytes that tell the task."""
    return b"\x89PNG\r\n\x1a\n" + repr(task).encode()


class ScriptedExecutor:
    """Waits before each step until the test lets it go on; `go()` lets all, until `hold()`.

    Attributes:
        elsewhere: whether it is said to compute in other processes.
        lanes: how many batches it is said to compute at once.
        capacity: how many it takes.
        changed: set it after a change of that.
        tasks: all that were begun.
        batches: how many tasks each run had.
        poison: the prompt of a task that breaks every run that it is in.
        endings: how the next tasks end instead of with a picture, in their order.
        deaf: it hears of no cancellation.
        loadable: clear it to have a load wait.
        load_error: how the load ends.
        info: what was loaded.
        batch_times: what a measurement finds.
        free_bytes: of memory.
        measurable: clear it to have a measurement wait.
        measurements: how many were begun.
        previews: what is shown after a step, by the step's number.
    """

    def __init__(self, capacity: int = 1) -> None:
        self.elsewhere = False
        self.lanes = self.capacity = capacity
        self.changed = asyncio.Event()
        self.tasks: list[Task] = []
        self.endings: list[Exception] = []
        self.poison: str | None = None
        self.deaf = False
        self.loadable = asyncio.Event()
        self.loadable.set()
        self.load_error: StartError | None = None
        self.info = MODEL
        self.batches: list[int] = []
        self.batch_times = BatchTimes()
        self.free_bytes = 2**40
        self.measurable = asyncio.Event()
        self.measurable.set()
        self.measurements = 0
        self.previews: dict[int, bytes] = {}
        self._steps = asyncio.Semaphore(0)
        self._free = False

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            self._steps.release()

    def go(self) -> None:
        self._free = True
        self._steps.release()

    def hold(self) -> None:
        self._free = False

    async def load(self) -> ModelInfo:
        await self.loadable.wait()
        if self.load_error is not None:
            raise self.load_error
        return self.info

    async def measure(self, sizes: Sequence[int], token: CancelToken) -> BatchTimes | None:
        assert tuple(sizes[:2]) == (1, 2)
        self.measurements += 1
        while not self.measurable.is_set():
            if token.cancelled and not self.deaf:
                return None
            await asyncio.sleep(0.001)
        return self.batch_times

    async def free_memory(self) -> int:
        return self.free_bytes

    async def run(
        self, tasks: Sequence[Task], on_step: OnStep, tokens: Sequence[CancelToken]
    ) -> list[Outcome]:
        self.tasks.extend(tasks)
        self.batches.append(len(tasks))
        ended: set[int] = set()
        for step in range(1, tasks[0].computed_steps + 1):
            await self._permission(tokens)
            if not self.deaf:
                ended.update(number for number, token in enumerate(tokens) if token.cancelled)
            going = [number for number in range(len(tasks)) if number not in ended]
            if not going:
                break
            for number in going:
                on_step(Step(number, step, self.previews.get(step)))
        if self.poison in [task.prompt for task in tasks]:
            raise RuntimeError("poisoned")
        return [
            Cancelled() if number in ended else self._end(task) for number, task in enumerate(tasks)
        ]

    def _end(self, task: Task) -> Outcome:
        ending = self.endings.pop(0) if self.endings else None
        if ending is None:
            return Picture(png_of(task), task.width, task.height)
        if isinstance(ending, SafetyRejected | TaskError):
            return ending
        raise ending

    async def _permission(self, tokens: Sequence[CancelToken]) -> None:
        while not self._free and (self.deaf or not all(token.cancelled for token in tokens)):
            try:
                async with asyncio.timeout(0.01):
                    await self._steps.acquire()
            except TimeoutError:
                continue
            return

    async def close(self) -> None:
        return
