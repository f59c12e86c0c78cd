"""Several holders on one queue: none touches what another one works on, until that is dead."""

import asyncio
import errno
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from generator.jobs.leases import Leases
from generator.jobs.messages import JobRequest
from generator.jobs.results import Results
from generator.jobs.tables import Job
from generator.jobs.uploads import Uploads
from generator.tasks import Picture
from lookalike import places
from lookalike.blobs.local import LocalBlobs
from tests.generator.jobs.opening import IMAGE, OpenQueue

pytestmark = pytest.mark.each_database

_PICTURE = Picture(b"png", 8, 8)


def _other(opened: OpenQueue, name: str = "other") -> Leases:
    return Leases(opened.database, name, 3)


async def _row(opened: OpenQueue, claim: Job) -> Job:
    found = await opened.queue.get(claim.id)
    assert found is not None
    return found


async def test_owners_take_turns_whoever_claims(opened: OpenQueue) -> None:
    for name in ("a1", "a2", "a3", "b1", "c1", "b2"):
        await opened.add(name, owner=name[0])
    foretold = await opened.order()
    holders = [opened.leases, _other(opened)] * 3
    claims = [(await opened.claims(leases=holder))[0] for holder in holders]
    assert [claim.prompt for claim in claims] == foretold == ["a1", "b1", "c1", "a2", "b2", "a3"]


async def test_of_many_claims_at_once_no_two_have_a_job(opened: OpenQueue) -> None:
    for number in range(20):
        await opened.add(str(number), owner=str(number % 3))
    holders = [_other(opened, str(number)) for number in range(4)]
    batches = await asyncio.gather(*(opened.claims(2, holder) for holder in holders * 3))
    ids = [claim.id for claims in batches for claim in claims]
    assert len(ids) == len(set(ids)) == 20


async def test_a_dead_holders_job_is_free_when_its_lease_runs_out(opened: OpenQueue) -> None:
    identity = await opened.add("a")
    other = _other(opened)
    await other.recover()
    await opened.claims(leases=other)
    await opened.leases.renew()
    assert await opened.pass_seconds(59.0) == 0
    assert await opened.state(identity) == "running"
    assert await opened.pass_seconds(2.0) == 1
    again = await opened.claim()
    assert (again.id, again.attempts) == (identity, 2)


async def test_what_a_dead_holder_waited_for_dies_with_it(opened: OpenQueue) -> None:
    other = _other(opened)
    await other.recover()
    await opened.queue.submit(identity := uuid4(), JobRequest("a"), waiter=other.holder)
    ended = opened.queue.events.ended(identity)
    await opened.leases.renew()
    await opened.pass_seconds(59.0)
    await other.renew()
    await opened.pass_seconds(2.0)
    assert await opened.queue.get(identity) is not None
    await opened.pass_seconds(59.0)
    assert await opened.queue.get(identity) is None
    assert ended.is_set()


async def test_whoever_leaves_frees_at_once_what_it_could_not_give_back(opened: OpenQueue) -> None:
    identity = await opened.add("a")
    other = _other(opened)
    await other.recover()
    await opened.claims(leases=other)
    await other.leave()
    opened.clock.now = 1.0
    assert await opened.leases.renew() == 1
    assert await opened.state(identity) == "queued"


async def test_who_was_taken_for_dead_has_lost_its_claims_and_goes_on(opened: OpenQueue) -> None:
    identity = await opened.add("a")
    other = _other(opened)
    await other.recover()
    (lost,) = await opened.claims(leases=other)
    await opened.leases.renew()
    await opened.pass_seconds(61.0)
    assert await other.renew([lost], 1) == 0
    assert not await other.finish(lost, IMAGE)
    (again,) = await opened.claims(leases=other)
    assert await other.finish(again, IMAGE)
    assert await opened.state(identity) == "finished"


async def test_a_database_that_was_away_costs_nobody_an_attempt(opened: OpenQueue) -> None:
    identity = await opened.add("a")
    other = _other(opened)
    await other.recover()
    (claim,) = await opened.claims(leases=other)
    await opened.leases.renew()
    await opened.pass_seconds(30.0)
    opened.clock.now += 600.0  # nobody could renew
    assert await opened.leases.renew() == 0
    assert await opened.pass_seconds(45.0) == 0
    assert await other.renew([claim], 1) == 0
    assert await opened.pass_seconds(55.0) == 0
    assert await opened.state(identity) == "running"
    assert await opened.pass_seconds(10.0) == 1  # by now it has had the time


