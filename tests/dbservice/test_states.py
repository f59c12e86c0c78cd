"""The state machine, through the RPCs."""

from collections.abc import Callable

import grpc
import pytest

from dbservice.transitions import ENDED, TRANSITIONS
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CAPTION, CHAT, USER, Client, Lease, Refusal, refusal
from tests.dbservice.conftest import Clock

pytestmark = pytest.mark.each_database

PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
NOT_ALLOWED: Refusal = (PRECONDITION, "TRANSITION_NOT_ALLOWED", [])

ALLOWED = {
    "received": "failed cancelled undeliverable",
    "stored": "captioned failed cancelled undeliverable",
    "captioned": "queued running failed refused cancelled undeliverable",
    "queued": "captioned running failed refused cancelled undeliverable",
    "running": "captioned queued failed refused cancelled undeliverable",
    "finished": "delivered failed undeliverable",
    "failed": "undeliverable",
    "refused": "undeliverable",
    "cancelled": "undeliverable",
    "delivered": "",
    "undeliverable": "",
}
"""What AdvanceGeneration may do; stored and finished are entered with bytes alone."""


def state(name: str) -> db.GenerationState:
    return getattr(db, f"GENERATION_STATE_{name.upper()}")  # type: ignore[no-any-return]  # a state


def patch_for(target: str) -> db.GenerationPatch | None:
    if target == "captioned":
        return db.GenerationPatch(caption=CAPTION)
    return (
        db.GenerationPatch(error=db.Error(code="why")) if target in ("failed", "refused") else None
    )


def test_the_table_knows_every_state() -> None:
    assert set(TRANSITIONS) == set(db.GenerationState.values()) - {0}
    assert {state(name) for name in ALLOWED} == set(TRANSITIONS)


@pytest.mark.parametrize("source", ALLOWED)
async def test_every_pair_of_states(client: Client, source: str) -> None:
    for number, target in enumerate(ALLOWED, 1):
        lease = await client.to_state(state(source), message_id=number)
        call = client.advance(lease, state(source), state(target), patch_for(target))
        if target == source or target in ALLOWED[source].split():
            assert (await call).generation.state == state(target)
        else:
            assert await refusal(call) == NOT_ALLOWED


@pytest.mark.long
@pytest.mark.parametrize("name", ALLOWED)
async def test_only_what_has_ended_is_closed(client: Client, clock: Clock, name: str) -> None:
    lease = await client.to_state(state(name))
    if state(name) not in ENDED:
        assert await refusal(client.close(lease)) == NOT_ALLOWED
        return
    item = await client.close(lease)
    assert item.generation.HasField("closed_at")
    assert await client.lease() == []
    clock.pass_seconds(3600)  # the answer was lost, and the lease too meanwhile
    assert await client.close(lease) == item
    lost = await refusal(client.close(lease, fence=lease.fence + 1))
    assert lost == (PRECONDITION, "LEASE_LOST", [])


async def test_a_closed_generation_takes_no_more_writes(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED)
    await client.close(lease)
    there = db.GENERATION_STATE_DELIVERED
    assert await refusal(client.advance(lease, there, there)) == NOT_ALLOWED


async def test_another_state_than_expected_is_refused(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_CAPTIONED)
    call = client.advance(lease, db.GENERATION_STATE_QUEUED, db.GENERATION_STATE_RUNNING)
    assert await refusal(call) == NOT_ALLOWED
    here = db.GENERATION_STATE_QUEUED
    assert await refusal(client.advance(lease, here, here)) == NOT_ALLOWED


async def test_an_advance_whose_answer_was_lost_may_be_repeated(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_FINISHED)
    patch = db.GenerationPatch(result_message_id=9, result_file_id="sent")
    for _ in range(2):
        item = await client.advance(
            lease, db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED, patch
        )
        assert item.generation.state == db.GENERATION_STATE_DELIVERED
        assert item.generation.picture.file_id == "sent"


async def test_nothing_is_captioned_without_a_caption(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_STORED)
    call = client.advance(lease, db.GENERATION_STATE_STORED, db.GENERATION_STATE_CAPTIONED)
    assert await refusal(call) == (PRECONDITION, "NOT_CAPTIONED", [])
    assert (await client.lease())[0].item.generation.state == db.GENERATION_STATE_STORED


async def test_patches_are_recorded_and_the_rest_stays(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_STORED)
    here = db.GENERATION_STATE_STORED
    sending = db.Sending(kind=db.MESSAGE_KIND_PICTURE, after=11, unseen=1)
    every = db.GenerationPatch(
        caption=CAPTION,
        prompt="a cat",
        caption_message_id=11,
        status_message_id=12,
        result_message_id=13,
        user_notified=True,
        ending_message_id=14,
        sending=sending,
    )
    item = await client.advance(lease, here, db.GENERATION_STATE_CAPTIONED, every)
    photo, generation = item.photo, item.generation
    assert (photo.caption, photo.caption_message_id) == (CAPTION, 11)
    assert generation.parameters.prompt == "a cat"
    assert (generation.status_message_id, generation.result_message_id) == (12, 13)
    assert generation.ending_message_id == 14
    assert generation.sending == sending
    assert generation.user_notified
    here = db.GENERATION_STATE_CAPTIONED
    assert await client.advance(lease, here, here) == item
    gone = await client.advance(
        lease,
        here,
        here,
        db.GenerationPatch(status_message_id=0, sending=db.Sending(), user_notified=False),
    )
    assert not gone.generation.HasField("status_message_id")
    assert not gone.generation.HasField("sending")
    assert not gone.generation.user_notified
    assert gone.photo == photo


