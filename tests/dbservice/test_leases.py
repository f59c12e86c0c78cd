"""Leases and fences, with a clock of the test's own."""

import sqlite3

import grpc
import pytest

from dbservice.settings import DbserviceSettings
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CAPTION, CHAT, Client, Lease, Refusal, refusal
from tests.dbservice.conftest import Clock
from tests.waiting import until

pytestmark = pytest.mark.each_database

OTHER = 43

INVALID = grpc.StatusCode.INVALID_ARGUMENT
SUPERSEDED: Refusal = (grpc.StatusCode.FAILED_PRECONDITION, "SUPERSEDED", [])
LOST: Refusal = (grpc.StatusCode.FAILED_PRECONDITION, "LEASE_LOST", [])


def seconds_left(lease: Lease, clock: Clock) -> float:
    return lease.expires_at.ToSeconds() - clock.now.timestamp()


async def test_one_holder_at_a_time_oldest_first(client: Client, clock: Clock) -> None:
    for number in range(1, 4):
        await client.receive(number)
    leases = await client.lease("a")
    assert [lease.item.photo.message_id for lease in leases] == [1, 2, 3]
    assert [lease.fence for lease in leases] == [1, 1, 1]
    assert seconds_left(leases[0], clock) == 30
    assert await client.lease("b") == []
    clock.pass_seconds(30)
    assert [lease.fence for lease in await client.lease("b")] == [2, 2, 2]
    assert await client.lease("a") == []


async def test_the_holder_renews_under_the_same_fence(client: Client, clock: Clock) -> None:
    await client.receive()
    for _ in range(5):
        clock.pass_seconds(25)
        (lease,) = await client.lease()
        assert lease.fence == 1
        assert seconds_left(lease, clock) == 30


async def test_the_holder_itself_gets_a_new_fence_after_its_lease_ran_out(
    client: Client, clock: Clock
) -> None:
    old = await client.leased()
    clock.pass_seconds(30)
    (new,) = await client.lease()
    assert new.fence == old.fence + 1


async def test_the_newest_of_those_that_poll_has_all_at_once(client: Client) -> None:
    await client.receive()
    await client.receive(bot=2)
    older = await client.begin()
    (old,) = await client.lease("a", epoch=older)
    newer = await client.begin()
    assert newer > older
    assert await refusal(client.store(old)) == LOST  # before anybody has leased it anew
    (new,) = await client.lease("b", epoch=newer)
    assert new.fence == old.fence + 1
    for call in (
        client.lease("a", epoch=older),
        client.lease("a", epoch=older, stopping=True),
        client.confirm(older),
    ):
        assert await refusal(call) == SUPERSEDED
    assert await refusal(client.store(old)) == LOST
    await client.store(new)
    await client.confirm(newer)
    other = await client.begin(bot=2)
    await client.confirm(other, bot=2)
    await client.confirm(newer)  # another bot's is nothing to it


