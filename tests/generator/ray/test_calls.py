"""What asks Ray Serve against what replicas run, over real HTTP; Ray itself is not there."""

import asyncio
import io
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import aiohttp
import pytest

from generator.executors import wire
from generator.executors.ray import RayExecutor
from generator.tasks import (
    BatchTimes,
    Cancelled,
    CancelToken,
    ComputerLost,
    InitImage,
    NotTaken,
    OnStep,
    Outcome,
    Picture,
    SafetyRejected,
    Step,
    Task,
    TaskError,
)
from lookalike.errors import StartError
from tests.generator.ray.proxy import Listener, Proxy, asking, proxied
from tests.generator.scripted import MODEL, ScriptedExecutor, png_of
from tests.generator.stack import TOKEN
from tests.waiting import eventually

TASK = Task("a cat", "a dog", 64, 72, 5, 7.5, 2**63 - 1)


@pytest.fixture
def replica() -> ScriptedExecutor:
    return ScriptedExecutor()


@pytest.fixture
async def proxy(replica: ScriptedExecutor) -> AsyncGenerator[Proxy]:
    async with proxied(replica) as started:
        yield started
        replica.go()  # should it be deaf


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def executor(proxy: Proxy, listener: Listener) -> AsyncGenerator[RayExecutor]:
    async with asking(proxy, listener) as made:
        yield made


class _Steps:
    """The steps that were told, and the wait for one."""

    def __init__(self) -> None:
        self.told: list[Step] = []

    def __call__(self, step: Step) -> None:
        self.told.append(step)

    async def reach(self, number: int) -> None:
        async def reached() -> bool | None:
            return any(step.number >= number for step in self.told) or None

        await eventually(reached)


def _begin(
    executor: RayExecutor,
    *tasks: Task,
    on_step: OnStep,
    tokens: Sequence[CancelToken] | None = None,
) -> asyncio.Task[list[Outcome]]:
    tokens = tokens or [CancelToken() for _ in tasks]
    return asyncio.create_task(executor.run(tasks, on_step, tokens))


async def _idle(proxy: Proxy) -> None:
    """Nothing is computed there any more."""

    async def is_idle() -> bool | None:
        return None if proxy.painter._turn.locked() else True

    await eventually(is_idle)


async def test_a_batch_goes_there_and_its_steps_previews_and_pictures_come_back(
    executor: RayExecutor, replica: ScriptedExecutor
) -> None:
    init = InitImage(b"\x89PNG" + bytes(range(256)) * 5000, 1 / 3)
    tasks = [TASK, replace(TASK, prompt="ein Hündchen \N{DOG FACE}\n", seed=0)]
    tasks = [replace(task, steps=15, guidance_scale=0.1, init=init) for task in tasks]
    replica.previews[2] = b"\xff\xd8 a preview"
    replica.go()
    steps = _Steps()
    outcomes = await _begin(executor, *tasks, on_step=steps)
    assert replica.tasks == tasks
    assert outcomes == [Picture(png_of(task), 64, 72) for task in tasks]
    expected = [
        Step(n, number, replica.previews.get(number)) for number in range(1, 6) for n in (0, 1)
    ]
    assert steps.told == [Step(0, 0), *expected]
    assert await executor.free_memory() == replica.free_bytes


async def test_how_tasks_end_without_a_picture(
    executor: RayExecutor, replica: ScriptedExecutor
) -> None:
    replica.endings = [SafetyRejected(), TaskError("Too large.")]
    replica.go()
    refused, failed = await _begin(executor, TASK, TASK, on_step=_Steps())
    assert isinstance(refused, SafetyRejected)
    assert isinstance(failed, TaskError)
    assert str(failed) == "Too large."


async def test_one_of_a_batch_is_cancelled_and_the_others_go_on(
    executor: RayExecutor, replica: ScriptedExecutor
) -> None:
    steps, tokens = _Steps(), [CancelToken(), CancelToken()]
    running = _begin(executor, TASK, replace(TASK, seed=1), on_step=steps, tokens=tokens)
    replica.step(2)
    await steps.reach(2)
    tokens[0].cancel()
    await asyncio.sleep(0.2)
    replica.go()
    cancelled, picture = await running
    assert isinstance(cancelled, Cancelled)
    assert picture == Picture(png_of(replace(TASK, seed=1)), 64, 72)
    assert [step.number for step in steps.told if step.task == 0] == [0, 1, 2]