async def test_claims_of_which_a_commit_told_nothing_are_given_back(
    opened: OpenQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("known", "unknown", "other"):
        await opened.add(name)
    (known,) = await opened.claims()
    claim = opened.leases._claim

    async def break_off(*args: Any) -> list[Job]:
        await claim(*args)
        raise OSError(errno.EIO, "the database: it broke off")

    with monkeypatch.context() as broken:
        broken.setattr(opened.leases, "_claim", break_off)
        with pytest.raises(OSError, match="it broke off"):
            await opened.leases.claim("model", lambda _order, _waiting: 1, 1, [known])
    opened.clock.now += 600.0
    assert await opened.leases.renew([known]) == 0
    (again,) = await opened.leases.claim("model", lambda _order, _waiting: 1, 1, [known])
    assert (again.prompt, again.attempts) == ("unknown", 1)
    assert await opened.holds(known)


async def test_all_computed_at_once_is_known_to_each(opened: OpenQueue) -> None:
    other = _other(opened)
    for holder in (opened.leases, other):
        await holder.recover()
        await holder.renew((), 2)
    identity = await opened.add("a")
    assert (await opened.queue.look_up([identity]))[1].capacity == 4
    await other.leave()
    assert (await opened.queue.look_up([identity]))[1].capacity == 2


async def test_steps_are_told_and_a_lost_claims_are_not(opened: OpenQueue) -> None:
    await opened.add("a")
    claim = await opened.claim()
    await opened.leases.note_steps([(claim, 7, 0.5)])
    found = await _row(opened, claim)
    assert (found.step, found.step_seconds) == (7, 0.5)
    await opened.leases.crash(claim)
    again = await opened.claim()
    await opened.leases.note_steps([(claim, 8, 0.5)])
    found = await _row(opened, again)
    assert (found.step, found.step_seconds) == (0, None)


async def test_a_sweep_spares_what_others_are_about_to_name(
    opened: OpenQueue, tmp_path: Path
) -> None:
    blobs = LocalBlobs(tmp_path / "results")
    results = Results(blobs, ())
    other = _other(opened)
    fence = await other.recover()
    await opened.add("a")
    (claim,) = await opened.claims(leases=other)
    computed = await results.put(str(claim.id), claim.fence, _PICTURE)
    uploaded = await results.put("a" * 64, fence, _PICTURE)
    await opened.maintenance.sweep()
    assert await blobs.missing([computed.key, uploaded.key]) == set()
    assert await other.finish(claim, computed)
    await opened.leases.renew()
    await opened.pass_seconds(61.0)  # it dies without having named the other one
    await opened.maintenance.sweep()
    assert await blobs.missing([computed.key, uploaded.key]) == {uploaded.key}


async def test_a_sweep_takes_what_a_lost_claim_left(opened: OpenQueue, tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "results")
    await opened.add("a")
    claim = await opened.claim()
    image = await Results(blobs, ()).put(str(claim.id), claim.fence, _PICTURE)
    await opened.leases.crash(claim)
    await opened.claim()
    await opened.maintenance.sweep()
    assert await blobs.missing([image.key]) == {image.key}


async def test_an_upload_has_its_takers_fence(opened: OpenQueue, tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "uploads")
    fence = await opened.leases.recover()
    uploads = Uploads(opened.database, Results(blobs, ()), (), fence=fence)
    await uploads.add("a" * 64, _PICTURE)
    (key,) = [key async for key in blobs.list()]
    assert key.startswith(f"a/{'a' * 64}-{fence}-")


def test_a_place_names_who_died_there_and_nobody_who_lives(tmp_path: Path) -> None:
    first = places.take(tmp_path, "generator")
    first.sign()
    second = places.take(tmp_path, "generator")
    second.sign()
    assert first.before is second.before is None
    assert first.holder != second.holder
    first.close()
    third = places.take(tmp_path, "generator")
    assert third.before == first.holder
    assert third.holder not in {first.holder, second.holder}
    third.close()  # killed before it has freed anything
    fourth = places.take(tmp_path, "generator")
    assert fourth.before == first.holder
    fourth.close()
    second.close()
