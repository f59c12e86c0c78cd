"""Users take turns at being leased, however much one of them has."""

import sqlite3
from collections import Counter

import pytest

from dbservice.settings import DbserviceSettings
from tests.dbservice.client import Client, Lease
from tests.dbservice.conftest import Clock

FLOODER = 66


@pytest.fixture
def max_unfinished() -> int:
    return 1000


def owners(leases: list[Lease]) -> list[int]:
    return [lease.item.photo.user_id for lease in leases]


def flood(settings: DbserviceSettings, rows: int) -> None:
    """Multiplies the only photo that there is."""
    with sqlite3.connect(settings.database.removeprefix("sqlite:///")) as connection:
        connection.row_factory = sqlite3.Row
        for table in ("photos", "generations"):
            first = dict(connection.execute(f"SELECT * FROM {table}").fetchone())
            ids = [name for name in ("id", "photo_id", "number") if name in first]
            marks = ", ".join(f":{name}" for name in first)
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(first)}) VALUES ({marks})",
                (first | dict.fromkeys(ids, n) for n in range(2, rows + 2)),
            )
    connection.close()


async def test_turns_go_round_and_what_others_do_not_need_is_not_lost(client: Client) -> None:
    for message_id in range(1, 31):
        await client.receive(message_id, user=FLOODER)
    for message_id, user in ((31, 1), (32, 2), (33, 2), (34, 2), (35, 2)):
        await client.receive(message_id, user=user)
    leases = await client.lease(limit=12)
    assert owners(leases) == [FLOODER, 1, 2, FLOODER, 2, FLOODER, 2, FLOODER, 2, *[FLOODER] * 3]
    numbers = [lease.item.photo.message_id for lease in leases]
    assert numbers == [1, 31, 32, 2, 33, 3, 34, 4, 35, 5, 6, 7]
    assert Counter(owners(await client.lease("another"))) == {FLOODER: 23}
    assert len(await client.lease()) == 12


async def test_more_users_than_turns(client: Client, clock: Clock) -> None:
    for message_id in range(1, 13):
        await client.receive(message_id, user=message_id % 6 + 1)
    leases = await client.lease(limit=4)
    assert [lease.item.photo.message_id for lease in leases] == [1, 2, 3, 4]
    clock.pass_seconds(20)
    rest = await client.lease("another")
    assert [lease.item.photo.message_id for lease in rest] == [5, 6, 7, 8, 9, 10, 11, 12]
    clock.pass_seconds(20)
    leases = await client.lease("another", limit=3)
    assert [lease.item.photo.message_id for lease in leases] == [1, 2, 3]


async def test_thousands_of_one_user_keep_nobody_out(
    client: Client, settings: DbserviceSettings
) -> None:
    await client.receive(1, user=FLOODER)
    flood(settings, 20_000)
    await client.receive(2, user=7)
    leases = await client.lease()
    assert Counter(owners(leases)) == {FLOODER: 499, 7: 1}
    assert owners(leases)[:2] == [FLOODER, 7]
    assert Counter(owners(await client.lease("another"))) == {FLOODER: 500}
