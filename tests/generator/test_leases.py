"""The job table: fair, leased, fenced, bounded."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from generator.documents import JobRequest
from generator.leases import JobTable
from generator.problems import Fault, Problem
from generator.results import Committed
from generator.tables import Base, Job
from lookalike import database
from tests.generator.house import MIGRATIONS

_PICTURE = Committed("p.png", 8, 8, "0" * 64)


@dataclass
class _Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class _Opened:
    table: JobTable
    clock: _Clock
    names: dict[UUID, str] = field(default_factory=dict)

    async def add(self, name: str, owner: str = "") -> UUID:
        """A job whose prompt is its name."""
        identity = uuid4()
        await self.table.submit(identity, JobRequest(name, owner=owner))
        self.names[identity] = name
        return identity

    async def claims(self, count: int = 1, holder: str = "me") -> list[Job]:
        return await self.table.claim(holder, "model", lambda _line, _waiting: count, count)

    async def claim(self) -> Job:
        (job,) = await self.claims()
        return job

    async def holds(self, claim: Job) -> bool:
        return await self.table.standing([claim]) == {claim.id}

    async def order(self) -> list[str]:
        """The unfinished jobs as the positions have them."""
        _, line = await self.table.look(list(self.names))
        return [self.names[place.id] for place in line]


@asynccontextmanager
async def _open(folder: Path, *, max_attempts: int = 3) -> AsyncGenerator[_Opened]:
    engine = database.create_engine(f"sqlite:///{folder / 'jobs.db'}")
    database.migrate(engine, MIGRATIONS)
    clock = _Clock()
    table = JobTable(engine, max_queue=1000, max_attempts=max_attempts, clock=clock)
    try:
        yield _Opened(table, clock)
    finally:
        await table.close()


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncGenerator[_Opened]:
    async with _open(tmp_path) as found:
        yield found


async def _state(opened: _Opened, identity: UUID) -> str:
    job = await opened.table.get(identity)
    assert job is not None
    return job.state


def test_the_migration_makes_the_tables_of_the_code(tmp_path: Path) -> None:
    engine = database.create_engine(f"sqlite:///{tmp_path / 'jobs.db'}")
    database.migrate(engine, MIGRATIONS)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


async def test_owners_take_turns_and_each_line_is_first_in_first_out(opened: _Opened) -> None:
    for name in ("a1", "a2", "a3", "b1", "c1", "b2"):
        await opened.add(name, owner=name[0])
    expected = ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert await opened.order() == expected
    assert [(await opened.claim()).prompt for _ in expected] == expected
    assert await opened.claims() == []


async def test_an_owner_with_a_long_line_does_not_hold_up_a_newcomer(opened: _Opened) -> None:
    for number in range(5):
        await opened.add(f"a{number}", owner="a")
    await opened.claim()
    await opened.add("b0", owner="b")
    assert await opened.order() == ["a0", "b0", "a1", "a2", "a3", "a4"]


async def test_a_turn_is_remembered_when_the_job_is_removed(opened: _Opened) -> None:
    for name in ("a1", "a2", "b1"):
        await opened.add(name, owner=name[0])
    first = await opened.claim()
    await opened.table.finish(first, _PICTURE)
    await opened.table.remove(first.id)
    assert (await opened.claim()).prompt == "b1"


async def test_newcomers_do_not_hold_up_who_was_served_before(opened: _Opened) -> None:
    for name in ("a1", "a2"):
        await opened.add(name, owner="a")
    done = [await opened.claim()]
    for number in range(5):
        await opened.add(f"n{number}", owner=f"n{number}")
        await opened.table.finish(done[-1], _PICTURE)
        await opened.table.forget(0, 0)  # and with it, who waits for nothing
        done.append(await opened.claim())
        opened.clock.now += 1
    assert [claim.prompt for claim in done] == ["a1", "n0", "a2", "n1", "n2", "n3"]


_actions = st.lists(
    st.sampled_from(
        ["add a", "add b", "add c", "add ", "claim 1", "claim 3", "crash", "release", "cancel"]
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(_actions)
def test_positions_tell_the_order_of_claims(actions: list[str]) -> None:
    async def run(folder: str) -> None:
        async with _open(Path(folder), max_attempts=100) as opened:
            claims: list[Job] = []
            names = (str(number) for number in range(100))
            for action in actions:
                await _act(opened, action, claims, names)
            for claim in claims:
                await opened.table.cancel(claim.id)
            foretold = await opened.order()
            assert [(await opened.claim()).prompt for _ in foretold] == foretold
            assert await opened.claims() == []

    with TemporaryDirectory() as folder:
        asyncio.run(run(folder))


async def _act(opened: _Opened, action: str, claims: list[Job], names: Iterator[str]) -> None:
    if action.startswith("add"):
        await opened.add(next(names), owner=action[4:])
    elif action.startswith("claim"):
        claims.extend(await opened.claims(int(action[6:])))
    elif claims:
        claim = claims.pop()
        if action == "crash":
            await opened.table.crash(claim)
        elif action == "release":
            await opened.table.release(claim)
        else:
            await opened.table.cancel(claim.id)


async def test_a_released_job_is_the_very_next_and_loses_no_attempt(opened: _Opened) -> None:
    for name in ("a1", "a2", "b1"):
        await opened.add(name, owner=name[0])
    claim = await opened.claim()
    await opened.add("c1", owner="c")
    assert await opened.table.release(claim)
    assert await opened.order() == ["a1", "b1", "c1", "a2"]
    again = await opened.claim()
    assert (again.id, again.attempts) == (claim.id, 1)


async def test_a_broken_job_goes_to_the_back_of_its_owners_line(opened: _Opened) -> None:
    for name in ("a1", "a2", "b1"):
        await opened.add(name, owner=name[0])
    assert await opened.table.crash(await opened.claim())
    assert await opened.order() == ["b1", "a2", "a1"]


async def test_a_job_that_keeps_breaking_is_given_up(opened: _Opened) -> None:
    identity = await opened.add("a")
    for attempt in (1, 2, 3):
        assert await _state(opened, identity) == "queued"
        claim = await opened.claim()
        assert claim.attempts == attempt
        await opened.table.recover("me")  # the process died hard
    job = await opened.table.get(identity)
    assert job is not None
    assert (job.state, job.error_code) == ("failed", "gave-up")
    assert "3 times" in (job.error_words or "")


async def test_a_start_frees_ones_own_leases_only(opened: _Opened) -> None:
    mine, other = await opened.add("mine"), await opened.add("other")
    await opened.claim()
    assert await opened.claims(holder="somebody else")
    await opened.table.recover("me")
    assert await _state(opened, mine) == "queued"
    assert await _state(opened, other) == "running"


async def test_a_lease_runs_out_unless_it_is_renewed(opened: _Opened) -> None:
    identity = await opened.add("a")
    claim = await opened.claim()
    opened.clock.now = 59.0
    assert await opened.table.expire([claim]) == 0
    opened.clock.now = 118.0
    assert await opened.table.expire() == 0
    assert await opened.holds(claim)
    opened.clock.now = 120.0
    assert await opened.table.expire() == 1
    assert await _state(opened, identity) == "queued"
    assert not await opened.holds(claim)


async def test_a_claim_at_work_outlives_a_jump_of_the_clock(opened: _Opened) -> None:
    await opened.add("a")
    claim = await opened.claim()
    opened.clock.now = 1_000_000.0
    assert await opened.table.expire([claim]) == 0
    assert await opened.holds(claim)


async def test_a_lost_claim_changes_nothing(opened: _Opened) -> None:
    identity = await opened.add("a")
    lost = await opened.claim()
    opened.clock.now = 61.0
    await opened.table.expire()
    current = await opened.claim()
    assert not await opened.table.finish(lost, _PICTURE)
    assert not await opened.table.fail(lost, Fault.CANNOT_COMPUTE, "no")
    assert not await opened.table.crash(lost)
    assert not await opened.table.release(lost)
    assert await opened.table.expire([lost]) == 0
    assert await opened.holds(current)
    assert await opened.table.finish(current, _PICTURE)
    assert not await opened.table.finish(current, _PICTURE)
    assert await _state(opened, identity) == "finished"


async def test_a_claim_on_a_removed_job_does_not_fit_its_successor(opened: _Opened) -> None:
    identity = await opened.add("old")
    lost = await opened.claim()
    await opened.table.cancel(identity)
    await opened.table.remove(identity)
    await opened.table.submit(identity, JobRequest("new"))
    await opened.claim()
    assert not await opened.table.finish(lost, _PICTURE)


async def test_cancel_and_finish_have_one_winner(opened: _Opened) -> None:
    identity = await opened.add("a")
    claim = await opened.claim()
    won = await asyncio.gather(opened.table.finish(claim, _PICTURE), opened.table.cancel(identity))
    assert sorted(map(bool, won)) == [False, True]


async def test_the_same_job_put_many_times_at_once_is_one(opened: _Opened) -> None:
    identity = uuid4()
    puts = (opened.table.submit(identity, JobRequest("a")) for _ in range(10))
    seeds = {job.seed for job in await asyncio.gather(*puts)}
    assert len(seeds) == 1


async def test_different_jobs_put_at_once_under_one_id_have_one_winner(opened: _Opened) -> None:
    identity = uuid4()
    puts = (opened.table.submit(identity, JobRequest(str(n))) for n in range(5))
    results = await asyncio.gather(*puts, return_exceptions=True)
    assert sum(isinstance(result, Problem) for result in results) == 4


async def test_old_ended_jobs_are_forgotten(opened: _Opened) -> None:
    await opened.add("done")
    await opened.table.finish(await opened.claim(), _PICTURE)
    unfinished = await opened.add("waits")
    opened.clock.now = 100.0
    await opened.add("fresh")
    assert await opened.table.pictures() == {"p.png"}
    assert await opened.table.forget(101, 0) == []
    assert await opened.table.forget(99, 0) == ["p.png"]
    assert await opened.table.pictures() == set()
    assert await _state(opened, unfinished) == "queued"


async def test_cancelled_jobs_are_forgotten_sooner(opened: _Opened) -> None:
    cancelled = await opened.add("cancelled")
    await opened.table.cancel(cancelled)
    finished = await opened.add("finished")
    await opened.table.finish(await opened.claim(), _PICTURE)
    opened.clock.now = 100.0
    await opened.table.forget(1000, 101)
    assert await _state(opened, cancelled) == "cancelled"
    await opened.table.forget(1000, 99)
    assert await opened.table.get(cancelled) is None
    assert await _state(opened, finished) == "finished"


async def test_a_change_is_announced_to_who_looked_before(opened: _Opened) -> None:
    changed = opened.table.changed
    identity = await opened.add("a")
    assert changed.is_set()
    changed = opened.table.changed
    assert not changed.is_set()
    await opened.table.cancel(identity)
    assert changed.is_set()


async def test_what_changes_nothing_is_not_announced(opened: _Opened) -> None:
    identity = await opened.add("a")
    lost = await opened.claim()
    await opened.table.cancel(identity)
    changed = opened.table.changed
    await opened.table.cancel(identity)
    await opened.table.crash(lost)
    await opened.table.release(lost)
    await opened.table.finish(lost, _PICTURE)
    assert not changed.is_set()


async def test_the_end_of_a_job_is_told_however_it_comes(tmp_path: Path) -> None:
    async with _open(tmp_path, max_attempts=1) as opened:

        async def finish(claim: Job) -> None:
            await opened.table.finish(claim, _PICTURE)

        async def cancel(claim: Job) -> None:
            await opened.table.cancel(claim.id)

        async def crash(claim: Job) -> None:
            await opened.table.crash(claim)

        async def expire(_claim: Job) -> None:
            opened.clock.now += 61
            await opened.table.expire()

        async def recover(_claim: Job) -> None:
            await opened.table.recover("me")

        for end in (finish, cancel, crash, expire, recover):
            identity = await opened.add("a")
            other = opened.table.ended(await opened.add("waits"))
            ended = opened.table.ended(identity)
            claim = await opened.claim()
            assert not ended.is_set()
            await end(claim)
            assert ended.is_set(), end.__name__
            assert not other.is_set()
            await opened.table.release(await opened.claim())
            await opened.table.cancel((await opened.claim()).id)


async def test_who_waits_for_an_attended_job_is_told_that_it_is_dropped(opened: _Opened) -> None:
    identity = uuid4()
    ended = opened.table.ended(identity)
    await opened.table.submit(identity, JobRequest("a"), attendant="me")
    await opened.table.recover("me")
    assert ended.is_set()


async def test_what_was_begun_is_done_and_told_when_its_caller_has_gone(opened: _Opened) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(_connection: Connection) -> None:
        begun.set()
        go_on.wait()

    event.listen(opened.table._engine, "begin", hold, insert=True)
    changed, identity = opened.table.changed, uuid4()
    submitting = asyncio.create_task(opened.table.submit(identity, JobRequest("a cat")))
    await asyncio.to_thread(begun.wait)
    submitting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await submitting
    assert not changed.is_set()
    go_on.set()
    await changed.wait()
    assert await _state(opened, identity) == "queued"
