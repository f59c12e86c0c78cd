"""Somebody asks for all that is kept of them: what there is to read, and how often."""

import sqlite3
from datetime import UTC
from pathlib import Path

import grpc
import pytest

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.transactions import exports
from lookalike.sqlite import path_of
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, USER, Client, Refusal, refusal
from tests.dbservice.conftest import Clock
from tests.waiting import until

pytestmark = pytest.mark.each_database

PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
NO_EXPORT: Refusal = (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", [])
OTHER = 43
HOUR = 3600.0

Part = db.AdvanceExportRequest.Part


async def entries(client: Client, *, user: int = USER) -> list[db.ExportEntry]:
    """All of them, by pages."""
    page = await client.export_page(user=user)
    found = [*page.entries]
    while page.cursor:
        page = await client.export_page(page.cursor, user=user)
        found += page.entries
    return found


def ids(found: list[db.ExportEntry]) -> list[str]:
    return [each.photo.id or each.generation.id for each in found]


async def painted(client: Client, user: int) -> db.Item:
    """A user's photo with its picture, told and closed."""
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED, user)
    await client.close(lease)
    return (await client.get(user=user, generation_id=lease.item.generation.id)).item


@pytest.mark.parametrize("size", [1, 2, 3, 50])
async def test_all_is_read_in_order_whatever_a_page_holds(
    client: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(exports, "_PAGE", size)
    own = await painted(client, USER)
    await painted(client, OTHER)
    again = (await client.create(own.generation.id)).item.generation.id
    await client.cancel(again)
    clock.pass_seconds(1)
    elsewhere = (await client.receive(7, chat=-200)).item
    clock.pass_seconds(1)
    words = (await client.create(message=8)).item
    expected = [
        own.photo.id,
        own.generation.id,
        again,
        elsewhere.photo.id,
        elsewhere.generation.id,
        words.photo.id,
        words.generation.id,
    ]
    await client.ask_to_export()
    await client.receive(9)
    await client.create(own.generation.id, 501)
    found = await entries(client)
    assert ids(found) == expected
    assert found[0].photo == own.photo
    assert found[1].generation == own.generation
    assert not any(each.missing for each in found)
    page = [*(await client.export_page(found[2].cursor)).entries]
    assert ids(page) == expected[3 : 3 + size]


async def test_besides_there_is_what_was_chosen_and_who_they_are(
    client: Client, clock: Clock
) -> None:
    await painted(client, USER)
    await client.settings(db.DIAL_TWIN)
    await client.call(client.stub.ClaimBot, db.ClaimBotRequest(bot_id=BOT, user_id=USER))
    invite = db.CreateInviteRequest(bot_id=BOT, max_uses=1, lifetime_seconds=60)
    secret = (await client.call(client.stub.CreateInvite, invite)).secret
    redeem = db.RedeemInviteRequest(bot_id=BOT, user_id=USER, secret=secret)
    await client.call(client.stub.RedeemInvite, redeem)
    for user in (USER, OTHER):
        await client.ask_to_export(user)
    about = (await client.export_page()).about
    assert (about.settings.dial, about.owner) == (db.DIAL_TWIN, True)
    assert about.joined_at.ToDatetime(UTC) == clock.now
    assert about.kept_bytes == len(b"a photo") + len(b"a picture")
    others = (await client.export_page(user=OTHER)).about
    assert others == db.ReadExportResponse.About(settings=db.UserSettings())


async def test_deleted_pictures_are_left_out_and_lost_bytes_are_said_to_be_missing(
    client: Client, blobs: Path
) -> None:
    own = await painted(client, USER)
    child = (await client.create(own.generation.id)).item.generation.id
    await client.cancel(child)
    for lease in await client.lease():
        await client.close(lease)
    await client.delete(own.generation.id, user=USER)
    (file,) = (path for path in blobs.rglob("*") if path.is_file())
    file.unlink()
    await client.ask_to_export()
    found = await entries(client)
    assert ids(found) == [own.photo.id, child]
    assert [each.missing for each in found] == [True, False]


async def test_a_user_has_one_at_a_time_and_one_a_day(client: Client, clock: Clock) -> None:
    begun = db.EXPORT_ANSWER_BEGUN
    assert (await client.ask_to_export()).answer == begun
    assert (await client.ask_to_export()).answer == begun
    other = await client.ask_to_export(message=951)
    assert other.answer == db.EXPORT_ANSWER_UNDER_WAY
    asked_at = clock.now
    await client.advance_export(part=Part(number=1, last=True))
    assert await client.exports() == []
    assert (await client.ask_to_export()).answer == begun  # its update has come again
    assert await client.exports() == []
    clock.pass_seconds(23 * HOUR)
    soon = await client.ask_to_export(message=952)
    assert soon.answer == db.EXPORT_ANSWER_TOO_SOON
    assert soon.next_at.ToDatetime(UTC) == asked_at + exports.PAUSE
    clock.pass_seconds(1 * HOUR)
    assert (await client.ask_to_export(message=953)).answer == begun
    assert [each.message_id for each in await client.exports()] == [953]


async def test_one_that_was_given_up_may_be_asked_for_again(client: Client) -> None:
    await client.ask_to_export()
    await client.end_export(message=951)
    assert len(await client.exports()) == 1
    await client.end_export()
    await client.end_export()
    assert await client.exports() == []
    assert await refusal(client.export_page()) == NO_EXPORT
    assert (await client.ask_to_export(message=951)).answer == db.EXPORT_ANSWER_BEGUN


async def test_a_part_counts_once_and_who_had_the_fewest_comes_first(
    client: Client, clock: Clock
) -> None:
    for user in (USER, OTHER):
        await client.ask_to_export(user, language="lt")
        clock.pass_seconds(1)
    (first, _) = await client.exports()
    assert (first.user_id, first.after, first.sending) == (USER, 950, False)
    assert first.language_code == "lt"
    await client.advance_export(sending_after=955)
    (first, _) = await client.exports()
    assert (first.after, first.sending) == (955, True)
    await client.advance_export(shown_message_id=960)
    (first, _) = await client.exports()
    assert (first.shown_message_id, first.after, first.sending) == (960, 960, False)
    await client.advance_export(shown_message_id=0)
    (first, _) = await client.exports()
    assert (first.HasField("shown_message_id"), first.lost) == (False, 1)
    await client.advance_export(shown_message_id=961)
    for _ in range(2):
        await client.advance_export(part=Part(number=1, cursor="c"))
    await client.advance_export(part=Part(number=3, cursor="d"))
    other, own = await client.exports()
    assert other.user_id == OTHER
    assert (own.user_id, own.parts, own.cursor, own.lost) == (USER, 1, "c", 0)
    assert not own.HasField("shown_message_id")
    assert await refusal(client.advance_export(message=1, shown_message_id=9)) == NO_EXPORT


async def test_a_cursor_of_somebodys_own_making_is_refused(client: Client) -> None:
    await client.ask_to_export()
    wrong = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", ["cursor"])
    assert await refusal(client.export_page("next")) == wrong


async def test_being_forgotten_ends_it_and_leaves_nothing(client: Client) -> None:
    await painted(client, USER)
    await client.ask_to_export()
    await client.advance_export(shown_message_id=960)
    await client.ask_to_forget()
    assert await refusal(client.export_page()) == NO_EXPORT
    assert await refusal(client.advance_export(part=Part(number=1))) == NO_EXPORT
    late = await refusal(client.ask_to_export(message=951))
    assert late == (PRECONDITION, "BEING_FORGOTTEN", [])
    (export,) = await client.exports()
    assert (export.abandoned, export.shown_message_id) == (True, 960)
    assert [each.unfinished for each in await client.forgettings()] == [True]
    await client.end_export()
    assert [each.unfinished for each in await client.forgettings()] == [False]
    await client.forget()
    await client.end_forgetting()
    assert await client.exports() == []
    assert (await client.ask_to_export(message=952)).answer == db.EXPORT_ANSWER_BEGUN
    await client.exported(OTHER)
    await client.forgotten(OTHER, message=901)
    answer = (await client.ask_to_export(OTHER, message=953)).answer
    assert answer == db.EXPORT_ANSWER_BEGUN, "that they had one was forgotten as well"


@pytest.mark.sqlite
async def test_after_a_day_nothing_says_that_there_was_one(
    settings: DbserviceSettings, clock: Clock
) -> None:
    def known() -> int:
        with sqlite3.connect(path_of(settings.database)) as connection:
            (found,) = connection.execute("SELECT count(*) FROM exports").fetchone()
        connection.close()
        return int(found)

    async with (
        running(settings, clock, ()) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        await Client(channel).exported()
        await Client(channel).ask_to_export(OTHER)
    assert known() == 2
    clock.pass_seconds(24 * HOUR)
    async with running(settings, clock, ()):
        await until(lambda: known() == 1)