@pytest.mark.sqlite
async def test_epochs_grow_whatever_the_clock_does_and_after_a_restored_copy(
    client: Client, clock: Clock, settings: DbserviceSettings
) -> None:
    first = await client.begin()
    clock.pass_seconds(-3600)
    second = await client.begin()
    assert second == first + 1
    clock.pass_seconds(7200)
    third = await client.begin()
    with sqlite3.connect(settings.database.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE epochs SET epoch = ?", [second])  # as a copy has it
    connection.close()
    await client.confirm(third)
    clock.pass_seconds(1)
    assert await client.begin() > third
    assert await refusal(client.confirm(third)) == SUPERSEDED


async def test_of_the_names_of_former_days_no_two_processes_lease_together(client: Client) -> None:
    """A bot of before has a name that the next one has, too, in a field of its own."""
    old = db.LeaseGenerationsRequest.FromString(b"\x08\x01\x12\x04here\x18\x01")
    code, reason, fields = await refusal(client.call(client.stub.LeaseGenerations, old))
    assert (code, reason, fields) == (INVALID, "INVALID_ARGUMENT", ["holder"])


async def test_a_clock_that_is_set_back_blocks_no_lease(client: Client, clock: Clock) -> None:
    await client.receive(1)
    await client.receive(2)
    first, _ = await client.lease("a")
    clock.pass_seconds(-3600)
    (renewed,) = await client.lease("a", limit=1)  # its holder goes on under its fence
    assert (renewed.fence, seconds_left(renewed, clock)) == (first.fence, 30)
    (left,) = await client.lease("b")  # what its holder does not renew is another's
    assert (left.item.photo.message_id, left.fence) == (2, 2)
    clock.pass_seconds(9 * 24 * 3600)
    assert [lease.fence for lease in await client.lease("a")] == [2, 3]


async def test_it_says_which_other_work_there_is(client: Client) -> None:
    async def told(bot: int = BOT) -> tuple[bool, bool, bool]:
        request = db.LeaseGenerationsRequest(bot_id=bot, holder="here")
        answer = await client.call(client.stub.LeaseGenerations, request)
        return answer.has_broadcast, answer.has_exports, answer.has_forgettings

    assert await told() == (False, False, False)
    await client.receive()
    await client.ask_to_forget()
    assert await told() == (False, False, True)
    for lease in await client.lease():
        await client.close(lease)
    await client.forget()
    await client.end_forgetting()
    assert await told() == (False, False, False)
    await client.receive(2, user=OTHER)
    export = db.BeginExportRequest(bot_id=BOT, user_id=OTHER, message_id=3, language_code="en")
    await client.call(client.stub.BeginExport, export)
    assert await told() == (False, True, False)
    end = db.EndExportRequest(bot_id=BOT, user_id=OTHER, message_id=3)
    await client.call(client.stub.EndExport, end)
    broadcast = db.BeginBroadcastRequest(
        bot_id=BOT, user_id=OTHER, message_id=4, source_message_id=3, language_code="en", total=1
    )
    await client.call(client.stub.BeginBroadcast, broadcast)
    assert await told() == (True, False, False)
    assert await told(bot=BOT + 1) == (False, False, False)


@pytest.mark.sqlite
async def test_an_idle_tick_writes_nothing(
    client: Client, clock: Clock, settings: DbserviceSettings
) -> None:
    connection = sqlite3.connect(settings.database.removeprefix("sqlite:///"))

    def version() -> int:
        """Changes with every commit of another connection that wrote."""
        return int(connection.execute("PRAGMA data_version").fetchone()[0])

    await until(lambda: bool(connection.execute("SELECT 1 FROM wall_clock").fetchall()))
    before = version()
    assert await client.lease() == []
    assert version() == before
    await client.receive()
    (lease,) = await client.lease()
    before = version()
    clock.pass_seconds(10)
    (same,) = await client.lease()
    assert same.expires_at == lease.expires_at
    assert version() == before
    clock.pass_seconds(1)
    (renewed,) = await client.lease()
    assert seconds_left(renewed, clock) == 30
    assert version() != before
    connection.close()


@pytest.mark.parametrize("fault", ["never leased", "wrong fence", "ran out"])
async def test_every_write_needs_the_lease(client: Client, clock: Clock, fault: str) -> None:
    item = (await client.receive()).item
    lease = Lease(item=item, fence=0)
    if fault != "never leased":
        (lease,) = await client.lease()
    if fault == "wrong fence":
        lease.fence += 1
    if fault == "ran out":
        clock.pass_seconds(30)
    here = db.GENERATION_STATE_RECEIVED
    for call in (
        client.store(lease),
        client.advance(lease, here, here, db.GenerationPatch(user_notified=True)),
        client.finish(lease),
        client.end(lease, failed=db.Error(code="why")),
        client.close(lease),
    ):
        assert await refusal(call) == LOST
    assert (await client.receive()).item == item


async def test_leases_are_one_bots_and_end_with_closing(client: Client) -> None:
    lease = await client.leased()
    await client.receive(2, bot=2)
    assert len(await client.lease(bot=2)) == 1
    await client.cancel()
    assert len(await client.lease()) == 1  # unclosed: somebody must tell the user
    await client.close(lease)
    assert await client.lease() == []


async def test_no_more_than_asked_for(client: Client) -> None:
    for number in range(1, 5):
        await client.receive(number)
    first = await client.lease("a", limit=3)
    assert [lease.item.photo.message_id for lease in first] == [1, 2, 3]
    assert [lease.item.photo.message_id for lease in await client.lease("b")] == [4]


@pytest.mark.sqlite
@pytest.mark.slow
async def test_an_answer_always_fits_into_a_message(client: Client) -> None:
    user_text = "\N{GRINNING FACE}" * 4096
    for number in range(1, 261):
        request = db.ReceivePhotoRequest(
            bot_id=BOT,
            chat_id=CHAT,
            message_id=number,
            user_id=number,
            file_id="f",
            user_text=user_text,
        )
        await client.call(client.stub.ReceivePhoto, request)
    leases = await client.lease()
    assert [lease.item.photo.message_id for lease in leases] == [*range(1, len(leases) + 1)]
    assert 150 < len(leases) < 260


async def test_a_leased_row_tells_all_that_a_resubmission_needs(client: Client) -> None:
    lease = await client.leased()
    await client.store(lease)
    caption = db.GenerationPatch(caption=CAPTION, prompt=CAPTION.text, caption_message_id=5)
    item = await client.advance(
        lease, db.GENERATION_STATE_STORED, db.GENERATION_STATE_CAPTIONED, caption
    )
    item.generation.attempts = 1  # all that is new is that the process has died, maybe of this
    await client.begin()
    (again,) = await client.lease("another")
    assert again.item == item


async def test_what_a_process_may_have_died_of_is_marked(client: Client, clock: Clock) -> None:
    await client.receive()
    (lease,) = await client.lease()
    assert lease.item.generation.attempts == 0
    await client.begin()
    (lease,) = await client.lease("the next")  # the former one left without a word
    assert lease.item.generation.attempts == 1
    here = lease.item.generation.state
    await client.advance(lease, here, here, db.GenerationPatch(attempts=3))
    clock.pass_seconds(30)
    (lease,) = await client.lease("another")
    assert lease.item.generation.attempts == 3
    await client.store(lease)
    (lease,) = await client.lease("another")
    assert lease.item.generation.attempts == 0, "it has gone on"


async def test_a_holder_that_slept_has_not_died(client: Client, clock: Clock) -> None:
    await client.leased()
    clock.pass_seconds(30)
    (lease,) = await client.lease()
    assert lease.item.generation.attempts == 0


async def test_a_clean_stop_frees_what_was_held_and_blames_nobody(client: Client) -> None:
    await client.receive()
    await client.lease("a")
    await client.begin()
    (old,) = await client.lease("b")
    assert old.item.generation.attempts == 1
    assert await client.lease("b", stopping=True) == []
    assert await refusal(client.store(old)) == LOST
    (lease,) = await client.lease("another")
    assert lease.item.generation.attempts == 0
