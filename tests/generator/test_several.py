"""Several generators on one queue, each with a home, a port, a worker and events of its own.

A SQLite file is one process's alone, so there they share one process and its connection; what one
of them changes, the others learn from the database.
"""

import asyncio
import copy
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy.orm import sessionmaker

from generator.jobs.database import JobDatabase
from generator.jobs.events import JobEvents
from generator.scheduling.progress import RunningBatch
from tests.generator.scripted import ScriptedExecutor, png_of
from tests.generator.stack import XML, Stack, code, job, serving, text
from tests.waiting import eventually

pytestmark = pytest.mark.each_database


Start = Callable[[AsyncExitStack, str], Awaitable[Stack]]


class _Joined(JobDatabase):
    """Another process's view of a file, as far as one process can have several."""

    def __init__(self, database: JobDatabase) -> None:
        vars(self).update(vars(copy.copy(database)))
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        self.events = JobEvents(self._sessions, self._tell_others)

    async def close(self) -> None:
        """It is the others' as well."""


@pytest.fixture
async def start(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Start]:
    """Starts a generator of this name on the queue that all share."""

    async def begin(opened: AsyncExitStack, name: str) -> Stack:
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        results = (tmp_path / "results").as_uri()
        return await opened.enter_async_context(
            serving(home, results_url=results, database_url=database_url)
        )

    if not database_url.startswith("sqlite:"):
        yield begin
        return
    database = JobDatabase(database_url, lambda: 1_000_000.0)
    monkeypatch.setattr("generator.server.JobDatabase", lambda *_opening: _Joined(database))
    yield begin
    await database.close()


@pytest.fixture
async def pair(start: Start) -> AsyncGenerator[tuple[Stack, Stack]]:
    async with AsyncExitStack() as opened:
        yield await start(opened, "one"), await start(opened, "two")


async def test_a_start_and_a_stop_leave_anothers_job_alone(start: Start) -> None:
    async with AsyncExitStack() as opened:
        one = await start(opened, "one")
        identity = await one.put()
        await one.reach(identity, "running")
        one.executor.step(2)
        await one.at_step(identity, 2)
        async with AsyncExitStack() as later:
            await start(later, "two")
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
    assert await eventually(lambda: _is_idle(at), seconds=10)
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


async def test_a_call_that_is_given_up_at_one_ends_what_the_other_computes(
    pair: tuple[Stack, Stack],
) -> None:
    one, two = pair
    busy = await one.put()
    await one.reach(busy, "running")
    at, other = (one, two) if one.executor.tasks else (two, one)
    call = asyncio.create_task(
        at.client.post("/generate_image", content=job("given up"), headers=XML)
    )
    batch = await eventually(lambda: _batch(other))
    assert [task.prompt for task in other.executor.tasks] == ["given up"]
    call.cancel()
    assert await eventually(lambda: _is_idle(other), seconds=10)
    answer = await other.client.get(f"/v1/jobs/{batch.ids[0]}")
    assert (answer.status_code, code(answer)) == (404, "unknown-job")


async def test_what_one_has_finished_the_other_deletes(pair: tuple[Stack, Stack]) -> None:
    one, two = pair
    for each in pair:
        each.executor.go()
    identity = await one.put()
    await two.reach(identity, "finished")
    assert len(one.images) == 1
    other = two if one.executor.tasks else one
    assert (await other.client.delete(f"/v1/jobs/{identity}")).status_code == 204
    assert one.images == []
    assert (await one.client.get(f"/v1/jobs/{identity}")).status_code == 404


async def _batch(stack: Stack) -> RunningBatch | None:
    return next(iter(stack.generator.progress.batches), None)


async def _is_idle(stack: Stack) -> bool | None:
    return None if stack.generator.progress.batches else True


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
