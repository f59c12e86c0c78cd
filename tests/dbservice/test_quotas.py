"""Daily quotas: what may be begun in a day by a user, in a group, and by all; and captions."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from dbservice.settings import DbserviceSettings
from lookalike.sqlite import path_of
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CHAT, USER, Client, Lease, refusal
from tests.dbservice.conftest import Clock
from tests.dbservice.test_limits import served
from tests.dbservice.test_sets import choose, end, finish, queued

pytestmark = [pytest.mark.usefixtures("in_vilnius"), pytest.mark.each_database]

OTHER = 43
MIDNIGHT = "2026-11-23T00:00+02:00"  # of the machine, in Vilnius; it is 14:00 there
NONE_EVER = ""

RUNNING, QUEUED = db.GENERATION_STATE_RUNNING, db.GENERATION_STATE_QUEUED


@asynccontextmanager
async def bounded(
    settings: DbserviceSettings, clock: Clock, **quotas: int
) -> AsyncIterator[Client]:
    async with served(settings.model_copy(update=quotas), clock) as client:
        yield client


async def used_up(call: Awaitable[Any]) -> tuple[str, str]:
    """Why a call is refused, and when it goes on."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    status, info = rpc_status.from_call(caught.value), ErrorInfo()  # type: ignore[arg-type]
    assert status is not None
    assert status.details[0].Unpack(info)
    return info.reason, info.metadata["goes_on_at"]


async def left(client: Client, *, user: int = USER, chat: int = USER, **more: Any) -> Any:
    """How many pictures are left; None: no bound."""
    request = db.GetStatusRequest(bot_id=BOT, chat_id=chat, user_id=user, **more)
    status = await client.call(client.stub.GetStatus, request)
    return status.pictures_left if status.HasField("pictures_left") else None


async def statistics(client: Client) -> db.GetStatisticsResponse:
    return await client.call(client.stub.GetStatistics, db.GetStatisticsRequest(bot_id=BOT))


async def live_in(client: Client, zone: str, *, user: int = USER) -> None:
    chosen = db.UserSettings(time_zone=zone)
    request = db.ChangeSettingsRequest(bot_id=BOT, user_id=user, settings=chosen)
    await client.call(client.stub.ChangeSettings, request)


async def leased(client: Client, message_id: int, **more: Any) -> Lease:
    item = (await client.receive(message_id, **more)).item
    found = {lease.item.generation.id: lease for lease in await client.lease()}
    return found[item.generation.id]


async def test_a_user_begins_as_many_as_may_be_and_each_counts_once(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=2) as client:
        assert await left(client) == 2
        for message_id in (1, 1, 2):
            await client.receive(message_id, chat=USER)
        assert await left(client) == 0
        for album in ("", "a"):
            refused = await used_up(client.receive(3, chat=USER, media_group_id=album))
            assert refused == ("QUOTA_OF_USER", MIDNIGHT)
        assert not (await client.receive(2, chat=USER)).created  # known, hence no new one
        assert (await client.receive(3, chat=OTHER, user=OTHER)).created
        assert (await client.receive(3, chat=USER, bot=2)).created


async def test_no_quota_is_no_bound(client: Client) -> None:
    for message_id in range(1, 11):
        await client.receive(message_id)
    assert await left(client, chat=CHAT) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [("user_daily_pictures", "QUOTA_OF_USER"), ("bot_daily_pictures", "QUOTA_OF_BOT")],
)
async def test_zero_is_none_and_not_for_ever_none_of_the_owners(
    settings: DbserviceSettings, clock: Clock, name: str, reason: str
) -> None:
    async with bounded(settings, clock, **{name: 0}) as client:
        assert await used_up(client.receive(1)) == (reason, NONE_EVER)
        assert await used_up(client.create()) == (reason, NONE_EVER)
        assert await left(client, chat=CHAT) == 0
        clock.pass_seconds(86_400)
        assert await used_up(client.receive(1)) == (reason, NONE_EVER)
        assert (await client.receive(2, exempt=True)).created
        owner = db.ClaimBotRequest(bot_id=BOT, user_id=OTHER)
        await client.call(client.stub.ClaimBot, owner)
        assert (await client.receive(3, user=OTHER)).created
        assert await left(client, user=OTHER, chat=CHAT) is None
        assert await left(client, chat=CHAT, exempt=True) is None