async def test_a_caption_without_confidence(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_STORED)
    caption = db.Caption(text="a cat", captioner="blip")
    item = await client.advance(
        lease,
        db.GENERATION_STATE_STORED,
        db.GENERATION_STATE_CAPTIONED,
        db.GenerationPatch(caption=caption),
    )
    assert not item.photo.caption.HasField("confidence")
    assert item.photo.caption == caption


async def test_a_group_that_moves_takes_all_its_photos_along(client: Client) -> None:
    lease = await client.leased(1)
    await client.receive(2)
    elsewhere = (await client.receive(3, chat=-7)).item
    other_bot = (await client.receive(4, bot=2)).item
    here = db.GENERATION_STATE_RECEIVED
    item = await client.advance(lease, here, here, db.GenerationPatch(chat_id=-1009))
    assert item.photo.chat_id == -1009
    assert item.photo.id == lease.item.photo.id
    assert [found.photo.message_id for found in await client.status(chat=-1009)] == [1, 2]
    assert await client.status() == []
    assert (await client.receive(1)).item == item  # redelivered under its old chat
    assert (await client.receive(3, chat=-7)).item == elsewhere
    assert (await client.receive(4, bot=2)).item == other_bot


async def test_a_group_moves_once_however_many_of_its_photos_find_out(client: Client) -> None:
    await client.receive(1)
    await client.receive(2)
    first, second = await client.lease()
    here = db.GENERATION_STATE_RECEIVED
    moved = db.GenerationPatch(chat_id=-1009)
    await client.advance(first, here, here, moved)
    sending = db.Sending(kind=db.MESSAGE_KIND_CAPTION, after=20)
    patch = db.GenerationPatch(status_message_id=20, sending=sending)
    item = await client.advance(first, here, here, patch)
    await client.advance(second, here, here, moved)
    assert (await client.status(chat=-1009))[0] == item


TAKES: list[Callable[[int], db.GenerationPatch]] = [
    lambda message_id: db.GenerationPatch(caption_message_id=message_id),
    lambda message_id: db.GenerationPatch(ending_message_id=message_id),
    lambda message_id: db.GenerationPatch(result_message_id=message_id),
]


@pytest.mark.parametrize("take", TAKES, ids=["caption", "ending", "result"])
async def test_a_message_is_one_rows_and_of_one_kind(
    client: Client, take: Callable[[int], db.GenerationPatch]
) -> None:
    await client.receive(1)
    await client.receive(2)
    await client.receive(3, chat=-7)
    first, second, elsewhere = await client.lease()
    here = db.GENERATION_STATE_RECEIVED
    item = await client.advance(first, here, here, take(9))
    assert await client.advance(first, here, here, take(9)) == item  # the answer was lost
    taken: Refusal = (grpc.StatusCode.ALREADY_EXISTS, "MESSAGE_TAKEN", [])
    assert await refusal(client.advance(second, here, here, take(9))) == taken
    other_kinds = [each for each in TAKES if each is not take]
    for other in other_kinds:
        assert await refusal(client.advance(first, here, here, other(9))) == taken
    await client.advance(elsewhere, here, here, take(9))
    await client.advance(second, here, here, take(10))


async def test_messages_of_old_are_no_hindrance_in_the_chat_that_a_group_became(
    client: Client,
) -> None:
    await client.receive(1)
    await client.receive(2)
    first, second = await client.lease()
    here = db.GENERATION_STATE_RECEIVED
    sending = db.Sending(kind=db.MESSAGE_KIND_CAPTION, after=9)
    await client.advance(first, here, here, db.GenerationPatch(caption_message_id=9))
    await client.advance(second, here, here, db.GenerationPatch(sending=sending))
    await client.advance(first, here, here, db.GenerationPatch(chat_id=-1009))
    patch = db.GenerationPatch(caption_message_id=9)
    item = await client.advance(second, here, here, patch)
    assert item.photo.caption_message_id == 9
    assert not item.generation.HasField("sending")


async def test_whoever_is_forgotten_leaves_no_message_either(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=USER)
    here = db.GENERATION_STATE_DELIVERED
    await client.advance(lease, here, here, db.GenerationPatch(result_message_id=9))
    await client.close(lease)
    await client.forget()
    again = await client.leased(1)
    here = db.GENERATION_STATE_RECEIVED
    await client.advance(again, here, here, db.GenerationPatch(result_message_id=9))


