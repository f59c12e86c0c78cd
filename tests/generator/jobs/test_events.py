"""Who waits for a change is told of it, once."""

import asyncio
import threading
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, event

from generator.jobs.messages import JobRequest
from generator.jobs.tables import Job
from tests.generator.jobs.opening import IMAGE, OpenQueue, open_queue

pytestmark = pytest.mark.each_database


async def test_a_change_is_announced_to_who_looked_before(opened: OpenQueue) -> None:
    changed = opened.queue.events.changed
    identity = await opened.add("a")
    assert changed.is_set()
    changed = opened.queue.events.changed
    assert not changed.is_set()
    await opened.queue.cancel(identity)
    assert changed.is_set()


async def test_what_changes_nothing_is_not_announced(opened: OpenQueue) -> None:
    identity = await opened.add("a")
    lost = await opened.claim()
    await opened.queue.cancel(identity)
    changed = opened.queue.events.changed
    await opened.queue.cancel(identity)
    await opened.leases.crash(lost)
    await opened.leases.release(lost)
    await opened.leases.finish(lost, IMAGE)
    assert not changed.is_set()


async def test_the_end_of_a_job_is_told_however_it_comes(tmp_path: Path, database_url: str) -> None:
    async with open_queue(tmp_path, database_url, max_attempts=1) as opened:

        async def finish(claim: Job) -> None:
            await opened.leases.finish(claim, IMAGE)

        async def cancel(claim: Job) -> None:
            await opened.queue.cancel(claim.id)

        async def crash(claim: Job) -> None:
            await opened.leases.crash(claim)

        async def expire(_claim: Job) -> None:
            opened.clock.now += 61
            await opened.leases.renew()

        async def recover(_claim: Job) -> None:
            await opened.leases.recover(opened.leases.holder)

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


async def test_who_waits_for_a_job_is_told_that_it_is_dropped(opened: OpenQueue) -> None:
    identity = uuid4()
    ended = opened.queue.events.ended(identity)
    await opened.queue.submit(identity, JobRequest("a"), waiter="me")
    await opened.leases.recover(opened.leases.holder)
    assert ended.is_set()


async def test_what_was_begun_is_done_and_told_when_its_caller_has_gone(opened: OpenQueue) -> None:
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
    assert await opened.state(identity) == "queued"
