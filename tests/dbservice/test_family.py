"""A picture with what it follows from and what follows from it."""

from typing import Any

import grpc
import pytest

from dbservice.transactions import finding
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice import test_sets
from tests.dbservice.client import BOT, CHAT, USER, Client, Lease, Refusal, refusal
from tests.dbservice.test_finding import delivered

NOT_FOUND: Refusal = (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", [])


async def family(
    client: Client, key: str, *, user: int = USER, bot: int = BOT
) -> db.GetFamilyResponse:
    request = db.GetFamilyRequest(bot_id=bot, user_id=user, generation_id=key)
    return await client.call(client.stub.GetFamily, request)


async def ids(client: Client, key: str) -> tuple[str, list[str]]:
    found = await family(client, key)
    assert found.item.generation.id == key
    return found.parent.generation.id, [item.generation.id for item in found.children]


async def ask(client: Client, parent: str, press: int, **more: Any) -> str:
    """Another picture, by a button of its own; gives its id."""
    made = await client.create(
        parent, 400 + press, button=f"button {press}", request_id=f"press {press}", **more
    )
    assert made.created
    return made.item.generation.id


async def follow(client: Client, parent: str, press: int) -> str:
    """Another picture, painted; gives its id."""
    key = await ask(client, parent, press)
    (lease,) = [each for each in await client.lease() if each.item.generation.id == key]
    await paint(client, lease)
    return key


async def paint(client: Client, lease: Lease) -> None:
    states = (db.GENERATION_STATE_CAPTIONED, db.GENERATION_STATE_QUEUED)
    await client.advance(lease, *states)
    await client.finish(lease)
    finished, end = db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED
    await client.advance(lease, finished, end)
    await client.close(lease)


async def test_parents_and_children_are_found_from_both_sides(client: Client) -> None:
    first = await delivered(client, 1)
    second = await follow(client, first, 1)
    third = await follow(client, first, 2)
    last = await follow(client, third, 3)
    assert await ids(client, first) == ("", [third, second])
    assert await ids(client, third) == (first, [last])
    assert await ids(client, last) == (third, [])
    await client.delete(third)
    assert await ids(client, first) == ("", [second])
    assert await ids(client, last) == ("", [])


async def test_what_is_not_painted_yet_is_none_of_the_family(client: Client) -> None:
    first = await delivered(client, 1)
    made = await ask(client, first, 1)
    assert await ids(client, first) == ("", [])
    assert await refusal(family(client, made)) == NOT_FOUND


async def test_it_is_the_owners_alone(client: Client) -> None:
    key = await delivered(client, 1)
    assert await refusal(family(client, key, user=USER + 1)) == NOT_FOUND
    assert await refusal(family(client, key, bot=BOT + 1)) == NOT_FOUND
    await client.ask_to_forget(USER)
    assert await refusal(family(client, key)) == NOT_FOUND


async def test_of_a_set_each_picture_has_the_sets_children_and_is_a_child(client: Client) -> None:
    item = await test_sets.delivered(client, pictures=2)
    one, two = (member.id for member in item.members)
    await test_sets.choose(client, 1)
    child = await follow(client, item.generation.id, 1)
    for key in (one, two):
        assert await ids(client, key) == ("", [child])
    assert await ids(client, child) == (one, [])
    await test_sets.choose(client, 2)
    several = await ask(client, child, 2, several=True)
    (lease,) = await client.lease()
    await client.advance(lease, db.GENERATION_STATE_CAPTIONED, db.GENERATION_STATE_QUEUED)
    for place in (1, 2):
        done = await test_sets.finish(client, lease, place)
    members = [member.id for member in done.members]
    assert several == done.generation.id
    assert await ids(client, child) == (one, members)
    assert await ids(client, members[1]) == (child, [])


async def test_children_are_bounded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_CHILDREN", 2)
    first = await delivered(client, 1)
    children = [await follow(client, first, n) for n in range(3)]
    assert await ids(client, first) == ("", children[:0:-1])


async def test_what_is_refused(client: Client) -> None:
    right: dict[str, Any] = {"bot_id": BOT, "user_id": CHAT, "generation_id": "x" * 36}
    for wrong, field in (
        ({"bot_id": 0}, "bot_id"),
        ({"user_id": 0}, "user_id"),
        ({"generation_id": "x"}, "generation_id"),
    ):
        request = db.GetFamilyRequest(**right | wrong)
        status, _, fields = await refusal(client.call(client.stub.GetFamily, request))
        assert status == grpc.StatusCode.INVALID_ARGUMENT
        assert field in fields
