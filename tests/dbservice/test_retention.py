"""RETENTION_DAYS: what is too old goes with its bytes, and not because a clock says nonsense."""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import grpc
import pytest

from dbservice import maintenance
from dbservice.observers import RetentionDone
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.store import Store
from dbservice.transactions import retention
from lookalike.database import create_engine
from lookalike.sqlite import KEEP_COPIES, path_of
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.aging import Retentions, believe
from tests.dbservice.client import USER, Client, files, folder_of_bytes
from tests.dbservice.conftest import Clock
from tests.dbservice.test_durability import Sweeps

DAY = 24 * 3600.0
HOUR = timedelta(hours=1)


@pytest.fixture
def settings(settings: DbserviceSettings) -> DbserviceSettings:
    return settings.model_copy(update={"retention_days": 7})


@asynccontextmanager
async def served(settings: DbserviceSettings, clock: Clock) -> AsyncIterator[Client]:
    async with (
        running(settings, clock, ()) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        yield Client(channel)


async def looked(settings: DbserviceSettings, clock: Clock) -> RetentionDone:
    """What a start finds that is too old."""
    heard = Retentions()
    async with running(settings, clock, (heard,)):
        return await asyncio.wait_for(heard.done.get(), 20)


def ids(database: DbserviceSettings) -> list[int]:
    with sqlite3.connect(database.database.removeprefix("sqlite:///")) as connection:
        rows = connection.execute("SELECT message_id FROM photos ORDER BY message_id").fetchall()
    connection.close()
    return [row[0] for row in rows]


async def test_what_is_too_old_goes_with_its_bytes_and_nothing_else(
    settings: DbserviceSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered = db.GENERATION_STATE_DELIVERED
    async with served(settings, clock) as client:
        of = {}
        for message_id in (1, 2, USER):
            lease = await client.to_state(delivered, message_id)
            await client.close(lease)
            of[message_id] = lease.item.generation.id
        starred, again = of[2], of[USER]
        await client.star(starred, user=2)
        await client.create(starred, user=2)
        await client.cancel(user=2)
        (child,) = await client.lease()
        await client.close(child)
        await client.to_state(delivered, 3)  # its user is not told yet
        clock.pass_seconds(8 * DAY)
        await client.create(again)
        await client.close(await client.to_state(delivered, 4))
        assert len(files(folder_of_bytes(settings))) == 10
    believe(settings, clock())
    monkeypatch.setattr(retention, "_BATCH", 2)
    found = await looked(settings, clock)
    assert found == RetentionDone(certain=True, photos=1, generations=2)
    assert ids(settings) == [2, 3, 4, USER]
    assert len(files(folder_of_bytes(settings))) == 8
    async with served(settings, clock) as client:
        for kept in (starred, again):
            assert (await client.image(generation_id=kept))[1] == b"a picture"
        assert len(await client.status()) == 1
    assert await looked(settings, clock) == RetentionDone(certain=True, photos=0, generations=0)


@pytest.mark.parametrize("days", [9, 400, -1])
async def test_a_clock_that_jumped_removes_nothing(
    settings: DbserviceSettings, clock: Clock, days: int
) -> None:
    async with served(settings, clock) as client:
        await client.close(await client.to_state(db.GENERATION_STATE_DELIVERED, 1))
    believe(settings, clock())
    clock.pass_seconds(days * DAY)
    for _ in range(2):
        found = await looked(settings, clock)
        assert found == RetentionDone(certain=False, photos=0, generations=0)
    assert ids(settings) == [1]


async def test_what_was_recorded_under_a_wrong_clock_is_not_old(
    settings: DbserviceSettings, clock: Clock
) -> None:
    """A machine without a battery starts in 1970 until it has asked for the time."""
    async with served(settings, clock) as client:
        await client.close(await client.to_state(db.GENERATION_STATE_DELIVERED, 1))
        now, clock.now = clock.now, datetime.fromtimestamp(3600, clock.now.tzinfo)
        await client.close(await client.to_state(db.GENERATION_STATE_DELIVERED, 2))
        clock.now = now
    believe(settings, clock())
    assert (await looked(settings, clock)).certain
    assert ids(settings) == [1, 2]


async def test_a_clock_is_believed_after_a_day_without_a_jump(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with served(settings, clock):
        pass  # it makes the tables
    store = Store(create_engine(settings.database), clock)

    last: retention.Look | None = None

    async def start() -> bool:
        """What is said to a process that has just started."""
        nonlocal last
        last = await store.transact(retention.look, None, timedelta())
        return last.certain

    async def hours(count: int, *, jump: float = 0.0) -> list[bool]:
        """What is said each hour; the clock jumps in the first one."""
        nonlocal last
        found = []
        for _ in range(count):
            clock.pass_seconds(HOUR.total_seconds() + jump)
            jump = 0.0
            last = await store.transact(retention.look, last, HOUR)
            found.append(last.certain)
        return found

    assert not await start()
    assert await hours(25) == [*[False] * 23, True, True]
    assert await hours(3, jump=60) == [True] * 3
    assert await hours(25, jump=9 * DAY) == [*[False] * 24, True]
    assert await hours(25, jump=-3600) == [*[False] * 24, True]
    clock.pass_seconds(1.9 * DAY)
    assert await start()  # a start after a weekend
    clock.pass_seconds(2.1 * DAY)
    assert not await start()
    assert await hours(12) == [False] * 12
    assert not await start()  # a restart ends no doubt
    assert await hours(12) == [*[False] * 11, True]
    await store.close()


async def test_it_is_asked_again_and_again(
    settings: DbserviceSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "_PERIOD", 0.01)
    heard = Retentions()
    async with running(settings, clock, (heard,)):
        for _ in range(3):
            assert not (await asyncio.wait_for(heard.done.get(), 20)).certain


@pytest.mark.parametrize("days", [-29, 29, -31, 31])
async def test_the_copy_from_before_an_upgrade_goes_when_it_is_old(
    settings: DbserviceSettings, clock: Clock, days: int
) -> None:
    """Whoever was forgotten is in it still."""
    settings = settings.model_copy(update={"retention_days": None})
    sweeps = Sweeps()
    async with served(settings, clock):
        pass  # it makes the tables
    copy = path_of(settings.database).with_name("rows.db.version-0004")
    copy.touch()
    then = time.time() - days * DAY
    os.utime(copy, (then, then))
    async with running(settings, clock, (sweeps,)):
        await asyncio.wait_for(sweeps.done.get(), 20)
    assert copy.exists()  # the clock is too young
    believe(settings, clock())
    async with running(settings, clock, (sweeps,)):
        await asyncio.wait_for(sweeps.done.get(), 20)
    assert copy.exists() == (abs(days) < KEEP_COPIES.days)


async def test_by_default_all_is_kept(settings: DbserviceSettings, clock: Clock) -> None:
    kept = settings.model_copy(update={"retention_days": None})
    async with served(kept, clock) as client:
        await client.close(await client.to_state(db.GENERATION_STATE_DELIVERED, 1))
    clock.pass_seconds(4000 * DAY)
    async with served(kept, clock) as client:
        await client.receive(2)
    assert ids(settings) == [1, 2]


def test_no_days_at_all_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "")
    assert DbserviceSettings().retention is None
    monkeypatch.setenv("RETENTION_DAYS", "30")
    assert DbserviceSettings().retention == timedelta(days=30)
    monkeypatch.setenv("RETENTION_DAYS", "0")
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        DbserviceSettings()
