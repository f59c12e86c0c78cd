"""Two stores on one queue in PostgreSQL: what one of them decides holds for the other."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from generator.jobs import following
from generator.jobs.database import MIGRATIONS, JobDatabase
from generator.jobs.defaults import OfferedPresets
from generator.jobs.errors import ImageInUse, QueueFull, UnknownImage
from generator.jobs.following import Follower
from generator.jobs.leases import Leases
from generator.jobs.messages import InitImage, JobRequest
from generator.jobs.queue import JobQueue
from generator.jobs.results import Results
from generator.jobs.tables import Job
from generator.jobs.uploads import Uploads
from generator.tasks import Picture
from lookalike.blobs.local import LocalBlobs
from lookalike.database import create_engine
from lookalike.migrations import migrate
from tests import postgresql
from tests.generator.jobs.opening import IMAGE

pytestmark = [pytest.mark.slow, pytest.mark.scale]

_LIMIT = 60


@dataclass
class Side:
    """One process's view of the queue: eight transactions at once."""

    database: JobDatabase
    queue: JobQueue
    leases: Leases

    async def add(self, name: str) -> UUID:
        """A job of the owner with the name's first letter."""
        identity = uuid4()
        await self.queue.submit(identity, JobRequest(name, owner=name[0]))
        return identity

    async def claim(self, count: int = 1) -> list[Job]:
        return await self.leases.claim("model", lambda _order, _waiting: count, count)


@pytest.fixture
async def sides(server: postgresql.Server, template: str) -> AsyncIterator[Sequence[Side]]:
    name = server.create(template)
    two = []
    for number in range(2):
        database = JobDatabase(server.url(name))
        leases = Leases(database, f"holder-{number}", 3)
        await leases.recover()
        two.append(Side(database, JobQueue(database, OfferedPresets(), _LIMIT), leases))
    yield two
    for side in two:
        await side.database.close()
    server.drop(name)


async def test_no_job_is_claimed_twice_and_owners_take_turns(sides: Sequence[Side]) -> None:
    names = [f"{owner}{number}" for number in range(12) for owner in "abc"]
    ids = {await sides[0].add(name): name for name in (*names, *(f"d{n}" for n in range(4)))}
    foretold = [ids[each.id] for each in (await sides[0].queue.look_up(list(ids)))[1].jobs]
    found = await asyncio.gather(*(sides[n % 2].claim(n % 2 + 1) for n in range(40)))
    claims = [claim for each in found for claim in each]
    assert Counter(claim.id for claim in claims) == Counter(ids.keys())
    assert {claim.attempts for claim in claims} == {1}
    assert [each.prompt for each in sorted(claims, key=lambda claim: claim.fence)] == foretold


async def test_no_more_are_taken_than_may_wait(sides: Sequence[Side]) -> None:
    calls = (sides[n % 2].add(f"a{n}") for n in range(_LIMIT + 40))
    found = await asyncio.gather(*calls, return_exceptions=True)
    refused = [each for each in found if isinstance(each, BaseException)]
    assert {type(each) for each in refused} == {QueueFull}
    assert len(refused) == 40


async def test_newcomers_that_come_at_once_wait_for_their_turns(sides: Sequence[Side]) -> None:
    await asyncio.gather(*(sides[n % 2].add(f"{'abcdefgh'[n % 8]}{n}") for n in range(48)))
    claims = [(await sides[n % 2].claim())[0] for n in range(48)]
    rounds = [{each.owner for each in claims[n : n + 8]} for n in range(0, 48, 8)]
    assert rounds == [set("abcdefgh")] * 6


async def test_either_of_cancel_and_finish_wins_and_of_break_and_renewal(
    sides: Sequence[Side],
) -> None:
    here, there = sides
    for number in range(20):
        await here.add(f"a{number}")
        (claim,) = await here.claim()
        ends = here.leases.finish(claim, IMAGE), there.queue.cancel(claim.id)
        finished, cancelled = await asyncio.gather(*ends)
        assert finished == (cancelled is None)
        await there.add(f"b{number}")
        (claim,) = await here.claim()
        done, _, _ = await asyncio.gather(
            here.leases.finish(claim, IMAGE),
            here.leases.renew([claim]),
            there.leases.recover(here.leases.holder),
        )
        job = await there.queue.get(claim.id)
        assert job is not None
        assert job.state == ("finished" if done else "queued")
        await there.queue.cancel(claim.id)
        await here.leases.recover()


async def test_what_a_job_starts_from_is_not_deleted_under_it(
    sides: Sequence[Side], tmp_path_factory: pytest.TempPathFactory
) -> None:
    results = Results(LocalBlobs(tmp_path_factory.mktemp("blobs")), ())
    uploads = [Uploads(side.database, results, (), fence=1) for side in sides]
    for number in range(20):
        sha256 = f"{number:064x}"
        added = await asyncio.gather(*(each.add(sha256, Picture(b"p", 8, 8)) for each in uploads))
        assert sorted(added) == [False, True]
        request = JobRequest("a", init_image=InitImage(sha256, 0.5))
        submitted, deleted = await asyncio.gather(
            sides[0].queue.submit(uuid4(), request),
            uploads[1].delete(sha256),
            return_exceptions=True,
        )
        if isinstance(submitted, Job):
            assert isinstance(deleted, ImageInUse)
            assert await uploads[1].find(sha256)
        else:
            assert isinstance(submitted, UnknownImage)
            assert deleted is None


async def test_all_that_waits_is_told_as_of_one_moment(sides: Sequence[Side]) -> None:
    here, there = sides
    ids = [await here.add(f"a{number}") for number in range(8)]

    async def toss() -> None:
        for _ in range(40):
            (claim,) = await here.claim()
            await here.leases.release(claim)

    tossing = asyncio.create_task(toss())
    while not tossing.done():
        jobs, line = await there.queue.look_up(ids)
        assert sorted(each.id for each in line.jobs) == sorted(ids)
        running = {each.id for each in line.jobs if each.running}
        assert running == {each.id for each in jobs.values() if each.state == "running"}
    await tossing


async def test_what_one_changes_the_other_hears_at_once(
    sides: Sequence[Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_LOOK_SECONDS", 60.0)
    monkeypatch.setattr(following, "_LISTEN_SECONDS", 0.05)
    here, there = sides
    follower, stop = Follower(there.database, ()), asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(follower.follow(stop))
        group.create_task(follower.listen(stop))
        identity = await here.add("a")
        ended = there.database.events.ended(identity)
        (claim,) = await there.claim()
        await here.leases.finish(claim, IMAGE)
        await ended.wait()
        # Cut off, it hears nothing, and so it looks as soon as it is back.
        changed = there.database.events.changed
        await here.database.run(_cut_off_all_who_listen)
        await here.add("b")
        await changed.wait()
        stop.set()


def _cut_off_all_who_listen(session: Session) -> None:
    listening = "query LIKE 'LISTEN%' AND datname = current_database()"
    session.execute(
        text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listening}")
    )


async def test_several_upgrade_at_once(server: postgresql.Server) -> None:
    name = server.create()
    engines = [create_engine(server.url(name)) for _ in range(4)]
    await asyncio.gather(*(asyncio.to_thread(migrate, each, MIGRATIONS) for each in engines))
    for engine in engines:
        engine.dispose()
    database = JobDatabase(server.url(name))
    queue = JobQueue(database, OfferedPresets(), 1)
    assert (await queue.submit(uuid4(), JobRequest("a"))).state == "queued"
    await database.close()
    server.drop(name)
