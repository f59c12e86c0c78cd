"""The in-process executor: a thread beside an event loop that goes on."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from generator.executors.base import Cancelled, Executor, Picture, Refused, Task
from generator.executors.inprocess import InProcessExecutor
from lookalike.errors import StartError
from tests.generator import tiny

pytestmark = pytest.mark.filterwarnings(tiny.NUMPY_WARNING)

TASK = Task("a cat", "", tiny.SIDE, tiny.SIDE, 4, 7.5, 1)

_T = TypeVar("_T")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny.save(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture
async def executor(model: str) -> AsyncIterator[Executor]:
    made = InProcessExecutor(model, "cpu")
    await made.load()
    yield made
    await made.close()


async def draw(executor: Executor, task: Task = TASK) -> Picture:
    return await executor.run(task, lambda _step: None, threading.Event())


async def turns_during(work: Awaitable[_T]) -> tuple[_T, int]:
    """What `work` gives, and how often another coroutine had its turn meanwhile."""
    running = asyncio.ensure_future(work)
    turns = 0
    while not running.done():
        await asyncio.sleep(0.001)
        turns += 1
    return await running, turns


async def test_the_loop_goes_on_while_a_model_loads(model: str) -> None:
    executor = InProcessExecutor(model, "cpu")
    info, turns = await turns_during(executor.load())
    await executor.close()
    assert info.name == "tiny"
    assert turns > 1


async def test_the_loop_goes_on_while_a_picture_is_computed(executor: Executor) -> None:
    _, turns = await turns_during(draw(executor, replace(TASK, steps=50)))
    assert turns > 10


async def test_steps_are_reported_on_the_loop_and_before_the_picture(executor: Executor) -> None:
    here = threading.get_ident()
    reports: list[tuple[int, int]] = []
    await executor.run(
        TASK, lambda step: reports.append((step, threading.get_ident())), threading.Event()
    )
    assert reports == [(step, here) for step in range(1, TASK.steps + 1)]


async def test_a_task_is_cancelled_from_the_loop(executor: Executor) -> None:
    before = await draw(executor)
    cancelled = threading.Event()
    steps: list[int] = []

    def on_step(step: int) -> None:
        steps.append(step)
        cancelled.set()

    with pytest.raises(Cancelled):
        await executor.run(replace(TASK, steps=150), on_step, cancelled)
    assert len(steps) < 150
    assert await draw(executor) == before


async def test_who_stops_waiting_cancels_the_task(executor: Executor) -> None:
    started = asyncio.Event()
    cancelled = threading.Event()
    waiting = asyncio.create_task(
        executor.run(replace(TASK, steps=150), lambda _step: started.set(), cancelled)
    )
    await started.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert cancelled.is_set()
    assert (await draw(executor)).png


async def test_tasks_run_one_at_a_time(executor: Executor) -> None:
    order: list[str] = []

    async def run(name: str) -> None:
        await executor.run(TASK, lambda _step: order.append(name), threading.Event())

    await asyncio.gather(run("first"), run("second"))
    assert order == ["first"] * TASK.steps + ["second"] * TASK.steps


async def test_a_refusal_reaches_the_caller(tmp_path: Path) -> None:
    executor = InProcessExecutor(str(tiny.save(tmp_path, "everything")), "cpu")
    await executor.load()
    with pytest.raises(Refused):
        await draw(executor)
    await executor.close()


async def test_a_missing_model_reaches_the_caller(tmp_path: Path) -> None:
    executor = InProcessExecutor(str(tmp_path / "nothing"), "cpu")
    with pytest.raises(StartError, match="no such file or folder"):
        await executor.load()
    await executor.close()


async def test_close_waits_for_the_running_task(model: str) -> None:
    executor = InProcessExecutor(model, "cpu")
    await executor.load()
    started = asyncio.Event()
    cancelled = threading.Event()
    running = asyncio.create_task(
        executor.run(replace(TASK, steps=150), lambda _step: started.set(), cancelled)
    )
    await started.wait()
    cancelled.set()
    await executor.close()
    with pytest.raises(Cancelled):
        await running
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pipeline")]


async def test_an_executor_that_never_loaded_can_be_closed() -> None:
    await InProcessExecutor("emoji", "cpu").close()


def test_the_libraries_keep_quiet(tmp_path: Path) -> None:
    """In a process of its own, as they read their settings when they are imported."""
    code = """
import asyncio, json, sys, threading
from generator.executors.base import Refused, Task
from generator.executors.inprocess import InProcessExecutor

async def main(model):
    executor = InProcessExecutor(model, "cpu")
    info = await executor.load()
    task = Task("word " * 200, "word " * 200, info.width, info.height, 2, 7.5, 1)
    try:
        picture = await executor.run(task, lambda step: None, threading.Event())
        size = len(picture.png)
    except Refused:
        size = 0
    await executor.close()
    return [info.name, size]

print(json.dumps(asyncio.run(main(sys.argv[1]))))
"""
    model = tiny.save(tmp_path / "strict", "everything")
    done = subprocess.run(
        [sys.executable, "-c", code, str(model)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")},
    )
    assert json.loads(done.stdout) == ["strict", 0]
    assert done.stderr == ""
    assert not (tmp_path / "home").exists()
