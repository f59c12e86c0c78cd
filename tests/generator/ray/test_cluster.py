"""Real Ray: two nodes, a replica on each, and what is killed in the middle of a job."""

import asyncio
import contextlib
import io
from collections.abc import AsyncGenerator, Generator, Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from lxml import etree
from PIL import Image

from generator.diffusion.options import Options
from generator.executors.inprocess import InProcessExecutor
from generator.executors.ray import RayExecutor
from generator.observers import LogObserver
from generator.tasks import CancelToken, InitImage, NotTaken, Outcome, Picture, Step, Task
from tests.collector import SENT, Collector, collecting, traced
from tests.generator import tiny
from tests.generator.drawing import ignore
from tests.generator.ray.cluster import TOKEN, Cluster
from tests.generator.stack import XML, job, serving
from tests.waiting import eventually, until

_START_SECONDS = 300
"""On a machine that others keep busy; else it takes 15."""

pytestmark = [
    pytest.mark.filterwarnings(tiny.NUMPY_WARNING),
    pytest.mark.slow,
    pytest.mark.scale,
    pytest.mark.ray,
    pytest.mark.timeout(2 * _START_SECONDS),
]

_TASK = Task("a cat", "", tiny.SIDE, tiny.SIDE, 150, 7.5, 7)
"""It takes a second, and on a busy machine many."""

_JOBS = 4


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def collector() -> Generator[Collector, None, None]:
    """Of what replicas trace."""
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def cluster(model: Path, collector: Collector) -> Generator[Cluster, None, None]:
    made = Cluster(model, **collector.environment)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
async def executor(cluster: Cluster) -> AsyncGenerator[RayExecutor]:
    made = RayExecutor(cluster.url, TOKEN, [LogObserver()])
    try:
        await _both(made)
        yield made
    finally:
        await made.close()


async def _both(executor: RayExecutor) -> None:
    """Waits for both replicas."""
    async with asyncio.timeout(_START_SECONDS):
        while True:
            with contextlib.suppress(NotTaken):
                if await executor.look() == 2:
                    return
            await asyncio.sleep(0.5)


async def test_the_same_bytes_as_in_process(
    executor: RayExecutor, cluster: Cluster, model: Path
) -> None:
    levels = np.random.default_rng(1).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    init = InitImage(file.getvalue(), 0.55)
    tasks = [
        Task("a cat", "blurry", tiny.SIDE, tiny.SIDE, 20, 7.3, seed, init=init) for seed in range(2)
    ]
    expected = await _here(model, tasks)
    await executor.load()
    steps: list[Step] = []
    assert await executor.run(tasks, steps.append, [CancelToken() for _ in tasks]) == expected
    assert [step.number for step in steps if step.task == 1] == list(range(1, 12))
    assert cluster.logs_with(TOKEN) == []


async def test_a_replica_goes_on_with_the_trace(
    executor: RayExecutor,
    collector: Collector,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with traced(monkeypatch) as here:
        async with serving(tmp_path, executor) as stack:
            identity = uuid4()
            await stack.client.put(
                f"/v1/jobs/{identity}",
                content=job(steps=3, width=tiny.SIDE, height=tiny.SIDE),
                headers=XML | {"traceparent": SENT},
            )
            await stack.reach(identity, "finished")
        await until(lambda: bool(collector.named("paint")))
    (batch,), (paint,) = here.named("batch"), collector.named("paint")
    assert (paint.service, paint.trace, paint.parent) == ("painter", batch.trace, batch.id)
    assert batch.trace == SENT[3:35]


@pytest.mark.parametrize("victim", ["replica", "node"])
async def test_what_is_killed_costs_its_job_one_attempt_and_nothing_is_there_twice(
    executor: RayExecutor, cluster: Cluster, model: Path, tmp_path: Path, victim: str
) -> None:
    (expected,) = await _here(model, [_TASK])
    assert isinstance(expected, Picture)
    body = job(
        _TASK.prompt,
        width=_TASK.width,
        height=_TASK.height,
        steps=_TASK.steps,
        seed=_TASK.seed,
        guidance=_TASK.guidance_scale,
    )
    async with serving(tmp_path, executor) as stack:
        ids = [await stack.put(body) for _ in range(_JOBS)]

        async def both_compute() -> bool | None:
            return sum(each.step > 0 for each in stack.generator.progress.jobs) == 2 or None

        await eventually(both_compute, seconds=_START_SECONDS)
        if victim == "replica":
            cluster.replicas()[0].kill()
        else:
            cluster.kill_the_second_node()

        async def finished() -> Sequence[etree._Element] | None:
            found = [await stack.get(each) for each in ids]
            return found if all(each.get("state") == "finished" for each in found) else None

        told = await eventually(finished, seconds=_START_SECONDS)
        assert sorted(each.get("attempt", "") for each in told) == [*["1"] * (_JOBS - 1), "2"]
        for each in ids:
            picture = await stack.client.get(f"/v1/jobs/{each}/image")
            assert picture.content == expected.png
        assert len(stack.images) == _JOBS


async def _here(model: Path, tasks: Sequence[Task]) -> Sequence[Outcome]:
    """What is computed in this process."""
    executor = InProcessExecutor(str(model), Options("cpu"))
    await executor.load()
    try:
        return await executor.run(tasks, ignore, [CancelToken() for _ in tasks])
    finally:
        await executor.close()