async def test_who_cancels_all_waits_for_nobody_and_ends_the_computation_within_a_step(
    executor: RayExecutor, replica: ScriptedExecutor, proxy: Proxy
) -> None:
    steps, token = _Steps(), CancelToken()
    replica.deaf = True  # it is in the middle of a long step
    running = _begin(executor, TASK, on_step=steps, tokens=[token])
    replica.step(2)
    await steps.reach(2)
    token.cancel()
    (outcome,) = await running
    assert isinstance(outcome, Cancelled)
    replica.deaf = False
    await _idle(proxy)
    assert max(step.number for step in steps.told) == 2


@pytest.mark.parametrize("how", ["the caller", "the connection"])
async def test_what_nobody_waits_for_ends(
    executor: RayExecutor, replica: ScriptedExecutor, proxy: Proxy, how: str
) -> None:
    steps = _Steps()
    running = _begin(executor, TASK, on_step=steps)
    replica.step(1)
    await steps.reach(1)
    if how == "the caller":
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    else:
        proxy.drop()
        with pytest.raises(ComputerLost):
            await running
    await _idle(proxy)
    replica.go()
    assert await _begin(executor, TASK, on_step=steps) == [Picture(png_of(TASK), 64, 72)]


async def test_a_replica_computes_one_batch_at_a_time_and_a_second_one_waits_for_its_turn(
    executor: RayExecutor, replica: ScriptedExecutor, proxy: Proxy
) -> None:
    assert (executor.lanes, executor.capacity) == (1, 2)
    first, second = _Steps(), _Steps()
    one = _begin(executor, TASK, on_step=first)
    await first.reach(0)
    two = _begin(executor, replace(TASK, seed=1), on_step=second)

    async def connected() -> bool | None:
        return proxy.connections >= 2 or None

    await eventually(connected)
    replica.step(5)
    await one
    await second.reach(0)
    assert [step.number for step in first.told] == [0, 1, 2, 3, 4, 5]
    replica.go()
    await two
    assert replica.batches == [1, 1]


async def test_who_leaves_before_its_turn_is_not_computed(
    executor: RayExecutor, replica: ScriptedExecutor, proxy: Proxy
) -> None:
    steps, token = _Steps(), CancelToken()
    one = _begin(executor, TASK, on_step=steps)
    await steps.reach(0)
    two = _begin(executor, TASK, on_step=_Steps(), tokens=[token])
    await asyncio.sleep(0.2)
    token.cancel()
    assert isinstance((await two)[0], Cancelled)
    replica.go()
    await one
    await _idle(proxy)
    assert replica.batches == [1]


async def test_a_fault_over_there_is_no_end_of_ours(
    executor: RayExecutor, replica: ScriptedExecutor
) -> None:
    replica.poison = "a cat"
    replica.go()
    with pytest.raises(ComputerLost, match="a replica failed: RuntimeError"):
        await _begin(executor, TASK, on_step=_Steps())
    assert executor.capacity == 2


async def test_the_model_and_what_batches_take_are_told(
    executor: RayExecutor, replica: ScriptedExecutor, proxy: Proxy
) -> None:
    model = await executor.ask_model()
    assert (model.name, model.width, model.dial) == (MODEL.name, 64, MODEL.dial)
    assert model.unavailable == {"fast": "It has no weights."}
    assert model.size(None, None, (1, 2)) == (48, 96)
    replica.batch_times = BatchTimes({1: 0.1, 2: 0.15}, 64 * 72, 1000)
    assert await executor.measure((1, 2, 4, 8), CancelToken()) == replica.batch_times
    replica.measurable.clear()
    token = CancelToken()
    measuring = asyncio.create_task(executor.measure((1, 2, 4, 8), token))

    async def measured() -> bool | None:
        return replica.measurements == 2 or None

    await eventually(measured)
    token.cancel()
    assert await measuring is None
    await _idle(proxy)


@pytest.mark.parametrize("status", [404, 429, 502, 503, 504, None])
async def test_nothing_is_lost_where_nobody_takes_it(
    executor: RayExecutor, proxy: Proxy, listener: Listener, status: int | None
) -> None:
    proxy.status = status
    if status is None:
        await proxy.stop()
    changed = executor.changed
    with pytest.raises(NotTaken):
        await _begin(executor, TASK, on_step=_Steps())
    assert (executor.lanes, executor.capacity) == (0, 0)
    assert changed.is_set()
    (reason,) = listener.heard
    assert str(status or "cannot be reached") in reason
    assert TOKEN not in reason
    proxy.status = None
    if status is None:
        await proxy.start()
    assert await executor.look() == 1
    assert executor.capacity == 2
    await executor.ask_model()
    assert listener.heard == [reason, ""]


