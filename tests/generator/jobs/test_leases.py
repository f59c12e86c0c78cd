"""The job queue: fair, leased, fenced, bounded."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from generator.jobs.database import JobDatabase
from generator.jobs.defaults import OfferedPresets
from generator.jobs.errors import Fault, JobConflict
from generator.jobs.leases import Leases
from generator.jobs.maintenance import Maintenance
from generator.jobs.messages import JobRequest
from generator.jobs.queue import JobQueue
from generator.jobs.results import Results, StoredImage
from generator.jobs.tables import Job
from lookalike.blobs import LocalBlobs

_IMAGE = StoredImage("00/key-1-00000000", 8, 8, "0" * 64)


@dataclass
class _Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class _Opened:
    database: JobDatabase
    queue: JobQueue
    leases: Leases
    maintenance: Maintenance
    clock: _Clock
    names: dict[UUID, str] = field(default_factory=dict)

    async def add(self, name: str, owner: str = "") -> UUID:
        """A job whose prompt is its name."""
        identity = uuid4()
        await self.queue.submit(identity, JobRequest(name, owner=owner))
        self.names[identity] = name
        return identity

    async def claims(self, count: int = 1, leases: Leases | None = None) -> list[Job]:
        claimed = leases or self.leases
        return await claimed.claim("model", lambda _order, _waiting: count, count)

    async def claim(self) -> Job:
        (job,) = await self.claims()
        return job

    async def holds(self, claim: Job) -> bool:
        return await self.leases.held([claim]) == {claim.id}

    async def order(self) -> list[str]:
        """The unfinished jobs as the positions have them."""
        _, order = await self.queue.look_up(list(self.names))
        return [self.names[queued.id] for queued in order]

    async def image_keys(self) -> set[str | None]:
        found, _ = await self.queue.look_up(list(self.names))
        return {job.image_key for job in found.values()} - {None}


@asynccontextmanager
async def _open(folder: Path, *, max_attempts: int = 3) -> AsyncGenerator[_Opened]:
    database = JobDatabase(f"sqlite:///{folder / 'jobs.db'}")
    clock = _Clock()
    try:
        yield _Opened(
            database,
            JobQueue(database, OfferedPresets(), 1000, clock),
            Leases(database, "me", max_attempts, clock=clock),
            Maintenance(database, Results(LocalBlobs(folder / "results"), ()), (), clock),
            clock,
        )
    finally:
        await database.close()


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncGenerator[_Opened]:
    async with _open(tmp_path) as found:
        yield found


async def _state(opened: _Opened, identity: UUID) -> str:
    job = await opened.queue.get(identity)
    assert job is not None
    return job.state


async def test_owners_take_turns_and_the_jobs_of_one_are_first_in_first_out(
    opened: _Opened,
) -> None:
    for name in ("a1", "a2", "a3", "b1", "c1", "b2"):
        await opened.add(name, owner=name[0])
    expected = ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert await opened.order() == expected
    assert [(await opened.claim()).prompt for _ in expected] == expected
    assert await opened.claims() == []


async def test_an_owner_with_many_jobs_does_not_hold_up_a_newcomer(opened: _Opened) -> None:
    for number in range(5):
        await opened.add(f"a{number}", owner="a")
    await opened.claim()
    await opened.add("b0", owner="b")
    assert await opened.order() == ["a0", "b0", "a1", "a2", "a3", "a4"]


async def test_a_turn_is_remembered_when_the_job_is_deleted(opened: _Opened) -> None:
    for name in ("a1", "a2", "b1"):
        await opened.add(name, owner=name[0])
    first = await opened.claim()
    await opened.leases.finish(first, _IMAGE)
    await opened.queue.delete(first.id)
    assert (await opened.claim()).prompt == "b1"


async def test_newcomers_do_not_hold_up_who_was_served_before(opened: _Opened) -> None:
    for name in ("a1", "a2"):
        await opened.add(name, owner="a")
    done = [await opened.claim()]
    for number in range(5):
        await opened.add(f"n{number}", owner=f"n{number}")
        await opened.leases.finish(done[-1], _IMAGE)
        await opened.maintenance.expire(0, 0)  # and with it, who waits for nothing
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
                await opened.queue.cancel(claim.id)
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
            await opened.leases.crash(claim)
        elif action == "release":
            await opened.leases.release(claim)
        else:
            await opened.queue.cancel(claim.id)


async def test_a_released_job_is_the_very_next_and_loses_no_attempt(opened: _Opened) -> None:
    for name in ("a1", "a2", "b1"):
        await opened.add(name, owner=name[0])
    claim = await opened.claim()
    await opened.add("c1", owner="c")
    assert await opened.leases.release(claim)
    assert await opened.order() == ["a1", "b1", "c1", "a2"]
    again = await opened.claim()
    assert (again.id, again.attempts) == (claim.id, 1)


async def test_a_broken_job_goes_behind_all_of_its_owners_jobs(opened: _Opened) -> None:
    for name in ("a1", "a2", "b1"):
        await opened.add(name, owner=name[0])
    assert await opened.leases.crash(await opened.claim())
    assert await opened.order() == ["b1", "a2", "a1"]


async def test_a_job_that_keeps_breaking_is_given_up(opened: _Opened) -> None:
    identity = await opened.add("a")
    for attempt in (1, 2, 3):
        assert await _state(opened, identity) == "queued"
        claim = await opened.claim()
        assert claim.attempts == attempt
        await opened.leases.recover()  # the process died hard
    job = await opened.queue.get(identity)
    assert job is not None
    assert (job.state, job.error_code) == ("failed", "gave-up")
    assert "3 times" in (job.error_message or "")


async def test_a_start_frees_ones_own_leases_only(opened: _Opened) -> None:
    mine, other = await opened.add("mine"), await opened.add("other")
    await opened.claim()
    assert await opened.claims(leases=Leases(opened.database, "somebody else", 3))
    await opened.leases.recover()
    assert await _state(opened, mine) == "queued"
    assert await _state(opened, other) == "running"


async def test_a_lease_runs_out_unless_it_is_renewed(opened: _Opened) -> None:
    identity = await opened.add("a")
    claim = await opened.claim()
    opened.clock.now = 59.0
    assert await opened.leases.renew([claim]) == 0
    opened.clock.now = 118.0
    assert await opened.leases.renew() == 0
    assert await opened.holds(claim)
    opened.clock.now = 120.0
    assert await opened.leases.renew() == 1
    assert await _state(opened, identity) == "queued"
    assert not await opened.holds(claim)


async def test_a_claim_at_work_outlives_a_jump_of_the_clock(opened: _Opened) -> None:
    await opened.add("a")
    claim = await opened.claim()
    opened.clock.now = 1_000_000.0
    assert await opened.leases.renew([claim]) == 0
    assert await opened.holds(claim)


async def test_a_lost_claim_changes_nothing(opened: _Opened) -> None:
    identity = await opened.add("a")
    lost = await opened.claim()
    opened.clock.now = 61.0
    await opened.leases.renew()
    current = await opened.claim()
    assert not await opened.leases.finish(lost, _IMAGE)
    assert not await opened.leases.fail(lost, Fault.CANNOT_COMPUTE, "no")
    assert not await opened.leases.crash(lost)
    assert not await opened.leases.release(lost)
    assert await opened.leases.renew([lost]) == 0
    assert await opened.holds(current)
    assert await opened.leases.finish(current, _IMAGE)
    assert not await opened.leases.finish(current, _IMAGE)
    assert await _state(opened, identity) == "finished"


async def test_a_claim_on_a_deleted_job_does_not_fit_its_successor(opened: _Opened) -> None:
    identity = await opened.add("old")
    lost = await opened.claim()
    await opened.queue.cancel(identity)
    await opened.queue.delete(identity)
    await opened.queue.submit(identity, JobRequest("new"))
    await opened.claim()
    assert not await opened.leases.finish(lost, _IMAGE)


async def test_cancel_and_finish_have_one_winner(opened: _Opened) -> None:
    identity = await opened.add("a")
    claim = await opened.claim()
    won = await asyncio.gather(opened.leases.finish(claim, _IMAGE), opened.queue.cancel(identity))
    assert sorted(map(bool, won)) == [False, True]


async def test_the_same_job_put_many_times_at_once_is_one(opened: _Opened) -> None:
    identity = uuid4()
    puts = (opened.queue.submit(identity, JobRequest("a")) for _ in range(10))
    seeds = {job.seed for job in await asyncio.gather(*puts)}
    assert len(seeds) == 1


async def test_different_jobs_put_at_once_under_one_id_have_one_winner(opened: _Opened) -> None:
    identity = uuid4()
    puts = (opened.queue.submit(identity, JobRequest(str(n))) for n in range(5))
    results = await asyncio.gather(*puts, return_exceptions=True)
    assert sum(isinstance(result, JobConflict) for result in results) == 4


async def test_old_ended_jobs_expire(opened: _Opened) -> None:
    await opened.add("done")
    await opened.leases.finish(await opened.claim(), _IMAGE)
    unfinished = await opened.add("waits")
    opened.clock.now = 100.0
    await opened.add("fresh")
    await opened.maintenance.expire(101, 0)
    assert await opened.image_keys() == {_IMAGE.key}
    await opened.maintenance.expire(99, 0)
    assert await opened.image_keys() == set()
    assert await _state(opened, unfinished) == "queued"


async def test_cancelled_jobs_expire_sooner(opened: _Opened) -> None:
    cancelled = await opened.add("cancelled")
    await opened.queue.cancel(cancelled)
    finished = await opened.add("finished")
    await opened.leases.finish(await opened.claim(), _IMAGE)
    opened.clock.now = 100.0
    await opened.maintenance.expire(1000, 101)
    assert await _state(opened, cancelled) == "cancelled"
    await opened.maintenance.expire(1000, 99)
    assert await opened.queue.get(cancelled) is None
    assert await _state(opened, finished) == "finished"


async def test_a_change_is_announced_to_who_looked_before(opened: _Opened) -> None:
    changed = opened.queue.events.changed
    identity = await opened.add("a")
    assert changed.is_set()
    changed = opened.queue.events.changed
    assert not changed.is_set()
    await opened.queue.cancel(identity)
    assert changed.is_set()


async def test_what_changes_nothing_is_not_announced(opened: _Opened) -> None:
    identity = await opened.add("a")
    lost = await opened.claim()
    await opened.queue.cancel(identity)
    changed = opened.queue.events.changed
    await opened.queue.cancel(identity)
    await opened.leases.crash(lost)
    await opened.leases.release(lost)
    await opened.leases.finish(lost, _IMAGE)
    assert not changed.is_set()


async def test_the_end_of_a_job_is_told_however_it_comes(tmp_path: Path) -> None:
    async with _open(tmp_path, max_attempts=1) as opened:

        async def finish(claim: Job) -> None:
            await opened.leases.finish(claim, _IMAGE)

        async def cancel(claim: Job) -> None:
            await opened.queue.cancel(claim.id)

        async def crash(claim: Job) -> None:
            await opened.leases.crash(claim)

        async def expire(_claim: Job) -> None:
            opened.clock.now += 61
            await opened.leases.renew()

        async def recover(_claim: Job) -> None:
            await opened.leases.recover()

        for end in (finish, cancel, crash, expire, recover):
            identity = await opened.add("a")
            other = opened.queue.events.ended(await opened.add("waits"))
            ended = opened.queue.events.ended(identity)
            claim = await opened.claim()
            assert not ended.is_set()
            await end(claim)
            assert ended.is_set(), end.__name__
            assert not other.is_set()
            await opened.leases.release(await opened.claim())
            await opened.queue.cancel((await opened.claim()).id)


async def test_who_waits_for_a_job_is_told_that_it_is_dropped(opened: _Opened) -> None:
    identity = uuid4()
    ended = opened.queue.events.ended(identity)
    await opened.queue.submit(identity, JobRequest("a"), waiter="me")
    await opened.leases.recover()
    assert ended.is_set()


async def test_what_was_begun_is_done_and_told_when_its_caller_has_gone(opened: _Opened) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(_connection: Connection) -> None:
        begun.set()
        go_on.wait()

    event.listen(opened.database._engine, "begin", hold, insert=True)
    changed, identity = opened.queue.events.changed, uuid4()
    submitting = asyncio.create_task(opened.queue.submit(identity, JobRequest("a cat")))
    await asyncio.to_thread(begun.wait)
    submitting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await submitting
    assert not changed.is_set()
    go_on.set()
    await changed.wait()
    assert await _state(opened, identity) == "queued"
