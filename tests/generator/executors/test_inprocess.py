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

from generator.diffusion.options import Options
from generator.executors.base import Executor
from generator.executors.inprocess import InProcessExecutor
from generator.tasks import (
    Cancelled,
    CancelToken,
    OnStep,
    Outcome,
    Picture,
    SafetyRejected,
    Step,
    Task,
)
from lookalike.errors import StartError
from tests.generator import tiny
from tests.generator.drawing import ignore

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]

TASK = Task("a cat", "", tiny.SIDE, tiny.SIDE, 4, 7.5, 1)

_T = TypeVar("_T")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny.save(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture
async def executor(model: str) -> AsyncIterator[Executor]:
    made = InProcessExecutor(model, Options("cpu"))
    await made.load()
    yield made
    await made.close()


async def run(
    executor: Executor,
    task: Task = TASK,
    on_step: OnStep = ignore,
    token: CancelToken | None = None,
) -> Outcome:
    (outcome,) = await executor.run([task], on_step, [token or CancelToken()])
    return outcome


async def draw(executor: Executor, task: Task = TASK) -> Picture:
    outcome = await run(executor, task)
    assert isinstance(outcome, Picture)
    return outcome


async def turns_during(work: Awaitable[_T]) -> tuple[_T, int]:
    """What `work` gives, and how often another coroutine had its turn meanwhile."""
    running = asyncio.ensure_future(work)
    turns = 0
    while not running.done():
        await asyncio.sleep(0.001)
        turns += 1
    return await running, turns


async def test_the_loop_goes_on_while_a_model_loads(model: str) -> None:
    executor = InProcessExecutor(model, Options("cpu"))
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
    await run(executor, TASK, lambda step: reports.append((step.number, threading.get_ident())))
    assert reports == [(step, here) for step in range(1, TASK.steps + 1)]


async def test_a_task_is_cancelled_from_the_loop(executor: Executor) -> None:
    before = await draw(executor)
    token = CancelToken()
    steps: list[int] = []

    def on_step(step: Step) -> None:
        steps.append(step.number)
        token.cancel()

    outcome = await run(executor, replace(TASK, steps=150), on_step, token)
    assert isinstance(outcome, Cancelled)
    assert len(steps) < 150
    assert await draw(executor) == before


async def test_who_stops_waiting_cancels_the_task(executor: Executor) -> None:
    started = asyncio.Event()
    token = CancelToken()
    waiting = asyncio.create_task(
        run(executor, replace(TASK, steps=150), lambda _: started.set(), token)
    )
    await started.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert token.cancelled
    assert (await draw(executor)).png


async def test_tasks_run_one_at_a_time(executor: Executor) -> None:
    order: list[str] = []

    async def named(name: str) -> None:
        await run(executor, TASK, lambda _: order.append(name))

    await asyncio.gather(named("first"), named("second"))
    assert order == ["first"] * TASK.steps + ["second"] * TASK.steps


async def test_a_refusal_reaches_the_caller(tmp_path: Path) -> None:
    executor = InProcessExecutor(str(tiny.save(tmp_path, "everything")), Options("cpu"))
    await executor.load()
    assert isinstance(await run(executor), SafetyRejected)
    await executor.close()


async def test_a_missing_model_reaches_the_caller(tmp_path: Path) -> None:
    executor = InProcessExecutor(str(tmp_path / "nothing"), Options("cpu"))
    with pytest.raises(StartError, match="no such file or folder"):
        await executor.load()
    await executor.close()


async def test_close_waits_for_the_running_task(model: str) -> None:
    executor = InProcessExecutor(model, Options("cpu"))
    await executor.load()
    started = asyncio.Event()
    token = CancelToken()
    running = asyncio.create_task(
        run(executor, replace(TASK, steps=150), lambda _: started.set(), token)
    )
    await started.wait()
    token.cancel()
    await executor.close()
    assert isinstance(await running, Cancelled)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pipeline")]


async def test_an_executor_that_never_loaded_can_be_closed() -> None:
    await InProcessExecutor("emoji", Options("cpu")).close()


@pytest.mark.long
def test_the_libraries_keep_quiet(tmp_path: Path) -> None:
    """In a process of its own, as they read their settings when they are imported."""
    code = """
import asyncio, json, sys
from generator.diffusion.options import Options
from generator.executors.inprocess import InProcessExecutor
from generator.tasks import CancelToken, Task

async def main(model):
    executor = InProcessExecutor(model, Options("cpu"))
    info = await executor.load()
    task = Task("word " * 200, "word " * 200, info.width, info.height, 2, 7.5, 1)
    (outcome,) = await executor.run([task], lambda _: None, [CancelToken()])
    await executor.close()
    return [info.name, type(outcome).__name__]

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
    assert json.loads(done.stdout) == ["strict", "SafetyRejected"]
    assert done.stderr == ""
    assert not (tmp_path / "home").exists()
