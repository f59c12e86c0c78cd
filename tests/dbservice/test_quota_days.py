"""The day of a quota: when it turns, for a user and for all together, whatever the clock does."""

from datetime import datetime, timedelta

import pytest

from dbservice.settings import DbserviceSettings
from tests.dbservice.client import USER
from tests.dbservice.conftest import Clock
from tests.dbservice.test_quotas import bounded, left, live_in, used_up

pytestmark = pytest.mark.usefixtures("in_vilnius")


async def test_the_day_turns_where_the_user_lives(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=1) as client:
        await live_in(client, "Asia/Tokyo")  # where it is 21:00
        await client.receive(1, chat=USER)
        refused = await used_up(client.receive(2, chat=USER))
        assert refused == ("QUOTA_OF_USER", "2026-11-23T00:00+09:00")
        clock.pass_seconds(3 * 3600 - 1)
        assert await left(client) == 0
        clock.pass_seconds(1)
        assert await left(client) == 1
        assert (await client.receive(2, chat=USER)).created
        assert await left(client) == 0


async def test_another_zone_gains_nothing(settings: DbserviceSettings, clock: Clock) -> None:
    async with bounded(settings, clock, user_daily_pictures=1) as client:
        await client.receive(1, chat=USER)
        for zone, said in (
            ("Pacific/Kiritimati", "2026-11-23T12:00+14:00"),
            ("Pacific/Pago_Pago", "2026-11-22T11:00-11:00"),
        ):
            await live_in(client, zone)
            assert await used_up(client.receive(2, chat=USER)) == ("QUOTA_OF_USER", said)
        clock.pass_seconds(10 * 3600)
        assert (await client.receive(2, chat=USER)).created


async def test_a_zone_after_the_other_gains_one_share_at_most(
    settings: DbserviceSettings, clock: Clock
) -> None:
    """In each it is soon midnight, and an hour later in the next one to the west."""
    clock.pass_seconds(1800)
    got = list[datetime]()
    async with bounded(settings, clock, user_daily_pictures=1) as client:
        for hour in range(72):
            offset = (11 - hour + 12) % 24 - 12  # where it is half past eleven
            await live_in(client, f"Etc/GMT{-offset:+}")
            if await left(client):
                await client.receive(hour + 1, chat=USER)
                got.append(clock.now)
            if hour == 2:
                refused = await used_up(client.receive(hour + 1, chat=USER))
                assert refused == ("QUOTA_OF_USER", "2026-11-23T23:00+09:00")
            clock.pass_seconds(3600)
    hours = [(each - got[0]) // timedelta(hours=1) for each in got]
    assert hours[:3] == [0, 1, 26]
    assert len(hours) <= 4, "of three days"


@pytest.mark.parametrize(
    ("zone", "midnights"),
    [
        ("Europe/Vilnius", ["03-28T00:00+02:00", "03-29T00:00+02:00", "03-30T00:00+03:00"]),
        ("Europe/Vilnius", ["10-24T00:00+03:00", "10-25T00:00+03:00", "10-26T00:00+02:00"]),
        ("Australia/Lord_Howe", ["04-05T00:00+11:00", "04-06T00:00+10:30", "04-07T00:00+10:30"]),
        ("Australia/Lord_Howe", ["10-04T00:00+10:30", "10-05T00:00+11:00", "10-06T00:00+11:00"]),
        ("Antarctica/Troll", ["03-29T00:00+00:00", "03-30T00:00+02:00", "03-31T00:00+02:00"]),
        ("Antarctica/Troll", ["10-25T00:00+02:00", "10-26T00:00+00:00", "10-27T00:00+00:00"]),
        ("Africa/Cairo", ["04-23T00:00+02:00", "04-24T01:00+03:00", "04-25T00:00+03:00"]),
        ("America/Havana", ["11-01T00:00-04:00", "11-02T00:00-05:00", "11-03T00:00-05:00"]),
    ],
)
async def test_day_after_day_in_one_zone_each_has_its_share(
    settings: DbserviceSettings, clock: Clock, zone: str, midnights: list[str]
) -> None:
    first, *others = (f"2026-{each}" for each in midnights)
    clock.now = datetime.fromisoformat(first) - timedelta(seconds=1)
    async with bounded(settings, clock, user_daily_pictures=1) as client:
        await live_in(client, zone)
        await client.receive(1, chat=USER)
        clock.pass_seconds(1)
        for number, ends in enumerate(others, 2):
            assert (await client.receive(number, chat=USER)).created
            assert await used_up(client.receive(99, chat=USER)) == ("QUOTA_OF_USER", ends)
            clock.now = datetime.fromisoformat(ends) - timedelta(seconds=1)
            assert await left(client) == 0
            clock.pass_seconds(1)


@pytest.mark.parametrize(
    ("now", "zone", "ends"),
    [
        ("2026-03-29T12:00+00:00", "Europe/Vilnius", "2026-03-30T00:00+03:00"),
        ("2026-10-24T23:00+00:00", "Europe/Vilnius", "2026-10-26T00:00+02:00"),  # 25 hours
        ("2026-04-23T12:00+00:00", "Africa/Cairo", "2026-04-24T01:00+03:00"),  # no midnight
    ],
)
async def test_a_day_has_as_many_hours_as_it_has(
    settings: DbserviceSettings, clock: Clock, now: str, zone: str, ends: str
) -> None:
    clock.now = datetime.fromisoformat(now)
    async with bounded(settings, clock, user_daily_pictures=1) as client:
        await live_in(client, zone)
        await client.receive(1, chat=USER)
        assert await used_up(client.receive(2, chat=USER)) == ("QUOTA_OF_USER", ends)
        clock.now = datetime.fromisoformat(ends) - timedelta(seconds=1)
        assert await left(client) == 0
        clock.now += timedelta(seconds=1)
        assert (await client.receive(2, chat=USER)).created


async def test_a_day_that_a_wrong_clock_began_holds_nobody_up(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, user_daily_pictures=1) as client:
        right = clock.now
        clock.now += timedelta(days=4000)
        await client.receive(1, chat=USER)
        clock.now = right
        assert (await client.receive(2, chat=USER)).created


async def test_the_machines_day_turns_for_all_together(
    settings: DbserviceSettings, clock: Clock
) -> None:
    async with bounded(settings, clock, bot_daily_pictures=1) as client:
        await live_in(client, "Asia/Tokyo")
        await client.receive(1, chat=USER)
        clock.pass_seconds(10 * 3600 - 1)
        refused = await used_up(client.receive(2, chat=USER))
        assert refused == ("QUOTA_OF_BOT", "2026-11-23T07:00+09:00")
        clock.pass_seconds(1)
        assert (await client.receive(2, chat=USER)).created
