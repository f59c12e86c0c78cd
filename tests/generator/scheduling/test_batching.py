"""Batches at the worker: each job keeps its own claim, attempt, progress, cancel and end."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from generator.scheduling import recording
from generator.tasks import (
    BatchTimes,
    CancelToken,
    JobShape,
    OnStep,
    Outcome,
    SafetyRejected,
    Step,
    Task,
    TaskError,
)
from tests.generator.scripted import MODEL, ScriptedExecutor, png_of
from tests.generator.stack import Stack, job, serving, text
from tests.waiting import eventually

FAST = BatchTimes({1: 1.0, 2: 1.2, 4: 1.7, 8: 2.6}, MODEL.width * MODEL.height)


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncGenerator[Stack]:
    """The service with an executor that batches make faster."""
    executor = ScriptedExecutor()
    executor.batch_times = FAST
    async with serving(tmp_path, executor) as opened:
        await eventually(lambda: _measured(opened))
        yield opened


async def _measured(stack: Stack) -> bool | None:
    return True if stack.generator.times.batch_times.seconds else None


async def _measuring(executor: ScriptedExecutor) -> bool | None:
    return True if executor.measurements else None


async def _together(stack: Stack, *bodies: bytes) -> list[UUID]:
    """Submits jobs while another one runs, cancels that, and waits until the first runs."""
    blocker = await stack.put(job("blocker", owner="blocker", steps=99))
    await stack.reach(blocker, "running")
    ids = [await stack.put(body) for body in bodies]
    await stack.client.delete(f"/v1/jobs/{blocker}")
    await stack.reach(ids[0], "running")
    return ids


async def test_jobs_that_wait_are_computed_together(stack: Stack) -> None:
    ids = await _together(stack, *[job(str(n), steps=3, seed=n) for n in range(4)])
    states = [await stack.reach(identity, "running") for identity in ids]
    assert stack.executor.batches == [1, 4]
    assert [state.get("attempt") for state in states] == ["1"] * 4
    assert [text(state, "position") for state in states] == ["0"] * 4
    stack.executor.step(2)
    for identity in ids:
        await stack.at_step(identity, 2)
    stack.executor.go()
    for number, identity in enumerate(ids):
        await stack.reach(identity, "finished")
        picture = await stack.client.get(f"/v1/jobs/{identity}/image")
        assert picture.content == png_of(stack.executor.tasks[1 + number])
    fences = {(await stack.row(identity)).fence for identity in ids}
    assert len(fences) == 4


@pytest.mark.parametrize(("room", "sizes"), [(8, [4]), (3, [2, 2]), (0, [1, 1, 1, 1])])
async def test_a_batch_is_no_larger_than_what_memory_is_free_when_it_begins(
    tmp_path: Path, room: int, sizes: list[int]
) -> None:
    executor = ScriptedExecutor()
    executor.batch_times = replace(FAST, bytes_each=1)
    async with serving(tmp_path, executor) as stack:
        await eventually(lambda: _measured(stack))
        executor.free_bytes = room  # another program takes the rest
        ids = await _together(stack, *[job(str(n), steps=1) for n in range(4)])
        executor.go()
        for identity in ids:
            await stack.reach(identity, "finished")
        assert executor.batches == [1, *sizes]


async def test_a_batch_keeps_the_turns_of_owners(stack: Stack) -> None:
    bodies = [job(name, owner=name[0], steps=3) for name in ("a1", "a2", "a3", "b1", "c1")]
    await _together(stack, *bodies)
    stack.executor.go()

    async def all_done() -> bool | None:
        return True if len(stack.executor.tasks) == 6 else None

    await eventually(all_done)
    assert [task.prompt for task in stack.executor.tasks[1:]] == ["a1", "b1", "c1", "a2", "a3"]
    assert stack.executor.batches == [1, 4, 1]


async def test_another_kind_of_job_is_not_passed(stack: Stack) -> None:
    ids = await _together(
        stack,
        job("a1", owner="a", steps=3),
        job("b1", owner="b", steps=4),
        job("c1", owner="c", steps=3),
    )
    stack.executor.go()
    for identity in ids:
        await stack.reach(identity, "finished")
    assert [task.prompt for task in stack.executor.tasks[1:]] == ["a1", "b1", "c1"]
    assert stack.executor.batches == [1, 1, 1, 1]


async def test_one_of_a_batch_is_cancelled_and_the_others_go_on(stack: Stack) -> None:
    first, second = await _together(stack, job("1", steps=3), job("2", steps=3))
    await stack.reach(second, "running")
    stack.executor.step()
    await stack.at_step(second, 1)
    await stack.client.delete(f"/v1/jobs/{first}")
    stack.executor.go()
    await stack.reach(second, "finished")
    assert (await stack.get(first)).get("state") == "cancelled"
    assert len(stack.images) == 1


class _Retreating(ScriptedExecutor):
    """Gives a batch up after three steps, as for want of memory, and computes its tasks alone."""

    async def run(
        self, tasks: Sequence[Task], on_step: OnStep, tokens: Sequence[CancelToken]
    ) -> list[Outcome]:
        if len(tasks) == 1:
            return await super().run(tasks, on_step, tokens)
        for step in (1, 2, 3):
            for number in range(len(tasks)):
                on_step(Step(number, step))
        outcomes = []
        for number, task in enumerate(tasks):

            def alone(step: Step, number: int = number) -> None:
                on_step(Step(number, step.number, step.preview))

            outcomes += await super().run([task], alone, [tokens[number]])
        return outcomes


async def test_a_batch_that_is_begun_anew_one_by_one_tells_so(tmp_path: Path) -> None:
    executor = _Retreating()
    executor.batch_times = FAST
    async with serving(tmp_path, executor) as stack:
        await eventually(lambda: _measured(stack))
        first, second = await _together(stack, job("1", steps=5), job("2", steps=5))
        await stack.at_step(second, 3)
        executor.step()
        await stack.at_step(first, 1)
        await stack.at_step(second, 0)
        executor.step(4)
        await stack.at_step(first, 5)
        executor.step()
        await stack.at_step(second, 1)
        executor.go()
        for identity in (first, second):
            await stack.reach(identity, "finished")
        # How long the last of them was decoded is no measure of both.
        shape = JobShape(MODEL.width, MODEL.height, "balanced", guided=True)
        assert stack.generator.times.seconds(shape, 1, 0) == 0


async def test_each_job_of_a_batch_ends_in_its_own_way(stack: Stack) -> None:
    stack.executor.endings = [SafetyRejected(), TaskError("no")]
    ids = await _together(stack, *[job(str(n), steps=3) for n in range(4)])
    stack.executor.go()
    states = ["refused", "failed", "finished", "finished"]
    for identity, state in zip(ids, states, strict=True):
        await stack.reach(identity, state)


async def test_after_a_batch_broke_its_jobs_run_alone(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    ids = await _together(stack, *[job(str(n), owner=str(n), steps=1) for n in range(2)])
    for identity in ids:
        await stack.reach(identity, "running")
    # The pair breaks, and then each of them alone.
    stack.executor.endings = [RuntimeError("again")] * 3
    stack.executor.go()
    first = await stack.reach(ids[0], "finished")
    second = await stack.reach(ids[1], "finished")
    assert stack.executor.batches[:2] == [1, 2]
    assert set(stack.executor.batches[2:]) == {1}
    assert [first.get("attempt"), second.get("attempt")] == ["3", "3"]
    assert caplog.text.count("broke off") == 3


async def test_a_poisonous_job_is_given_up_and_its_neighbour_is_not(stack: Stack) -> None:
    ids = await _together(stack, job("poison", owner="p", steps=1), job("n", owner="n", steps=1))
    for identity in ids:
        await stack.reach(identity, "running")
    stack.executor.poison = "poison"
    stack.executor.go()
    state = await stack.reach(ids[0], "failed")
    assert state[-1].get("code") == "gave-up"
    neighbour = await stack.reach(ids[1], "finished")
    assert neighbour.get("attempt") == "2"


async def test_a_job_with_a_single_attempt_has_no_neighbours(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.batch_times = FAST
    async with serving(tmp_path, executor, max_attempts=1) as stack:
        ids = await _together(stack, job("1", steps=1), job("2", steps=1))
        stack.executor.go()
        for identity in ids:
            await stack.reach(identity, "finished")
        assert set(executor.batches) == {1}
        assert executor.measurements == 0


async def test_a_crash_costs_each_of_a_batch_an_attempt(stack: Stack) -> None:
    ids = await _together(stack, *[job(str(n), steps=3) for n in range(2)])
    for identity in ids:
        await stack.reach(identity, "running")
    await stack.generator.leases.recover(stack.generator.leases.holder)  # as after a kill
    assert [(await stack.row(identity)).attempts for identity in ids] == [1, 1]


async def test_a_clean_stop_puts_a_batch_back_unharmed(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.batch_times = FAST
    async with serving(tmp_path, executor) as stack:
        await eventually(lambda: _measured(stack))
        ids = await _together(stack, *[job(str(n), steps=3) for n in range(4)])
        for identity in ids:
            await stack.reach(identity, "running")
        assert await stack.stop(*ids) == [("queued", 0)] * 4


@asynccontextmanager
async def _saving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[Stack, list[UUID]]]:
    """A batch of four whose first picture is being saved when the stop comes."""
    executor = ScriptedExecutor()
    executor.batch_times = FAST
    async with serving(tmp_path, executor) as stack:
        await eventually(lambda: _measured(stack))
        ids = await _together(stack, *[job(str(n), steps=3) for n in range(4)])
        await stack.reach(ids[3], "running")
        saving, going = asyncio.Event(), asyncio.Event()
        put = stack.generator.blobs.put

        async def put_slowly(*arguments: Any) -> None:
            saving.set()
            await going.wait()
            await put(*arguments)

        monkeypatch.setattr(stack.generator.blobs, "put", put_slowly)
        executor.go()
        await saving.wait()
        stack.generator.stop.set()
        await asyncio.sleep(0)
        going.set()
        yield stack, ids


async def test_finished_pictures_are_committed_before_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _saving(tmp_path, monkeypatch) as (stack, ids):
        assert await stack.stop(*ids) == [("finished", 1)] * 4
        assert len(stack.images) == 4


async def test_a_stop_does_not_wait_for_many_pictures_on_a_slow_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_SAVING_SECONDS", 0)
    async with _saving(tmp_path, monkeypatch) as (stack, ids):
        assert await stack.stop(*ids) == [("finished", 1), *[("queued", 0)] * 3]
        assert len(stack.images) == 1


async def test_the_leases_of_a_batch_are_renewed(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.batch_times = FAST
    async with serving(tmp_path, executor, lease_seconds=0.2) as stack:
        await eventually(lambda: _measured(stack))
        ids = await _together(stack, *[job(str(n), steps=3) for n in range(2)])
        await stack.reach(ids[1], "running")
        before = [(await stack.row(identity)).lease_until or 0 for identity in ids]
        stack.now[0] += 0.1

        async def renewed() -> bool | None:
            now = [(await stack.row(identity)).lease_until or 0 for identity in ids]
            return True if min(now) > max(before) else None

        assert await eventually(renewed)


# Measuring.


async def test_a_job_interrupts_the_measurement_and_goes_first(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.measurable.clear()
    executor.batch_times = FAST
    async with serving(tmp_path, executor) as stack:
        await eventually(lambda: _measuring(executor))
        identity = await stack.put(job(steps=1))
        await stack.reach(identity, "running")
        executor.measurable.set()
        executor.go()
        await stack.reach(identity, "finished")
        await eventually(lambda: _measured(stack))
        assert executor.measurements == 2


async def test_a_measurement_that_fails_means_no_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    executor = ScriptedExecutor()

    async def fail(*_arguments: object) -> BatchTimes:
        raise RuntimeError("no clock")

    monkeypatch.setattr(executor, "measure", fail)
    async with serving(tmp_path, executor) as stack:
        ids = await _together(stack, job("1", steps=1), job("2", steps=1))
        stack.executor.go()
        for identity in ids:
            await stack.reach(identity, "finished")
        assert set(executor.batches) == {1}
        assert caplog.text.count("could not be measured") == 1


async def test_a_long_queue_waits_for_the_measurement(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.measurable.clear()
    executor.batch_times = FAST
    async with serving(tmp_path, executor) as stack:
        blocker = await stack.put(job("blocker", steps=99))
        await stack.reach(blocker, "running")
        executor.measurable.set()
        ids = [await stack.put(job(str(n), steps=1)) for n in range(10)]
        await stack.client.delete(f"/v1/jobs/{blocker}")
        executor.go()
        for identity in ids:
            await stack.reach(identity, "finished")
    # Its length was seen when the first of them was taken, alone as nothing was known yet.
    assert executor.batches[:2] == [1, 1]
    assert max(executor.batches) > 1


async def test_a_measurement_that_hangs_is_seen(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.measurable.clear()
    async with serving(tmp_path, executor, stale_seconds=0) as stack:

        async def stuck() -> bool | None:
            return True if stack.generator.watchdog.hanging else None

        await eventually(stuck)
        executor.measurable.set()


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_stop_does_not_wait_for_the_measurement(tmp_path: Path, *, deaf: bool) -> None:
    executor = ScriptedExecutor()
    executor.measurable.clear()
    executor.deaf = deaf
    async with asyncio.timeout(5), serving(tmp_path, executor):
        await eventually(lambda: _measuring(executor))