async def test_words_buttons_and_photos_are_counted_alike(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=4) as client:
        lease = await client.leased(1)
        parent = lease.item.generation.id
        await client.create()
        await client.create(parent, 501, caption="a dog")
        await client.press(parent, "1")
        for refused in (
            client.receive(2),
            client.create(message=502),
            client.create(parent, 503),
            client.press(parent, "2", "closer"),
        ):
            assert await used_up(refused) == ("QUOTA_OF_USER", MIDNIGHT)
        assert not (await client.press(parent, "1")).created


async def test_a_group_has_a_share_of_its_own_and_its_members_keep_theirs(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=2) as client:
        await client.receive(1)
        await client.receive(2, user=OTHER)
        for user in (USER, OTHER, 44):
            assert await used_up(client.receive(3, user=user)) == ("QUOTA_OF_USER", MIDNIGHT)
            assert await left(client, user=user, chat=CHAT) == 0
        assert await left(client) == 2
        assert (await client.receive(3, chat=USER)).created
        assert (await client.receive(3, chat=-200)).created


async def test_all_together_are_bounded_and_those_who_run_the_bot_are_counted(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=2, bot_daily_pictures=3) as client:
        await client.receive(1, user=7, chat=7, exempt=True)
        await client.receive(1, chat=USER)
        assert await left(client) == 1
        await client.receive(1, chat=OTHER, user=OTHER)
        assert await used_up(client.receive(2, chat=USER)) == ("QUOTA_OF_BOT", MIDNIGHT)
        assert (await client.receive(2, user=7, chat=7, exempt=True)).created


async def test_whoever_comes_at_once_gets_no_more(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=5) as client:
        asked = (client.receive(number, chat=USER) for number in range(1, 10))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(each, grpc.aio.AioRpcError) for each in answers) == 4
        assert await left(client) == 0


async def test_a_set_has_as_many_as_are_left(settings: DbserviceSettings, clock: Clock) -> None:
    async with bounded(settings, clock, user_daily_pictures=7) as client:
        await choose(client, 4)
        counts = [
            (await client.receive(number, chat=USER)).item.generation.pictures for number in (1, 2)
        ]
        assert counts == [4, 3]
        assert await used_up(client.receive(3, chat=USER)) == ("QUOTA_OF_USER", MIDNIGHT)


# What is given back.


async def test_what_is_cancelled_before_it_is_painted_or_fails_is_given_back(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=1, bot_daily_pictures=1) as client:
        cancelled = await leased(client, 1, chat=USER)
        await client.cancel(chat=USER)
        assert await left(client) == 0, "not before it is closed"
        await client.close(cancelled)
        await client.close(cancelled)
        assert await left(client) == 1
        failed = await leased(client, 2, chat=USER)
        await client.end(failed, failed=db.Error(code="broken"))
        await client.close(failed)
        assert await left(client) == 1
        assert (await statistics(client)).today.pictures == 0


@pytest.mark.parametrize(
    "state", [RUNNING, db.GENERATION_STATE_REFUSED, db.GENERATION_STATE_DELIVERED]
)
async def test_what_was_painted_is_not(
    settings: DbserviceSettings, clock: Clock, state: db.GenerationState
) -> None:
    async with bounded(settings, clock, user_daily_pictures=1) as client:
        lease = await client.to_state(state, USER)
        if state == RUNNING:
            await client.cancel(lease.item.generation.id)
        await client.close(lease)
        assert await left(client, chat=CHAT) == 0


async def test_of_a_set_what_failed_is_given_back(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=4) as client:
        lease = await queued(client, 4)
        await client.advance(lease, QUEUED, RUNNING)
        for place in (1, 2):
            await end(client, lease, place, failed=db.Error(code="gave-up"))
        await end(client, lease, 3, refused=db.Error(code="unsafe"))
        await finish(client, lease, 4)
        await client.advance(lease, db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED)
        await client.close(lease)
        assert await left(client, chat=CHAT) == 2


