"""Batches at the worker: each job keeps its own claim, attempt, progress, cancel and end."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from generator import worker
from generator.estimates import Kind
from generator.executors.base import OnStep, Outcome, Refused, Speeds, Task, TaskError
from generator.tables import Job
from tests.generator.house import House, eventually, house, job, text
from tests.generator.scripted import MODEL, ScriptedExecutor, png_of

FAST = Speeds({1: 1.0, 2: 1.2, 4: 1.7, 8: 2.6}, MODEL.width * MODEL.height)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    """The service with an executor that batches make faster."""
    executor = ScriptedExecutor()
    executor.speeds = FAST
    async with house(tmp_path, executor) as opened:
        await eventually(lambda: _measured(opened))
        yield opened


async def _measured(home: House) -> bool | None:
    return True if home.worker.pace.speeds.seconds else None


async def _measuring(executor: ScriptedExecutor) -> bool | None:
    return True if executor.measurements else None


async def _job(home: House, identity: UUID) -> Job:
    found = await home.table.get(identity)
    assert found is not None
    return found


async def _together(home: House, *bodies: bytes) -> list[UUID]:
    """Submits jobs while another one runs, withdraws that, and waits until the first runs."""
    blocker = await home.put(job("blocker", owner="blocker", steps=99))
    await home.reach(blocker, "running")
    ids = [await home.put(body) for body in bodies]
    await home.client.delete(f"/v1/jobs/{blocker}")
    await home.reach(ids[0], "running")
    return ids


async def test_jobs_that_wait_are_computed_together(home: House) -> None:
    ids = await _together(home, *[job(str(n), steps=3, seed=n) for n in range(4)])
    states = [await home.reach(identity, "running") for identity in ids]
    assert home.executor.batches == [1, 4]
    assert [state.get("attempt") for state in states] == ["1"] * 4
    assert [text(state, "position") for state in states] == ["0"] * 4
    home.executor.step(2)
    for identity in ids:
        await home.at_step(identity, 2)
    home.executor.go()
    for number, identity in enumerate(ids):
        await home.reach(identity, "finished")
        picture = await home.client.get(f"/v1/jobs/{identity}/image")
        assert picture.content == png_of(home.executor.tasks[1 + number])
    fences = {(await _job(home, identity)).fence for identity in ids}
    assert len(fences) == 4


@pytest.mark.parametrize(("room", "sizes"), [(8, [4]), (3, [2, 2]), (0, [1, 1, 1, 1])])
async def test_a_batch_is_no_larger_than_what_memory_is_free_when_it_begins(
    tmp_path: Path, room: int, sizes: list[int]
) -> None:
    free = [8]
    executor = ScriptedExecutor()
    executor.speeds = replace(FAST, fits=lambda size: size <= free[0])
    async with house(tmp_path, executor) as home:
        await eventually(lambda: _measured(home))
        free[0] = room  # another program takes the rest
        ids = await _together(home, *[job(str(n), steps=1) for n in range(4)])
        executor.go()
        for identity in ids:
            await home.reach(identity, "finished")
        assert executor.batches == [1, *sizes]


async def test_a_batch_keeps_the_turns_of_owners(home: House) -> None:
    bodies = [job(name, owner=name[0], steps=3) for name in ("a1", "a2", "a3", "b1", "c1")]
    await _together(home, *bodies)
    home.executor.go()

    async def all_done() -> bool | None:
        return True if len(home.executor.tasks) == 6 else None

    await eventually(all_done)
    assert [task.prompt for task in home.executor.tasks[1:]] == ["a1", "b1", "c1", "a2", "a3"]
    assert home.executor.batches == [1, 4, 1]


async def test_another_kind_of_job_is_not_passed(home: House) -> None:
    ids = await _together(
        home,
        job("a1", owner="a", steps=3),
        job("b1", owner="b", steps=4),
        job("c1", owner="c", steps=3),
    )
    home.executor.go()
    for identity in ids:
        await home.reach(identity, "finished")
    assert [task.prompt for task in home.executor.tasks[1:]] == ["a1", "b1", "c1"]
    assert home.executor.batches == [1, 1, 1, 1]


async def test_one_of_a_batch_is_cancelled_and_the_others_go_on(home: House) -> None:
    first, second = await _together(home, job("1", steps=3), job("2", steps=3))
    await home.reach(second, "running")
    home.executor.step()
    await home.at_step(second, 1)
    await home.client.delete(f"/v1/jobs/{first}")
    home.executor.go()
    await home.reach(second, "finished")
    assert (await home.get(first)).get("state") == "cancelled"
    assert len(list((home.folder / "results").iterdir())) == 1


class _Retreating(ScriptedExecutor):
    """Gives a batch up after three steps, as for want of memory, and computes its tasks alone."""

    async def run(
        self, tasks: Sequence[Task], on_step: OnStep, cancelled: Sequence[threading.Event]
    ) -> list[Outcome]:
        if len(tasks) == 1:
            return await super().run(tasks, on_step, cancelled)
        for step in (1, 2, 3):
            for number in range(len(tasks)):
                on_step(number, step, None)
        outcomes = []
        for number, task in enumerate(tasks):

            def alone(_index: int, step: int, preview: bytes | None, number: int = number) -> None:
                on_step(number, step, preview)

            outcomes += await super().run([task], alone, [cancelled[number]])
        return outcomes


async def test_a_batch_that_is_begun_anew_one_by_one_tells_so(tmp_path: Path) -> None:
    executor = _Retreating()
    executor.speeds = FAST
    async with house(tmp_path, executor) as home:
        await eventually(lambda: _measured(home))
        first, second = await _together(home, job("1", steps=5), job("2", steps=5))
        await home.at_step(second, 3)
        executor.step()
        await home.at_step(first, 1)
        await home.at_step(second, 0)
        executor.step(4)
        await home.at_step(first, 5)
        executor.step()
        await home.at_step(second, 1)
        executor.go()
        for identity in (first, second):
            await home.reach(identity, "finished")
        # How long the last of them was decoded is no measure of both.
        kind = Kind(MODEL.width, MODEL.height, "balanced", guided=True)
        assert home.worker.pace.seconds(kind, 1, 0) == 0


async def test_each_job_of_a_batch_ends_in_its_own_way(home: House) -> None:
    home.executor.endings = [Refused(), TaskError("no")]
    ids = await _together(home, *[job(str(n), steps=3) for n in range(4)])
    home.executor.go()
    states = ["refused", "failed", "finished", "finished"]
    for identity, state in zip(ids, states, strict=True):
        await home.reach(identity, state)


async def test_after_a_batch_broke_its_jobs_run_alone(
    home: House, caplog: pytest.LogCaptureFixture
) -> None:
    ids = await _together(home, *[job(str(n), owner=str(n), steps=1) for n in range(2)])
    for identity in ids:
        await home.reach(identity, "running")
    # The pair breaks, and then each of them alone.
    home.executor.endings = [RuntimeError("again")] * 3
    home.executor.go()
    first = await home.reach(ids[0], "finished")
    second = await home.reach(ids[1], "finished")
    assert home.executor.batches[:2] == [1, 2]
    assert set(home.executor.batches[2:]) == {1}
    assert [first.get("attempt"), second.get("attempt")] == ["3", "3"]
    assert caplog.text.count("broke off") == 3


async def test_a_poisonous_job_is_given_up_and_its_neighbour_is_not(home: House) -> None:
    ids = await _together(home, job("poison", owner="p", steps=1), job("n", owner="n", steps=1))
    for identity in ids:
        await home.reach(identity, "running")
    home.executor.poison = "poison"
    home.executor.go()
    state = await home.reach(ids[0], "failed")
    assert state[-1].get("code") == "gave-up"
    neighbour = await home.reach(ids[1], "finished")
    assert neighbour.get("attempt") == "2"


async def test_a_job_with_a_single_attempt_has_no_neighbours(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.speeds = FAST
    async with house(tmp_path, executor, max_attempts=1) as home:
        ids = await _together(home, job("1", steps=1), job("2", steps=1))
        home.executor.go()
        for identity in ids:
            await home.reach(identity, "finished")
        assert set(executor.batches) == {1}
        assert executor.measurements == 0


async def test_a_crash_costs_each_of_a_batch_an_attempt(home: House) -> None:
    ids = await _together(home, *[job(str(n), steps=3) for n in range(2)])
    for identity in ids:
        await home.reach(identity, "running")
    await home.table.recover(home.worker.holder)  # as after a kill
    assert [(await _job(home, identity)).attempts for identity in ids] == [1, 1]


async def test_a_clean_stop_puts_a_batch_back_unharmed(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.speeds = FAST
    async with house(tmp_path, executor) as home:
        await eventually(lambda: _measured(home))
        ids = await _together(home, *[job(str(n), steps=3) for n in range(4)])
        for identity in ids:
            await home.reach(identity, "running")
        home.stop.set()
        await home.working
        for identity in ids:
            kept = await _job(home, identity)
            assert (kept.state, kept.attempts) == ("queued", 0)


@asynccontextmanager
async def _saving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[House, list[UUID]]]:
    """A batch of four whose first picture is being saved when the stop comes."""
    executor = ScriptedExecutor()
    executor.speeds = FAST
    async with house(tmp_path, executor) as home:
        await eventually(lambda: _measured(home))
        ids = await _together(home, *[job(str(n), steps=3) for n in range(4)])
        await home.reach(ids[3], "running")
        saving, going = threading.Event(), threading.Event()
        save = home.results.save

        def save_slowly(*arguments: Any) -> str:
            saving.set()
            going.wait()
            return save(*arguments)

        monkeypatch.setattr(home.results, "save", save_slowly)
        executor.go()
        await asyncio.to_thread(saving.wait)
        home.stop.set()
        await asyncio.sleep(0)
        going.set()
        await home.working
        yield home, ids


async def test_finished_pictures_are_committed_before_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _saving(tmp_path, monkeypatch) as (home, ids):
        assert [(await _job(home, identity)).state for identity in ids] == ["finished"] * 4
        assert len(list((home.folder / "results").iterdir())) == 4


async def test_a_stop_does_not_wait_for_many_pictures_on_a_slow_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_SAVING_SECONDS", 0)
    async with _saving(tmp_path, monkeypatch) as (home, ids):
        kept = [await _job(home, identity) for identity in ids]
        states = [(found.state, found.attempts) for found in kept]
        assert states == [("finished", 1), *[("queued", 0)] * 3]
        assert len(list((home.folder / "results").iterdir())) == 1


async def test_the_leases_of_a_batch_are_renewed(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.speeds = FAST
    async with house(tmp_path, executor, lease_seconds=0.2) as home:
        await eventually(lambda: _measured(home))
        ids = await _together(home, *[job(str(n), steps=3) for n in range(2)])
        await home.reach(ids[1], "running")
        before = [(await _job(home, identity)).lease_until or 0 for identity in ids]
        home.now[0] += 0.1

        async def renewed() -> bool | None:
            now = [(await _job(home, identity)).lease_until or 0 for identity in ids]
            return True if min(now) > max(before) else None

        assert await eventually(renewed)


# Measuring.


async def test_a_job_interrupts_the_measurement_and_goes_first(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.measurable.clear()
    executor.speeds = FAST
    async with house(tmp_path, executor) as home:
        await eventually(lambda: _measuring(executor))
        identity = await home.put(job(steps=1))
        await home.reach(identity, "running")
        executor.measurable.set()
        executor.go()
        await home.reach(identity, "finished")
        await eventually(lambda: _measured(home))
        assert executor.measurements == 2


async def test_a_measurement_that_fails_means_no_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    executor = ScriptedExecutor()

    async def fail(*_arguments: object) -> Speeds:
        raise RuntimeError("no clock")

    monkeypatch.setattr(executor, "measure", fail)
    async with house(tmp_path, executor) as home:
        ids = await _together(home, job("1", steps=1), job("2", steps=1))
        home.executor.go()
        for identity in ids:
            await home.reach(identity, "finished")
        assert set(executor.batches) == {1}
        assert caplog.text.count("could not be measured") == 1


async def test_a_long_line_waits_for_the_measurement(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.measurable.clear()
    executor.speeds = FAST
    async with house(tmp_path, executor) as home:
        blocker = await home.put(job("blocker", steps=99))
        await home.reach(blocker, "running")
        executor.measurable.set()
        ids = [await home.put(job(str(n), steps=1)) for n in range(10)]
        await home.client.delete(f"/v1/jobs/{blocker}")
        executor.go()
        for identity in ids:
            await home.reach(identity, "finished")
    # Its length was seen when the first of them was taken, alone as nothing was known yet.
    assert executor.batches[:2] == [1, 1]
    assert max(executor.batches) > 1


async def test_a_measurement_that_hangs_is_seen(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.measurable.clear()
    async with house(tmp_path, executor, stale_seconds=0) as home:

        async def stuck() -> bool | None:
            return True if home.worker.stuck else None

        await eventually(stuck)
        executor.measurable.set()


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_stop_does_not_wait_for_the_measurement(tmp_path: Path, *, deaf: bool) -> None:
    executor = ScriptedExecutor()
    executor.measurable.clear()
    executor.deaf = deaf
    async with house(tmp_path, executor) as home:
        await eventually(lambda: _measuring(executor))
        home.stop.set()
        async with asyncio.timeout(5):
            await home.working
