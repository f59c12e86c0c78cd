"""Claims: leased, fenced, broken and given up."""

import asyncio

import pytest

from generator.jobs.errors import Fault
from generator.jobs.leases import Leases
from generator.jobs.messages import JobRequest
from tests.generator.jobs.opening import IMAGE, OpenQueue

pytestmark = pytest.mark.each_database


async def test_a_job_that_keeps_breaking_is_given_up(opened: OpenQueue) -> None:
    identity = await opened.add("a")
    for attempt in (1, 2, 3):
        assert await opened.state(identity) == "queued"
        claim = await opened.claim()
        assert claim.attempts == attempt
        await opened.leases.recover(opened.leases.holder)  # the process died hard
    job = await opened.queue.get(identity)
    assert job is not None
    assert (job.state, job.error_code) == ("failed", "gave-up")
    assert "3 times" in (job.error_message or "")


async def test_a_start_frees_ones_own_leases_only(opened: OpenQueue) -> None:
    mine, other = await opened.add("mine"), await opened.add("other")
    await opened.claim()
    assert await opened.claims(leases=Leases(opened.database, "somebody else", 3))
    await opened.leases.recover(opened.leases.holder)
    assert await opened.state(mine) == "queued"
    assert await opened.state(other) == "running"


async def test_a_lease_runs_out_unless_it_is_renewed(opened: OpenQueue) -> None:
    identity = await opened.add("a")
    claim = await opened.claim()
    opened.clock.now = 59.0
    assert await opened.leases.renew([claim]) == 0
    opened.clock.now = 118.0
    assert await opened.leases.renew() == 0
    assert await opened.holds(claim)
    opened.clock.now = 120.0
    assert await opened.leases.renew() == 1
    assert await opened.state(identity) == "queued"
    assert not await opened.holds(claim)


async def test_a_claim_at_work_outlives_a_jump_of_the_clock(opened: OpenQueue) -> None:
    await opened.add("a")
    claim = await opened.claim()
    opened.clock.now = 1_000_000.0
    assert await opened.leases.renew([claim]) == 0
    assert await opened.holds(claim)


async def test_a_lost_claim_changes_nothing(opened: OpenQueue) -> None:
    identity = await opened.add("a")
    lost = await opened.claim()
    opened.clock.now = 61.0
    await opened.leases.renew()
    current = await opened.claim()
    assert not await opened.leases.finish(lost, IMAGE)
    assert not await opened.leases.fail(lost, Fault.CANNOT_COMPUTE, "no")
    assert not await opened.leases.crash(lost)
    assert not await opened.leases.release(lost)
    assert await opened.leases.renew([lost]) == 0
    assert await opened.holds(current)
    assert await opened.leases.finish(current, IMAGE)
    assert not await opened.leases.finish(current, IMAGE)
    assert await opened.state(identity) == "finished"


async def test_a_claim_on_a_deleted_job_does_not_fit_its_successor(opened: OpenQueue) -> None:
    identity = await opened.add("old")
    lost = await opened.claim()
    await opened.queue.cancel(identity)
    await opened.queue.delete(identity)
    await opened.queue.submit(identity, JobRequest("new"))
    await opened.claim()
    assert not await opened.leases.finish(lost, IMAGE)


async def test_cancel_and_finish_have_one_winner(opened: OpenQueue) -> None:
    identity = await opened.add("a")
    claim = await opened.claim()
    won = await asyncio.gather(opened.leases.finish(claim, IMAGE), opened.queue.cancel(identity))
    assert sorted(map(bool, won)) == [False, True]
