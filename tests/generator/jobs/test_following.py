"""What other processes change is noticed."""

from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from generator.jobs.clock import advance
from generator.jobs.following import Follower
from generator.jobs.messages import JobRequest
from generator.jobs.tables import Job
from tests.generator.jobs.opening import OpenQueue

pytestmark = pytest.mark.each_database


async def test_a_change_elsewhere_wakes_who_waits_for_it(opened: OpenQueue) -> None:
    follower = Follower(opened.database, ())
    ids = uuid4(), uuid4()
    for identity in ids:
        await opened.queue.submit(identity, JobRequest("a"))
    await follower.look()
    changed = opened.database.events.changed
    ended, waits = [opened.database.events.ended(identity) for identity in ids]
    await follower.look()
    assert not changed.is_set()

    def end(session: Session) -> None:
        advance(session)
        session.execute(update(Job).where(Job.id == ids[0]).values(state="finished"))

    await opened.database.run(end)
    assert not changed.is_set()
    await follower.look()
    assert changed.is_set()
    assert ended.is_set()
    assert not waits.is_set()


async def test_whoever_looks_in_vain_wakes_nobody(opened: OpenQueue) -> None:
    await opened.leases.recover()
    follower = Follower(opened.database, ())
    await follower.look()
    changed = opened.database.events.changed
    assert await opened.claims() == []
    await opened.leases.renew()
    await opened.maintenance.expire(10, 10)
    await opened.uploads.expire()
    await follower.look()
    assert not changed.is_set()
