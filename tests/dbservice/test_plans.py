"""How SQLite finds what each RPC asks for: through an index, and in the order that is needed."""

import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import grpc
import pytest
from sqlalchemy import Engine, event

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.transactions import generations, users
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice import (
    test_access,
    test_broadcasts,
    test_family,
    test_finding,
    test_groups,
    test_quotas,
)
from tests.dbservice.client import CHAT, Client
from tests.dbservice.conftest import Clock
from tests.dbservice.test_durability import Sweeps

_TABLES = (
    "generations|photos|owners|members|bans|invites|broadcasts|exports|kept_of_users|quota_shares"
    "|day_totals"
)
GROWS = re.compile(rf"SCAN ({_TABLES})|USE TEMP B-TREE(?! FOR count\(DISTINCT\))")
"""A whole table or index is read, or what was found is sorted; people of a week are counted."""

OF_CLOSED = re.compile(r"ix_generations_(history|pictures|created)|photo_id=")
"""Indexes that lead to closed generations as well."""


@pytest.fixture
async def channel(settings: DbserviceSettings, clock: Clock) -> AsyncIterator[grpc.aio.Channel]:
    """After the hourly maintenance, whose statements go through all there is."""
    sweeps = Sweeps()
    async with (
        running(settings, clock, [sweeps]) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        await sweeps.done.get()
        yield channel


@pytest.fixture
def statements(client: Client) -> Iterator[list[tuple[str, Any]]]:
    """All that the database is asked, with its parameters."""
    del client
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    yield asked
    event.remove(Engine, "before_cursor_execute", note)


async def moved(client: Client) -> None:
    lease = await client.leased(9)
    here = db.GENERATION_STATE_RECEIVED
    await client.advance(lease, here, here, db.GenerationPatch(chat_id=-5))


async def created(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=8)
    generation = lease.item.generation.id
    await client.press(generation, "1", user=8)
    await client.create(generation, user=8)
    await client.create(user=8)


async def album(client: Client) -> None:
    for message_id in range(20, 30):
        await client.receive(message_id, media_group_id="a")


async def begun(client: Client) -> None:
    await client.history(of=(await client.receive()).item.generation.id)


async def invited(client: Client) -> None:
    made = await test_access.invite(client)
    await test_access.invites(client)
    await test_access.redeem(client, made.secret)
    await test_access.revoke(client, made.invite.id)


async def banned(client: Client) -> None:
    await test_access.ban(client)
    await test_access.unban(client)


async def deleted(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=8)
    await client.close(lease)
    await client.delete(lease.item.generation.id, user=8)


async def closed(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_FAILED, message_id=8)
    await client.close(lease)


async def followed(client: Client) -> None:
    await test_groups.choose(client, CHAT, pictures=2)
    await test_access.ban(client, CHAT)
    await test_groups.move(client)


async def found(client: Client) -> None:
    key = await test_finding.delivered(client, 8)
    for words in ("", "cat"):
        assert await test_finding.find(client, words) == [key]
    assert not (await test_finding.page(client, cursor="1")).items
    assert await test_finding.find(client, generation_id=key) == [key]


async def related(client: Client) -> None:
    key = await test_finding.delivered(client, 8)
    child = await test_family.follow(client, key, 1)
    assert await test_family.ids(client, child) == (key, [])
    assert await test_family.ids(client, key) == ("", [child])


async def forgotten(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=8)
    await client.ask_to_forget(8)
    await client.close(lease)
    assert len(await client.forgettings()) == 1
    assert not (await client.uploads(user=8)).cursor
    await client.forget(8)
    await client.end_forgetting(8)


async def sent_to_all(client: Client) -> None:
    await test_broadcasts.in_private(client, 8)
    await test_broadcasts.count(client)
    await test_broadcasts.all_of_it(client)
    await test_broadcasts.close(client)
    await test_broadcasts.cancel(client, 5)


async def exported(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=8)
    await client.close(lease)
    await client.ask_to_export(8)
    page = await client.export_page(user=8)
    await client.export_page(page.entries[0].cursor, user=8)
    await client.advance_export(8, shown_message_id=9)
    await client.end_export(8)


CALLS: dict[str, Callable[[Client], Awaitable[Any]]] = {
    "an empty lease": lambda client: client.lease(bot=2),
    "a lease": lambda client: client.lease(),
    "status": lambda client: client.status(),
    "the newest page": lambda client: client.history(),
    "an older page": lambda client: client.history("o5"),
    "a newer page": lambda client: client.history("n1"),
    "a picture's page": begun,
    "a deleted picture": deleted,
    "a photo": lambda client: client.receive(7),
    "an album": album,
    "cancel": lambda client: client.cancel(),
    "another picture": created,
    "a group that became a supergroup": moved,
    "what a supergroup keeps": followed,
    "a message": lambda client: client.get(message_id=1),
    "what was chosen": lambda client: client.settings(db.DIAL_TWIN),
    "who may": test_access.get,
    "an owner": lambda client: test_access.claim(client, 8),
    "an invite": invited,
    "a ban": banned,
    "what is given back": closed,
    "pictures of all chats": found,
    "a picture's family": related,
    "statistics": test_quotas.statistics,
    "forget": lambda client: client.forget(99),
    "whom to forget": forgotten,
    "a broadcast": sent_to_all,
    "who runs a bot": test_broadcasts.test_who_runs_a_bot_and_in_which_language,
    "an export": exported,
}


@pytest.mark.parametrize("name", CALLS)
async def test_nothing_is_read_but_what_is_asked_for(
    client: Client, statements: list[tuple[str, Any]], settings: DbserviceSettings, name: str
) -> None:
    await client.receive()
    statements.clear()
    await CALLS[name](client)
    connection = sqlite3.connect(settings.database.removeprefix("sqlite:///"))
    assert statements
    for statement, parameters in statements:
        marks = parameters if isinstance(parameters, tuple) else parameters[0]
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", marks)
        plan = "\n".join(str(row[3]) for row in rows)
        assert not GROWS.search(plan), (statement, plan)
        if "closed_at IS NULL" in statement:
            assert not OF_CLOSED.search(plan), (statement, plan)
    connection.close()


async def test_years_are_deleted_and_moved_a_little_at_a_time(
    client: Client, statements: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "_BATCH", 2)
    monkeypatch.setattr(generations, "_BATCH", 2)
    for message_id in range(1, 6):
        lease = await client.leased(message_id)
        await client.cancel(lease.item.generation.id)
        await client.close(lease)
    last = await client.leased(6)
    here = db.GENERATION_STATE_RECEIVED
    statements.clear()
    await client.advance(last, here, here, db.GenerationPatch(chat_id=-5))
    assert len(await client.status(chat=-5)) == 1
    moved = [statement for statement, _ in statements if statement.startswith("UPDATE photos")]
    assert len(moved) == 4, "five that are closed, in three parts, and one that is not"
    await client.cancel(last.item.generation.id)
    await client.close(last)
    forgotten = await client.forget()
    assert (forgotten.photos, forgotten.generations) == (6, 6)
    deleted = [
        marks for statement, marks in statements if statement.startswith("DELETE FROM photos")
    ]
    assert max(map(len, deleted)) == 2