async def test_an_error_belongs_to_a_state_that_it_explains(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_QUEUED)
    here = db.GENERATION_STATE_QUEUED
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    error = db.GenerationPatch(error=db.Error(code="why"))
    for call in (
        client.advance(lease, here, db.GENERATION_STATE_FAILED),
        client.advance(lease, here, db.GENERATION_STATE_RUNNING, error),
    ):
        assert await refusal(call) == (invalid, "INVALID_ARGUMENT", ["patch.error"])
    failed = await client.advance(lease, here, db.GENERATION_STATE_FAILED, error)
    assert failed.generation.error.code == "why"


async def test_cancel_takes_what_still_can_be(client: Client) -> None:
    for number in range(1, 5):
        await client.receive(number)
    leases = await client.lease()
    await client.store(leases[0])
    await client.end(leases[1], failed=db.Error(code="broken"))
    await client.receive(5, user=7)
    first = await client.cancel()
    assert [item.photo.message_id for item in first.cancelled] == [1, 3, 4]
    assert [item.photo.message_id for item in first.too_late] == [2]
    assert await client.cancel() == first  # as often as asked, while it is not closed
    assert (await client.status(user=7))[0].generation.state == db.GENERATION_STATE_RECEIVED
    call = client.advance(
        leases[0],
        db.GENERATION_STATE_STORED,
        db.GENERATION_STATE_CAPTIONED,
        db.GenerationPatch(caption=CAPTION),
    )
    assert await refusal(call) == NOT_ALLOWED  # the holder learns of it, and holds it still
    assert [lease.fence for lease in await client.lease()] == [1, 1, 1, 1, 1]
    await client.close(leases[0])


@pytest.mark.parametrize("max_unfinished", [100])
async def test_an_answer_names_some_and_counts_all(client: Client) -> None:
    for number in range(1, 62):
        await client.receive(number)
    leases = await client.lease()
    for lease in leases[:3]:
        await client.end(lease, failed=db.Error(code="broken"))
    request = db.GetStatusRequest(bot_id=BOT, chat_id=CHAT, user_id=USER)
    response = await client.call(client.stub.GetStatus, request)
    assert [item.photo.message_id for item in response.items] == list(range(1, 51))
    assert response.count == 61
    outcome = await client.cancel()
    assert (outcome.cancelled_count, len(outcome.cancelled)) == (58, 50)
    assert (outcome.too_late_count, len(outcome.too_late)) == (3, 3)


@pytest.mark.long
@pytest.mark.parametrize("name", ALLOWED)
async def test_cancel_wins_or_loses_by_the_state(client: Client, name: str) -> None:
    lease = await client.to_state(state(name), message_id=USER)
    response = await client.cancel(lease.item.generation.id)
    won = name in {"received", "stored", "captioned", "queued", "running", "cancelled"}
    assert (len(response.cancelled), len(response.too_late)) == (won, not won)


async def test_cancel_of_one_that_is_closed_tells_how_it_ended(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=USER)
    await client.close(lease)
    response = await client.cancel(lease.item.generation.id)
    assert [item.generation.state for item in response.too_late] == [db.GENERATION_STATE_DELIVERED]
    assert await client.cancel() == db.CancelGenerationsResponse()


async def test_cancel_is_the_owners(client: Client) -> None:
    generation = (await client.receive()).item.generation
    denied = await refusal(client.cancel(generation.id, user=7))
    assert denied == (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER", [])
    missing: Refusal = (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", [])
    assert await refusal(client.cancel(generation.id, bot=2)) == missing
    assert await refusal(client.cancel("00000000-0000-4000-8000-000000000000")) == missing


async def test_unknown_generations(client: Client) -> None:
    unknown = Lease(fence=1)
    unknown.item.generation.id = "00000000-0000-4000-8000-000000000000"
    here = db.GENERATION_STATE_QUEUED
    for call in (
        client.advance(unknown, here, here),
        client.close(unknown),
        client.end(unknown, failed=db.Error(code="why")),
    ):
        assert await refusal(call) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", [])


async def test_a_cancel_that_comes_again_spares_what_was_sent_after_it(client: Client) -> None:
    for number in (1, 3, 5):
        await client.receive(number)
    for _ in range(2):
        response = await client.cancel(before=4)
        assert [item.photo.message_id for item in response.cancelled] == [1, 3]
        assert response.cancelled_count == 2
    cancelled = await client.status()
    assert [item.generation.state for item in cancelled][2] == db.GENERATION_STATE_RECEIVED


async def test_what_followed_a_group_was_sent_before_all_that_is_there(client: Client) -> None:
    lease = await client.leased(1000)
    here = db.GENERATION_STATE_RECEIVED
    await client.advance(lease, here, here, db.GenerationPatch(chat_id=-200))
    await client.receive(3, chat=-200)  # its messages are counted anew
    response = await client.cancel(chat=-200, before=2)
    assert [item.photo.message_id for item in response.cancelled] == [1000]
