"""USER_MAX_MEGABYTES and MAX_MEGABYTES: how much is kept is known, and refused beyond."""

import asyncio
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import pairwise

import grpc
import pytest

from dbservice.observers import Observer
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.transitions import TRANSITIONS
from lookalike import disk
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.aging import Retentions, believe
from tests.dbservice.client import BOT, CAPTION, CHAT, USER, Client, Lease, Refusal, refusal
from tests.dbservice.conftest import Clock

pytestmark = pytest.mark.each_database

FULL = grpc.StatusCode.RESOURCE_EXHAUSTED
USER_FULL: Refusal = (FULL, "TOO_MUCH_KEPT", [])
ALL_FULL: Refusal = (FULL, "STORAGE_FULL", [])
DISK_FULL: Refusal = (FULL, "DISK_FULL", [])

HALF = bytes(500_000)
OTHER = 7


def limited(settings: DbserviceSettings, **bounds: int) -> DbserviceSettings:
    return settings.model_copy(update=bounds)


@asynccontextmanager
async def served(
    settings: DbserviceSettings, clock: Clock, *observers: Observer
) -> AsyncIterator[Client]:
    async with (
        running(settings, clock, observers) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        yield Client(channel)


async def picture_of(client: Client, message_id: int, user: int = USER) -> Lease:
    """A megabyte: a photo and its picture, delivered and closed."""
    lease = await client.leased(message_id, user=user)
    await client.store(lease, HALF)
    way = (
        db.GENERATION_STATE_STORED,
        db.GENERATION_STATE_CAPTIONED,
        db.GENERATION_STATE_QUEUED,
    )
    patch = db.GenerationPatch(caption=CAPTION, prompt=CAPTION.text)
    for here, there in pairwise(way):
        await client.advance(lease, here, there, patch)
    await client.finish(lease, HALF)
    await client.advance(lease, db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED)
    await client.close(lease)
    return lease


async def status(client: Client, user: int = USER) -> db.GetStatusResponse:
    request = db.GetStatusRequest(bot_id=BOT, chat_id=CHAT, user_id=user)
    return await client.call(client.stub.GetStatus, request)


async def test_a_user_of_whom_as_much_is_kept_as_may_be_begins_nothing_more(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with served(limited(settings, user_max_megabytes=2), clock) as client:
        first = await picture_of(client, 1)
        under_way = await client.leased(2)
        late = await client.leased(3)
        await client.store(under_way, HALF + HALF)
        assert (await status(client)).kept_bytes == 2_000_000
        assert await refusal(client.receive(4)) == USER_FULL
        assert await refusal(client.receive(4, media_group_id="a")) == USER_FULL
        assert await refusal(client.create(first.item.generation.id)) == USER_FULL
        assert not (await client.receive(1)).created  # known, hence no new one
        assert (await client.receive(4, user=OTHER)).created
        assert (await client.receive(4, bot=2)).created
        await client.store(late, HALF)  # what is under way is finished
        answer = await status(client)
        assert (answer.kept_bytes, answer.max_kept_bytes) == (2_500_000, 2_000_000)
        assert answer.count == 2
        await client.cancel()
        for lease in (under_way, late):
            await client.close(lease)
        await client.forget()
        assert (await client.receive(5)).created
        assert (await status(client)).kept_bytes == 0


async def test_an_album_that_has_begun_is_let_in_whole(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with served(limited(settings, user_max_megabytes=1), clock) as client:
        await client.receive(1, media_group_id="a")
        await picture_of(client, 2)
        for message_id in range(3, 12):
            assert (await client.receive(message_id, media_group_id="a")).created
        assert await refusal(client.receive(12, media_group_id="a")) == USER_FULL


async def test_all_users_together_are_bounded(settings: DbserviceSettings, clock: Clock) -> None:
    async with served(limited(settings, max_megabytes=2), clock) as client:
        await picture_of(client, 1)
        await picture_of(client, 2, OTHER)
        for user in (USER, OTHER, 99):
            assert await refusal(client.receive(3, user=user)) == ALL_FULL
        assert not (await status(client)).HasField("max_kept_bytes")
        await client.forget(OTHER)
        assert (await client.receive(3, user=99)).created


async def test_by_default_nothing_is_bounded(client: Client) -> None:
    for message_id in range(1, 4):
        await picture_of(client, message_id)
    assert (await client.receive(5)).created


@pytest.mark.parametrize("name", ["USER_MAX_MEGABYTES", "MAX_MEGABYTES"])
def test_no_room_at_all_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "")
    assert getattr(DbserviceSettings(), name.lower()) is None
    monkeypatch.setenv(name, "0")
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        DbserviceSettings()


async def test_nothing_is_begun_while_the_disk_is_nearly_full_and_nothing_stored_at_last(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await picture_of(client, 1)
    lease, late = await client.leased(2), await client.leased(3)
    usage = shutil.disk_usage("/")._replace(total=10**12, free=disk.RESERVE_BYTES - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    assert await refusal(client.receive(4)) == DISK_FULL
    assert await refusal(client.create(first.item.generation.id)) == DISK_FULL
    assert not (await client.receive(2)).created
    await client.store(lease)
    usage = usage._replace(free=disk.RESERVE_BYTES // 4 - 1)
    assert await refusal(client.store(late)) == DISK_FULL
    assert (await client.cancel()).cancelled_count == 2
    usage = usage._replace(free=disk.RESERVE_BYTES)
    assert (await client.receive(4)).created


# The counters.


def counted(settings: DbserviceSettings) -> tuple[dict[tuple[int, int], int], int]:
    """What the counters say; they are compared with the rows."""
    connection = sqlite3.connect(settings.database.removeprefix("sqlite:///"))
    rows = "SELECT bot_id, user_id, image_size FROM {} WHERE image_key IS NOT NULL"
    both = " UNION ALL ".join(map(rows.format, ("photos", "generations")))
    sums = f"SELECT bot_id, user_id, SUM(image_size) FROM ({both}) GROUP BY 1, 2"
    by_user = {(bot, user): size for bot, user, size in connection.execute(sums)}
    kept = connection.execute("SELECT bot_id, user_id, bytes FROM kept_of_users").fetchall()
    (total,) = connection.execute("SELECT bytes FROM kept_of_all").fetchone() or (0,)
    connection.close()
    assert {(bot, user): size for bot, user, size in kept} == by_user
    assert total == sum(by_user.values())
    return by_user, total


async def act(client: Client, clock: Clock, chance: random.Random) -> None:
    """Does something at random; much of it is refused."""
    user = chance.randint(1, 4)
    data = chance.randbytes(chance.randint(1, 2000))
    leases = await client.lease(chance.choice(["here", "there"]))
    lease = chance.choice(leases) if leases else Lease()
    state = lease.item.generation.state
    match chance.randrange(9):
        case 0:
            await client.receive(chance.randint(1, 60), user=user)
        case 1 | 2:
            await client.store(lease, data, **chance.choice([{}, {}, {"size": 1}]))
        case 3:
            patch = db.GenerationPatch(caption=CAPTION, prompt="x")
            await client.advance(lease, state, chance.choice([*TRANSITIONS]), patch)
        case 4 | 5:
            await client.finish(lease, data)
        case 6:
            await client.cancel(user=user)
            await client.close(lease)
        case 7:
            await client.create(lease.item.photo.id, 1, user=lease.item.photo.user_id)
        case _:
            clock.pass_seconds(chance.choice([1, 40]))
            await client.forget(user)


@pytest.mark.long
@pytest.mark.sqlite
@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_done_the_counters_are_the_sums(
    settings: DbserviceSettings, clock: Clock, seed: int
) -> None:
    chance, most, removed = random.Random(seed), 0, 0
    settings = limited(settings, retention_days=1)
    for _ in range(3):
        heard = Retentions()
        async with served(settings, clock, heard) as client:
            removed += (await asyncio.wait_for(heard.done.get(), 20)).photos
            counted(settings)
            for _ in range(120):
                with suppress(grpc.aio.AioRpcError):
                    await act(client, clock, chance)
                most = max(most, counted(settings)[1])
        clock.pass_seconds(timedelta(days=2).total_seconds())
        believe(settings, clock())
    assert most > 4000
    assert removed
