"""What a bot has done, for those who run it."""

from datetime import UTC, datetime

import pytest

from dbservice.settings import DbserviceSettings
from dbservice.transactions import statistics as counted
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.aging import take_back
from tests.dbservice.client import USER, Client, refusal
from tests.dbservice.conftest import Clock
from tests.dbservice.test_limits import served
from tests.dbservice.test_quotas import statistics
from tests.dbservice.test_sets import finish, queued

QUEUED, RUNNING = db.GENERATION_STATE_QUEUED, db.GENERATION_STATE_RUNNING
DAY = 86_400


async def painted(
    client: Client, clock: Clock, message_id: int, waiting: float, painting: float | None
) -> None:
    """A photo of its own user, and its picture; None: nobody saw it being painted."""
    lease = await client.to_state(QUEUED, message_id)
    clock.pass_seconds(waiting)
    if painting is not None:
        await client.advance(lease, QUEUED, RUNNING)
        clock.pass_seconds(painting)
    await client.finish(lease, b"picture %d" % message_id)
    await client.advance(lease, db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED)
    await client.close(lease)


async def test_of_nothing_there_is_nothing(client: Client) -> None:
    found = await statistics(client)
    for each in (found.today, found.week, found.all):
        assert each == db.Statistics()
    assert [day.pictures for day in found.days] == [0] * 30
    assert found.free_bytes > 0


async def test_each_window_has_its_own(client: Client, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    await painted(client, clock, 1, 20, 9)
    clock.pass_seconds(18 * DAY)
    await painted(client, clock, 2, 10, 6)
    clock.pass_seconds(2 * DAY)
    await painted(client, clock, 3, 2, 3)
    await painted(client, clock, 4, 4, None)
    await client.receive(5, user=3)
    await client.receive(6, bot=2)
    found = await statistics(client)
    numbers = [
        (each.people, each.photos, each.pictures, each.waiting_seconds, each.painting_seconds)
        for each in (found.today, found.week, found.all)
    ]
    assert numbers == [(2, 3, 3, 3, 3), (3, 4, 4, 4, 4.5), (4, 5, 5, 7, 6)]
    assert found.unfinished == 1
    assert found.kept_bytes > 0
    days = {day.date: day.pictures for day in found.days}
    assert len(days) == 30
    assert {date: number for date, number in days.items() if number} == {
        "2026-11-01": 1,
        "2026-11-19": 1,
        "2026-11-21": 3,
    }
    assert [*days][-1] == "2026-11-21"


async def test_what_was_refused_is_counted(client: Client) -> None:
    for message_id in range(1, 11):
        await client.receive(message_id)
    for _ in range(2):
        assert (await refusal(client.receive(11)))[1] == "TOO_MANY_UNFINISHED"
    assert (await refusal(client.create()))[1] == "TOO_MANY_UNFINISHED"
    assert (await refusal(client.receive(0)))[1] == "INVALID_ARGUMENT"
    assert (await statistics(client)).today.refusals == 3


async def test_who_is_forgotten_is_no_longer_among_the_people(client: Client, clock: Clock) -> None:
    await painted(client, clock, USER, 1, 1)
    await client.forgotten()
    found = await statistics(client)
    for each in (found.today, found.all):
        assert (each.people, each.photos, each.pictures) == (0, 1, 1)


async def test_a_set_is_as_many_pictures_and_one_wait(client: Client, clock: Clock) -> None:
    lease = await queued(client, 2)
    clock.pass_seconds(5)
    await client.advance(lease, QUEUED, RUNNING)
    for place in (1, 2):
        clock.pass_seconds(3)
        await finish(client, lease, place)
    today = (await statistics(client)).today
    assert (today.pictures, today.waiting_seconds, today.painting_seconds) == (2, 5, 6)


async def test_no_more_is_read_of_history_than_the_newest(
    client: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counted, "_NEWEST", 2)
    for message_id, seconds in ((1, 20), (2, 4), (3, 2)):
        await painted(client, clock, message_id, 1, seconds)
    assert (await statistics(client)).all.painting_seconds == 3


async def test_a_database_of_before_is_added_up(settings: DbserviceSettings, clock: Clock) -> None:
    async with served(settings, clock) as client:
        await painted(client, clock, 1, 1, 1)
        await painted(client, clock, 2, 1, 1)
        await client.receive(3)
    take_back(settings.lookalike_home / "rows.db", "0012")
    async with served(settings, clock) as client:
        found = await statistics(client)
    assert (found.all.people, found.all.photos, found.all.pictures) == (3, 3, 2)
    assert not found.all.HasField("painting_seconds")
