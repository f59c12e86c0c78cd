"""The order of computation: fair between owners, first in first out within one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.jobs.tables import Job
from tests.generator.jobs.opening import IMAGE, OpenQueue, open_queue

pytestmark = pytest.mark.each_database


async def test_owners_take_turns_and_the_jobs_of_one_are_first_in_first_out(
    opened: OpenQueue,
) -> None:
    for name in ("a1", "a2", "a3", "b1", "c1", "b2"):
        await opened.add(name, owner=name[0])
    expected = ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert await opened.order() == expected
    assert [(await opened.claim()).prompt for _ in expected] == expected
    assert await opened.claims() == []


async def test_an_owner_with_many_jobs_does_not_hold_up_a_newcomer(opened: OpenQueue) -> None:
    for number in range(5):
        await opened.add(f"a{number}", owner="a")
    await opened.claim()
    await opened.add("b0", owner="b")
    assert await opened.order() == ["a0", "b0", "a1", "a2", "a3", "a4"]


async def test_a_turn_is_remembered_when_the_job_is_deleted(opened: OpenQueue) -> None:
    for name in ("a1", "a2", "b1"):
        await opened.add(name, owner=name[0])
    first = await opened.claim()
    await opened.leases.finish(first, IMAGE)
    await opened.queue.delete(first.id)
    assert (await opened.claim()).prompt == "b1"


async def test_newcomers_do_not_hold_up_who_was_served_before(opened: OpenQueue) -> None:
    for name in ("a1", "a2"):
        await opened.add(name, owner="a")
    done = [await opened.claim()]
    for number in range(5):
        await opened.add(f"n{number}", owner=f"n{number}")
        await opened.leases.finish(done[-1], IMAGE)
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
        url = f"sqlite:///{folder}/jobs.db"
        async with open_queue(Path(folder), url, max_attempts=100) as opened:
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


async def _act(opened: OpenQueue, action: str, claims: list[Job], names: Iterator[str]) -> None:
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


async def test_a_released_job_is_the_very_next_and_loses_no_attempt(opened: OpenQueue) -> None:
    for name in ("a1", "a2", "b1"):
        await opened.add(name, owner=name[0])
    claim = await opened.claim()
    await opened.add("c1", owner="c")
    assert await opened.leases.release(claim)
    assert await opened.order() == ["a1", "b1", "c1", "a2"]
    again = await opened.claim()
    assert (again.id, again.attempts) == (claim.id, 1)


async def test_a_broken_job_goes_behind_all_of_its_owners_jobs(opened: OpenQueue) -> None:
    for name in ("a1", "a2", "b1"):
        await opened.add(name, owner=name[0])
    assert await opened.leases.crash(await opened.claim())
    assert await opened.order() == ["b1", "a2", "a1"]
