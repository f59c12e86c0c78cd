"""A pipeline that draws at once, until a file tells it where to hang. It hangs there once."""

import io
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from generator.tasks import BatchTimes, CancelToken, ModelInfo, OnStep, Outcome, Picture, Step, Task
from lookalike.blobs.local import LocalBlobs
from lookalike.transactions import Transactional

_FILE = Path(os.environ["TEST_HANG_FILE"])


def _hang(*_arguments: object) -> Any:
    threading.Event().wait()


def _is_wanted(where: str) -> bool:
    wanted = _FILE.exists() and _FILE.read_text() == where
    if wanted:
        _FILE.unlink()
    return wanted


class Pipeline:
    """Draws one picture for everybody."""

    def __init__(self, *_arguments: object) -> None:
        self.info = ModelInfo("scripted", 64, 64)

    def run(
        self, tasks: Sequence[Task], on_step: OnStep, _tokens: Sequence[CancelToken]
    ) -> list[Outcome]:
        for number in range(1, tasks[0].steps + 1):
            if number == 2 and _is_wanted("in a step"):
                _hang()
            for task in range(len(tasks)):
                on_step(Step(task, number))
        if _is_wanted("in decoding"):
            _hang()
        if _is_wanted("in storing"):
            setattr(LocalBlobs, "_publish", _hang)  # noqa: B010, the type checker minds otherwise
        if _is_wanted("in recording"):
            setattr(Transactional, "_attempt", _hang)  # noqa: B010, likewise
        return [Picture(_png(), task.width, task.height) for task in tasks]

    def measure(self, _sizes: Sequence[int], _token: CancelToken) -> BatchTimes:
        return BatchTimes()

    def free_memory(self) -> int:
        return 0


def _png() -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(file, "PNG")
    return file.getvalue()
