"""GetStatus, ListHistory and GetGeneration: what a user sees."""

import uuid
from typing import Any

import grpc
import pytest

from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CHAT, USER, Client, Refusal, refusal

INVALID = grpc.StatusCode.INVALID_ARGUMENT


def numbers(response: db.ListHistoryResponse) -> list[int]:
    return [item.photo.message_id for item in response.items]


async def test_status_is_the_unclosed_of_one_user_in_one_chat(client: Client) -> None:
    for number in (3, 1, 2):
        await client.receive(number)
    await client.receive(4, user=7)
    await client.receive(5, chat=-7)
    await client.receive(6, bot=2)
    assert [item.photo.message_id for item in await client.status()] == [3, 1, 2]
    leases = await client.lease()
    await client.end(leases[0], failed=db.Error(code="why"))
    await client.close(leases[0])
    assert [item.photo.message_id for item in await client.status()] == [1, 2]


@pytest.mark.parametrize("max_unfinished", [100])
async def test_history_goes_back_and_forth_by_pages(client: Client) -> None:
    for number in range(1, 26):
        await client.pictured(number)
    await client.receive(90)
    await client.pictured(91, user=7)
    first = await client.history()
    assert numbers(first) == [*range(25, 15, -1)]
    assert first.newer_cursor == ""
    assert (first.newer_count, first.count) == (0, 25)
    second = await client.history(first.older_cursor)
    assert numbers(second) == [*range(15, 5, -1)]
    third = await client.history(second.older_cursor)
    assert numbers(third) == [5, 4, 3, 2, 1]
    assert third.older_cursor == ""
    assert (third.newer_count, third.count) == (20, 25)
    assert await client.history(third.newer_cursor) == second
    assert await client.history(second.newer_cursor) == first
    for page in (first, second, third):
        assert len(page.newer_cursor) < 20
        assert len(page.older_cursor) < 20


async def test_what_arrives_meanwhile_shifts_no_page(client: Client) -> None:
    for number in range(1, 8):
        await client.pictured(number)
    first = await client.history(size=3)
    assert numbers(first) == [7, 6, 5]
    await client.pictured(8)
    second = await client.history(first.older_cursor, 3)
    assert numbers(second) == [4, 3, 2]
    back = await client.history(second.newer_cursor, 3)
    assert numbers(back) == [7, 6, 5]
    newest = await client.history(back.newer_cursor, 3)
    assert numbers(newest) == [8, 7, 6]  # a full page, though one alone is newer
    assert newest.newer_cursor == ""


async def test_a_page_begins_with_a_picture_or_where_it_is_gone_with_its_neighbour(
    client: Client,
) -> None:
    gone = {}
    for number in (1, 3, 5):
        gone[number] = (await client.receive(number)).item.generation.id
        await client.pictured(number + 1)
    newest = await client.history(size=1)
    second = await client.history(newest.older_cursor, 1)
    assert numbers(second) == [4]
    assert await client.history(size=1, of=second.items[0].generation.id) == second
    assert await client.history(size=1, of=gone[5]) == second
    assert numbers(await client.history(size=1, of=gone[3])) == [2]
    assert numbers(await client.history(size=1, of=gone[1])) == [2]
    assert await client.history(size=1, of=str(uuid.uuid4())) == newest
    both = client.history("o5", of=gone[1])
    assert await refusal(both) == (INVALID, "INVALID_ARGUMENT", ["cursor"])


async def test_one_generation(client: Client) -> None:
    items = [(await client.receive(number)).item for number in (1, 2, 3)]

    async def one(generation_id: str, **other: Any) -> db.GetGenerationResponse:
        who: dict[str, Any] = {"bot_id": BOT, "chat_id": CHAT, "user_id": USER} | other
        request = db.GetGenerationRequest(generation_id=generation_id, **who)
        return await client.call(client.stub.GetGeneration, request)

    second = items[1].generation.id
    assert (await one(second)).item == items[1]
    unknown: Refusal = (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", [])
    for other in ({"chat_id": -7}, {"bot_id": 2}):
        assert await refusal(one(second, **other)) == unknown
    assert await refusal(one("00000000-0000-4000-8000-000000000000")) == unknown
    not_owner: Refusal = (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER", [])
    assert await refusal(one(second, user_id=7)) == not_owner
    assert await refusal(one("x")) == (INVALID, "INVALID_ARGUMENT", ["generation_id"])


async def test_an_empty_history(client: Client) -> None:
    assert await client.history() == db.ListHistoryResponse()
    assert await client.history("o1") == db.ListHistoryResponse()
    assert await client.history("n1") == db.ListHistoryResponse()


@pytest.mark.parametrize("cursor", ["x1", "o", "n-1", "o1' --", "1", "n" + "f" * 16, "o٣"])
async def test_a_cursor_of_nobodys(client: Client, cursor: str) -> None:
    answer = await refusal(client.history(cursor))
    assert answer == (INVALID, "INVALID_ARGUMENT", ["cursor"])


@pytest.mark.parametrize("size", [-1, 51])
async def test_a_page_has_bounds(client: Client, size: int) -> None:
    answer = await refusal(client.history(size=size))
    assert answer == (INVALID, "INVALID_ARGUMENT", ["page_size"])


async def test_every_field_at_fault_is_named(client: Client) -> None:
    request = db.ReceivePhotoRequest(
        bot_id=BOT,
        chat_id=CHAT,
        user_text="x" * 4097,
        parameters=db.Parameters(
            prompt="x" * 1001, width=65, height=2048, steps=0, guidance_scale=float("nan"), seed=-1
        ),
    )
    code, reason, fields = await refusal(client.call(client.stub.ReceivePhoto, request))
    assert (code, reason) == (INVALID, "INVALID_ARGUMENT")
    assert fields == [
        "message_id",
        "user_id",
        "file_id",
        "user_text",
        *(
            f"parameters.{name}"
            for name in ("prompt", "width", "height", "steps", "guidance_scale", "seed")
        ),
    ]


async def test_states_and_ids_are_checked(client: Client) -> None:
    request = db.AdvanceGenerationRequest(
        generation_id="0DC5FF84-77D0-5A9C-8337-F75FA6A16B77",
        to_state=99,  # type: ignore[arg-type]  # proto3 lets any number through
        patch=db.GenerationPatch(caption=db.Caption(confidence=2)),
    )
    _, _, fields = await refusal(client.call(client.stub.AdvanceGeneration, request))
    assert fields == [
        "generation_id",
        "from_state",
        "to_state",
        "patch.caption.text",
        "patch.caption.confidence",
        "patch.caption.captioner",
    ]