async def test_a_set_that_was_cancelled_in_line_is_given_back_whole(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=4) as client:
        lease = await queued(client, 4)
        await client.cancel()
        await client.close(lease)
        assert await left(client, chat=CHAT) == 4


async def test_yesterdays_is_given_back_to_yesterday(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=1) as client:
        await client.receive(1, chat=USER)
        clock.pass_seconds(86_400)
        await client.receive(2, chat=USER)
        old, new = await client.lease()
        await client.cancel(old.item.generation.id, chat=USER)
        await client.close(old)
        assert await left(client) == 0
        days = {day.date: day.pictures for day in (await statistics(client)).days}
        assert (days["2026-11-22"], days["2026-11-23"]) == (0, 1)
        await client.cancel(new.item.generation.id, chat=USER)
        await client.close(new)
        assert await left(client) == 1


async def test_what_no_share_was_counted_for_is_given_back_to_none(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=1) as client:
        free = await leased(client, 1, chat=USER, exempt=True)
        await client.receive(2, chat=USER)
        await client.cancel(free.item.generation.id, chat=USER)
        await client.close(free)
        assert await left(client) == 0


# Being forgotten.


@pytest.mark.sqlite
async def test_being_forgotten_neither_resets_nor_tells_anything(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=1) as client:
        lease = await client.to_state(db.GENERATION_STATE_DELIVERED, USER)
        await client.close(lease)
        await client.forgotten()
        assert await left(client, chat=CHAT) == 0
        assert await used_up(client.receive(2)) == ("QUOTA_OF_USER", MIDNIGHT)
        rows = shares(settings)
        clock.pass_seconds(86_400)
        assert (await client.receive(2)).created
    assert len(rows) == 1
    assert {USER, CHAT}.isdisjoint(value for row in rows for value in row)


@pytest.mark.sqlite
async def test_a_share_goes_when_its_day_is_over(settings: DbserviceSettings, clock: Clock) -> None:
    async with bounded(settings, clock, user_daily_pictures=3) as client:
        await client.receive(1)
    assert len(shares(settings)) == 1
    clock.pass_seconds(86_400)
    async with bounded(settings, clock, user_daily_pictures=3):
        assert len(shares(settings)) == 1, "it says when the next one may end"
    clock.pass_seconds(86_400)
    async with bounded(settings, clock, user_daily_pictures=3):
        async with asyncio.timeout(20):
            while shares(settings):  # noqa: ASYNC110, maintenance announces nothing of it
                await asyncio.sleep(0.01)


def shares(settings: DbserviceSettings) -> list[tuple[Any, ...]]:
    with sqlite3.connect(path_of(settings.database)) as connection:
        rows = connection.execute("SELECT * FROM quota_shares").fetchall()
    connection.close()
    return rows


# Captions.


async def count(client: Client, lease: Lease, *, exempt: bool = False) -> None:
    request = db.CountCaptionRequest(
        generation_id=lease.item.generation.id, fence=lease.fence, exempt=exempt
    )
    await client.call(client.stub.CountCaption, request)


async def test_captions_are_counted_before_they_are_asked_for(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, bot_daily_captions=2) as client:
        lease = await client.leased(1)
        await count(client, lease)
        await count(client, lease)  # asked again, which may cost again
        assert await used_up(count(client, lease)) == ("QUOTA_OF_CAPTIONS", MIDNIGHT)
        await live_in(client, "Asia/Tokyo")
        at_home = await leased(client, 2, chat=USER)
        refused = await used_up(count(client, at_home))
        assert refused == ("QUOTA_OF_CAPTIONS", "2026-11-23T07:00+09:00")
        await count(client, lease, exempt=True)
        assert (await statistics(client)).today.captions == 3
        stolen = Lease(item=lease.item, fence=lease.fence + 1)
        assert (await refusal(count(client, stolen)))[1] == "LEASE_LOST"
        clock.pass_seconds(86_400)
        (again, _) = await client.lease()
        await count(client, again)


async def test_of_no_captions_none_is_asked_for(settings: DbserviceSettings, clock: Clock) -> None:
    async with bounded(settings, clock, bot_daily_captions=0) as client:
        lease = await client.leased(1)
        assert await used_up(count(client, lease)) == ("QUOTA_OF_CAPTIONS", NONE_EVER)