async def test_an_error_before_the_turn_costs_an_attempt_lest_it_is_tried_for_ever(
    executor: RayExecutor, proxy: Proxy
) -> None:
    proxy.status = 500
    with pytest.raises(ComputerLost):
        await _begin(executor, TASK, on_step=_Steps())


async def test_who_waits_for_a_turn_is_given_back_when_all_is_away(
    executor: RayExecutor, replica: ScriptedExecutor, proxy: Proxy
) -> None:
    steps = _Steps()
    one = _begin(executor, TASK, on_step=steps)
    await steps.reach(0)
    two = _begin(executor, TASK, on_step=_Steps())
    await asyncio.sleep(0.2)
    proxy.status = 503
    with pytest.raises(NotTaken):
        await _begin(executor, TASK, on_step=_Steps())
    with pytest.raises(NotTaken):
        await two
    replica.go()
    assert await one == [Picture(png_of(TASK), 64, 72)]


async def test_as_many_as_replicas_and_one_more_are_taken(
    executor: RayExecutor, proxy: Proxy
) -> None:
    proxy.replicas = 3
    await executor.look()
    assert (executor.lanes, executor.capacity) == (3, 4)
    proxy.replicas = 0
    await executor.look()
    assert (executor.lanes, executor.capacity) == (0, 1), "a call has one started"
    proxy.ready = False
    with pytest.raises(NotTaken, match="no replica"):
        await executor.look()


async def test_it_waits_for_a_replica_before_it_knows_the_model(
    proxy: Proxy, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generator.executors.ray._PERIOD_SECONDS", 0.01)
    proxy.replicas, proxy.ready = 0, False
    executor = RayExecutor(proxy.url, TOKEN, [listener])
    loading = asyncio.create_task(executor.load())

    async def told() -> bool | None:
        return bool(listener.heard) or None

    await eventually(told)
    proxy.replicas = 1
    assert (await loading).name == MODEL.name
    assert listener.heard == ["Ray Serve has no replica yet.", ""]
    await executor.close()


async def test_another_model_over_there_is_another_start_here(
    executor: RayExecutor, proxy: Proxy
) -> None:
    proxy.painter._model = replace(MODEL, name="another")
    steps = _Steps()
    with pytest.raises(NotTaken):
        await _begin(executor, TASK, on_step=steps)
    with pytest.raises(StartError, match="computes with another") as refused:
        _ = executor.capacity
    assert refused.value.exit_code == StartError.PASSING_EXIT_CODE
    await _idle(proxy)
    assert steps.told == []


async def test_without_the_token_nothing_is_told(proxy: Proxy) -> None:
    executor = RayExecutor(proxy.url, "another-token-of-16", [])
    with pytest.raises(StartError, match="SERVICE_TOKEN") as refused:
        await executor.load()
    assert refused.value.exit_code == StartError.EXIT_CODE
    await executor.close()


@pytest.mark.parametrize(
    "said",
    [
        b"not JSON\n",
        b'{"kind": "task"}\n',
        wire.CancelLine(task=0).encode(),
        wire.TaskLine.of(TASK).encode() * 9,
        wire.TaskLine.of(TASK).encode()
        + wire.TaskLine.of(replace(TASK, width=72)).encode()
        + wire.BeginLine().encode(),
        wire.TaskLine.of(TASK).encode().replace(b"64", b"8192"),
        b"x" * (wire.MAX_LINE_BYTES + 1),
    ],
    ids=["no JSON", "no task", "no begin", "too many", "not alike", "too wide", "too long"],
)
async def test_what_is_no_call_is_refused(
    proxy: Proxy, replica: ScriptedExecutor, said: bytes
) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(proxy.url + wire.CALLS_PATH, data=io.BytesIO(said)) as answer,
    ):
        assert answer.status == 422, await answer.text()
        assert b"cat" not in await answer.read()
    assert replica.tasks == []


async def test_a_step_that_does_not_end_is_noticed(
    executor: RayExecutor,
    replica: ScriptedExecutor,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("generator.ray.ingress._STUCK_SECONDS", 0.05)
    replica.deaf = True
    steps, token = _Steps(), CancelToken()
    running = _begin(executor, TASK, on_step=steps, tokens=[token])
    await steps.reach(0)
    token.cancel()
    await running
    await asyncio.wait_for(proxy.stuck.wait(), 10)
