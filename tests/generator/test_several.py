"""Several generators on one queue, each with a home, a port, a worker and events of its own.

A SQLite file is one process's alone, so these share one process and its connection; what one of
them changes, the others learn from the database.
"""

import asyncio
import copy
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy.orm import sessionmaker

from generator.jobs.database import JobDatabase
from generator.jobs.events import JobEvents
from tests.generator.scripted import ScriptedExecutor, png_of
from tests.generator.stack import XML, Stack, code, job, serving, text
from tests.waiting import eventually


class _Joined(JobDatabase):
    """Another process's view of a database, as far as one process can have several."""

    def __init__(self, database: JobDatabase) -> None:
        vars(self).update(vars(copy.copy(database)))
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        self.events = JobEvents(self._sessions)

    async def close(self) -> None:
        """It is the others' as well."""


@pytest.fixture(autouse=True)
async def _shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    database = JobDatabase(f"sqlite:///{tmp_path / 'jobs.db'}")
    monkeypatch.setattr("generator.server.JobDatabase", lambda _url: _Joined(database))
    yield
    await database.close()


async def _start(opened: AsyncExitStack, folder: Path, name: str) -> Stack:
    home = folder / name
    home.mkdir(exist_ok=True)
    results = (folder / "results").as_uri()
    return await opened.enter_async_context(serving(home, results_url=results))


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncGenerator[tuple[Stack, Stack]]:
    async with AsyncExitStack() as opened:
        yield await _start(opened, tmp_path, "one"), await _start(opened, tmp_path, "two")


async def test_a_start_and_a_stop_leave_anothers_job_alone(tmp_path: Path) -> None:
    async with AsyncExitStack() as opened:
        one = await _start(opened, tmp_path, "one")
        identity = await one.put()
        await one.reach(identity, "running")
        one.executor.step(2)
        await one.at_step(identity, 2)
        async with AsyncExitStack() as later:
            await _start(later, tmp_path, "two")
        one.executor.go()
        assert (await one.reach(identity, "finished")).get("attempt") == "1"
        assert len(one.executor.tasks) == 1


async def test_the_step_shows_through_the_other_one_and_the_preview_does_not(
    pair: tuple[Stack, Stack],
) -> None:
    one, two = pair
    identity = await one.put()
    await one.reach(identity, "running")
    at, other = (one, two) if one.executor.tasks else (two, one)
    at.executor.previews[3] = b"jpeg"
    at.executor.step(3)
    assert (await at.at_step(identity, 3)).find("{*}preview") is not None
    told = await other.at_step(identity, 3)
    assert text(told, "position") == "0"
    assert text(told, "eta-seconds") is not None
    assert told.find("{*}preview") is None
    answer = await other.client.get(f"/v1/jobs/{identity}/preview")
    assert (answer.status_code, code(answer)) == (404, "no-preview")
    at.executor.go()
    await other.reach(identity, "finished")
    answer = await other.client.get(f"/v1/jobs/{identity}/image")
    assert answer.content == png_of(at.executor.tasks[0])


async def test_a_cancel_through_the_other_one_ends_the_computation(
    pair: tuple[Stack, Stack],
) -> None:
    one, two = pair
    identity = await one.put()
    await one.reach(identity, "running")
    at, other = (one, two) if one.executor.tasks else (two, one)
    assert (await other.client.delete(f"/v1/jobs/{identity}")).status_code == 200

    async def over() -> bool | None:
        return None if at.generator.progress.batches else True

    assert await eventually(over, seconds=10)
    assert (await at.get(identity)).get("state") == "cancelled"


async def test_both_work_and_no_job_is_computed_twice(pair: tuple[Stack, Stack]) -> None:
    one, two = pair
    for name in ("first", "second"):
        await one.reach(await one.put(job(name, steps=2)), "running")
    prompts = [f"{owner}{number}" for number in range(4) for owner in "abc"]
    ids = [await one.put(job(name, owner=name[0], steps=2)) for name in prompts]
    for each in pair:
        positions = [text(await each.get(identity), "position") for identity in ids]
        assert positions == [str(2 + number) for number in range(len(ids))]
    two.executor.step(2)
    await one.reach(ids[0], "running")
    for each in pair:
        each.executor.go()
    for identity in ids:
        assert (await two.reach(identity, "finished")).get("attempt") == "1"
    computed = [task.prompt for each in pair for task in each.executor.tasks]
    assert sorted(computed) == sorted(["first", "second", *prompts])
    assert all(each.executor.tasks for each in pair)


async def test_what_one_gives_back_at_its_stop_the_other_takes(pair: tuple[Stack, Stack]) -> None:
    one, two = pair
    identity = await one.put()
    await one.reach(identity, "running")
    at, other = (one, two) if one.executor.tasks else (two, one)
    other.executor.go()
    at.generator.stop.set()
    assert (await other.reach(identity, "finished")).get("attempt") == "1"
    assert len(other.executor.tasks) == 1


async def test_who_waits_at_one_gets_what_the_other_computes(pair: tuple[Stack, Stack]) -> None:
    one, two = pair
    busy = await one.put()
    await one.reach(busy, "running")
    at, other = (one, two) if one.executor.tasks else (two, one)
    other.executor.go()
    headers = {**XML, "Accept": "image/png"}
    body = job("waited for")
    answer = await at.client.post("/generate_image", content=body, headers=headers)
    assert answer.status_code == 200
    assert answer.content == png_of(other.executor.tasks[0])


async def test_an_executor_with_room_for_two_gets_two_batches_at_once(tmp_path: Path) -> None:
    executor = ScriptedExecutor(capacity=2)
    async with serving(tmp_path, executor) as stack:
        ids = [await stack.put(job(str(number), steps=2)) for number in range(3)]
        await stack.reach(ids[1], "running")
        assert [(await stack.get(each)).get("state") for each in ids] == [
            "running",
            "running",
            "queued",
        ]
        assert len(stack.generator.progress.claims) == 2
        executor.go()
        await asyncio.gather(*(stack.reach(each, "finished") for each in ids))
        assert sorted(task.prompt for task in executor.tasks) == ["0", "1", "2"]


async def test_a_stop_gives_all_batches_back_unharmed(tmp_path: Path) -> None:
    executor = ScriptedExecutor(capacity=2)
    async with serving(tmp_path, executor) as stack:
        ids = [await stack.put(job(str(number))) for number in range(2)]
        for identity in ids:
            await stack.reach(identity, "running")
        assert await stack.stop(*ids) == [("queued", 0)] * 2
