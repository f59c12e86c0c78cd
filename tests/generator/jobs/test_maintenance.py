"""What is old is deleted."""

import os
import time
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from generator.jobs.clock import clock_of
from generator.jobs.maintenance import Maintenance
from generator.jobs.results import Results
from generator.tasks import Picture
from lookalike import sqlite
from lookalike.sqlite import KEEP_COPIES
from tests.generator.jobs.opening import IMAGE, OpenQueue
from tests.generator.stack import Stack

pytestmark = pytest.mark.each_database


async def test_old_ended_jobs_expire(opened: OpenQueue) -> None:
    await opened.add("done")
    await opened.leases.finish(await opened.claim(), IMAGE)
    unfinished = await opened.add("waits")
    opened.clock.now = 100.0
    await opened.add("fresh")
    await opened.maintenance.expire(101, 0)
    assert await opened.image_keys() == {IMAGE.key}
    await opened.maintenance.expire(99, 0)
    assert await opened.image_keys() == set()
    assert await opened.state(unfinished) == "queued"


async def test_cancelled_jobs_expire_sooner(opened: OpenQueue) -> None:
    cancelled = await opened.add("cancelled")
    await opened.queue.cancel(cancelled)
    finished = await opened.add("finished")
    await opened.leases.finish(await opened.claim(), IMAGE)
    opened.clock.now = 100.0
    await opened.maintenance.expire(1000, 101)
    assert await opened.state(cancelled) == "cancelled"
    await opened.maintenance.expire(1000, 99)
    assert await opened.queue.get(cancelled) is None
    assert await opened.state(finished) == "finished"


async def test_what_a_loop_left_behind_is_deleted_in_parts(
    opened: OpenQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Submitted and cancelled for an hour, that is a million; nobody waits for all of them."""
    monkeypatch.setattr("generator.jobs.maintenance._AT_ONCE", 2)
    ids = [await opened.add(str(number)) for number in range(5)]
    for job_id in ids:
        await opened.queue.cancel(job_id)
    opened.clock.now = 100.0
    commits: list[object] = []
    event.listen(opened.database._engine, "commit", commits.append)
    await opened.maintenance.expire(1000, 99)
    assert len(commits) == 4  # the last finds nothing
    assert not [job_id for job_id in ids if await opened.queue.get(job_id)]


@pytest.mark.parametrize("jump", [-3600.0, 9 * 24 * 3600.0])
def test_ages_and_leases_do_not_see_the_machines_clock_jump(
    jump: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, session = clock_of(sqlite), Session()
    before = clock(session)
    assert abs(before - time.time()) < 60
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + jump)
    assert 0 <= clock(session) - before < 60


async def test_what_ended_in_the_future_is_not_kept_for_ever(opened: OpenQueue) -> None:
    opened.clock.now = 9 * 24 * 3600.0  # the clock was wrong, and the process ends meanwhile
    ended = await opened.add("ended")
    await opened.leases.finish(await opened.claim(), IMAGE)
    opened.clock.now = 0.0
    await opened.maintenance.expire(100, 100)
    assert await opened.state(ended) == "finished"
    opened.clock.now = 101.0
    await opened.maintenance.expire(100, 100)
    assert await opened.queue.get(ended) is None


async def test_a_sweep_takes_what_no_job_names_once_it_is_old(stack: Stack) -> None:
    stack.executor.go()
    await stack.reach(await stack.put(), "finished")
    (named,) = stack.images
    results = Results(stack.generator.blobs, ())
    young, old = [
        await results.put(str(UUID(int=number)), 99, Picture(b"png", 8, 8)) for number in (1, 2)
    ]
    an_hour_ago = time.time() - 3600
    for file in (named, stack.results / old.key):
        os.utime(file, (an_hour_ago, an_hour_ago))
    uploads = stack.generator.uploads
    await Maintenance(stack.generator.database, results, uploads, ()).sweep(older_than=1800)
    assert set(stack.images) == {named, stack.results / young.key}


async def test_a_sweep_takes_the_copy_from_before_an_upgrade_once_it_is_old(
    stack: Stack, tmp_path: Path
) -> None:
    database = stack.generator.database
    folder = tmp_path / "generator"
    young, old = [folder / f"jobs.db.version-{number}" for number in (1, 2)]
    for copy in (young, old):
        copy.write_bytes(b"")
    long_ago = time.time() - KEEP_COPIES.total_seconds() - 60
    os.utime(old, (long_ago, long_ago))
    results = Results(stack.generator.blobs, ())
    await Maintenance(database, results, stack.generator.uploads, ()).sweep()
    assert young.exists()
    assert not old.exists()
