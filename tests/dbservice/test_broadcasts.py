"""Broadcasts: who gets one, step by step, and nobody twice."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import grpc
import pytest

from dbservice.settings import DbserviceSettings
from dbservice.transactions import broadcasts
from lookalike.sqlite import path_of
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, Client, refusal
from tests.dbservice.test_access import ban, claim, invite, redeem

pytestmark = pytest.mark.each_database

ADMIN, QUESTION, SOURCE = 900, 77, 76
EVERYONE = db.Audience(everyone=True)


async def members(client: Client, *users: int) -> None:
    secret = (await invite(client, len(users))).secret
    for user in users:
        assert await redeem(client, secret, user) == db.REDEMPTION_ACCEPTED


async def in_private(client: Client, user: int, language: str = "lt") -> None:
    """Somebody who has sent a photo in their private chat."""
    request = db.ReceivePhotoRequest(
        bot_id=BOT, chat_id=user, message_id=1, user_id=user, file_id="f", language_code=language
    )
    await client.call(client.stub.ReceivePhoto, request)


async def wants(client: Client, user: int, *, news: bool) -> db.UserSettings:
    request = db.ChangeSettingsRequest(
        bot_id=BOT, user_id=user, settings=db.UserSettings(news=news)
    )
    return (await client.call(client.stub.ChangeSettings, request)).settings


async def count(client: Client, audience: db.Audience = EVERYONE) -> int:
    request = db.CountRecipientsRequest(bot_id=BOT, user_id=ADMIN, audience=audience)
    return (await client.call(client.stub.CountRecipients, request)).count


async def begin(client: Client, question: int = QUESTION) -> db.BeginBroadcastResponse:
    request = db.BeginBroadcastRequest(
        bot_id=BOT,
        user_id=ADMIN,
        message_id=question,
        source_message_id=SOURCE,
        language_code="de",
        total=5,
    )
    return await client.call(client.stub.BeginBroadcast, request)


async def get(client: Client) -> db.Broadcast | None:
    request = db.GetBroadcastRequest(bot_id=BOT)
    found = await client.call(client.stub.GetBroadcast, request)
    return found.broadcast if found.HasField("broadcast") else None


async def advance(client: Client, step: int, **fields: Any) -> db.Broadcast:
    asked: dict[str, Any] = {"limit": 10, "audience": EVERYONE} | fields
    request = db.AdvanceBroadcastRequest(bot_id=BOT, message_id=QUESTION, step=step, **asked)
    return (await client.call(client.stub.AdvanceBroadcast, request)).broadcast


async def cancel(client: Client, question: int = QUESTION) -> db.Broadcast:
    request = db.CancelBroadcastRequest(bot_id=BOT, user_id=ADMIN, message_id=question)
    return (await client.call(client.stub.CancelBroadcast, request)).broadcast


async def close(client: Client) -> None:
    request = db.CloseBroadcastRequest(bot_id=BOT, message_id=QUESTION)
    await client.call(client.stub.CloseBroadcast, request)


async def all_of_it(client: Client, audience: db.Audience = EVERYONE) -> Sequence[int]:
    """To whom it is sent."""
    got: list[int] = []
    broadcast = (await begin(client)).broadcast
    while broadcast.state == db.BROADCAST_STATE_RUNNING:
        sent = len(broadcast.in_flight)
        got += [each.user_id for each in broadcast.in_flight]
        broadcast = await advance(client, broadcast.step, sent=sent, limit=2, audience=audience)
    assert broadcast.sent == len(got)
    return got


async def test_who_uses_the_bot_in_private_gets_it_once_in_their_language(client: Client) -> None:
    await members(client, 5, 3, ADMIN)
    for user in (4, 3, 2):
        await in_private(client, user)
    await client.receive(9, user=60)  # in a group alone
    await client.settings(user=61)  # has written nothing in private
    assert await count(client) == 4
    broadcast = (await begin(client)).broadcast
    broadcast = await advance(client, broadcast.step)
    assert [each.user_id for each in broadcast.in_flight] == [2, 3, 4, 5]
    assert [each.language_code for each in broadcast.in_flight] == ["lt", "lt", "lt", ""]
    broadcast = await advance(client, broadcast.step, sent=2, blocked=1, failed=1)
    assert (broadcast.state, [*broadcast.in_flight]) == (db.BROADCAST_STATE_DONE, [])
    counted = broadcast.sent, broadcast.blocked, broadcast.failed, broadcast.left_out
    assert counted == (2, 1, 1, 0)


async def test_who_wants_none_or_may_not_is_left_out(client: Client) -> None:
    await members(client, *range(1, 6))
    await in_private(client, 6)
    assert not (await wants(client, 1, news=False)).news
    await wants(client, 2, news=False)
    assert not (await wants(client, 2, news=True)).HasField("news")
    await ban(client, 3)
    await in_private(client, 4)
    await client.ask_to_forget(4)
    assert await count(client) == 3
    assert await all_of_it(client) == [2, 5, 6]
    broadcast = await get(client)
    assert broadcast is not None
    assert broadcast.left_out == 3


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        (db.Audience(), [7]),
        (db.Audience(user_ids=[6]), [6, 7]),
        (db.Audience(members=True), [1, 7]),
        (db.Audience(everyone=True), [1, 5, 6, 7]),
    ],
)
async def test_it_is_for_whom_the_bot_is_for(
    client: Client, audience: db.Audience, expected: list[int]
) -> None:
    await members(client, 1)
    for user in (5, 6, 7):
        await in_private(client, user)
    assert await claim(client, 7)
    assert await count(client, audience) == len(expected)
    assert await all_of_it(client, audience) == expected


async def test_a_wish_counts_as_long_as_nothing_is_sent(client: Client) -> None:
    await members(client, 1, 2, 3)
    step = (await begin(client)).broadcast.step
    broadcast = await advance(client, step)
    await wants(client, 2, news=False)
    broadcast = await advance(client, broadcast.step, sent=1, unsent=[2, 3])
    assert [each.user_id for each in broadcast.in_flight] == [3]
    broadcast = await advance(client, broadcast.step, sent=1)
    assert (broadcast.sent, broadcast.left_out) == (2, 1)


async def test_a_step_counts_once_and_a_stranger_goes_no_further(client: Client) -> None:
    await members(client, 1, 2, 3)
    step = (await begin(client)).broadcast.step
    first = await advance(client, step, limit=2)
    assert await advance(client, step, limit=2) == first
    second = await advance(client, first.step, sent=2, after=500)
    assert await advance(client, first.step, sent=2, after=500) == second
    assert (second.sent, second.after) == (2, 500)
    for stale in (step, second.step + 1):
        code, reason, _ = await refusal(advance(client, stale, sent=1))
        assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LEASE_LOST")
    assert await get(client) == second, "who comes after a crash finds who is in flight"


async def test_a_process_that_stops_notes_nobody_new(client: Client) -> None:
    await members(client, 1, 2, 3)
    broadcast = await advance(client, (await begin(client)).broadcast.step, limit=2)
    broadcast = await advance(client, broadcast.step, sent=1, unsent=[2], limit=0)
    assert [each.user_id for each in broadcast.in_flight] == [2]
    broadcast = await advance(client, broadcast.step, sent=1)
    assert [each.user_id for each in broadcast.in_flight] == [3]


async def test_there_is_one_at_a_time_and_each_begins_once(client: Client) -> None:
    await members(client, 1)
    begun = await begin(client)
    assert await begin(client) == begun
    assert not (await begin(client, 99)).HasField("broadcast")
    code, reason, _ = await refusal(close(client))
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_CLOSED")
    await all_of_it(client)
    assert not (await begin(client, 99)).HasField("broadcast"), "it has not been told yet"
    await close(client)
    await close(client)
    assert await get(client) is None
    again = (await begin(client)).broadcast
    assert again.state == db.BROADCAST_STATE_DONE, "a press that comes again"
    assert (await begin(client, 99)).HasField("broadcast")


async def test_cancelled_it_goes_to_nobody_else(client: Client) -> None:
    await members(client, 1, 2, 3)
    broadcast = await advance(client, (await begin(client)).broadcast.step, limit=2)
    assert (await cancel(client)).state == db.BROADCAST_STATE_CANCELLED
    broadcast = await advance(client, broadcast.step, sent=1, unsent=[2])
    assert (broadcast.state, broadcast.sent) == (db.BROADCAST_STATE_CANCELLED, 1)
    assert not broadcast.in_flight
    await close(client)
    assert await get(client) is None


async def test_cancelled_before_it_is_begun_it_never_is(client: Client) -> None:
    assert (await cancel(client)).source_message_id == 0
    assert (await begin(client)).broadcast.state == db.BROADCAST_STATE_CANCELLED
    assert await get(client) is None
    await cancel(client)


async def test_a_source_that_is_gone_ends_it(client: Client) -> None:
    await members(client, 1, 2)
    broadcast = await advance(client, (await begin(client)).broadcast.step)
    broadcast = await advance(client, broadcast.step, unsent=[1, 2], source_gone=True)
    assert (broadcast.state, [*broadcast.in_flight]) == (db.BROADCAST_STATE_GONE, [])


async def test_forgetting_takes_whom_it_names_along(client: Client) -> None:
    await members(client, 1, 2)
    await advance(client, (await begin(client)).broadcast.step)
    await client.forget(1)
    found = await get(client)
    assert found is not None
    assert [each.user_id for each in found.in_flight] == [2]
    await client.forget(ADMIN)
    assert await get(client) is None


async def test_whoever_is_forgotten_is_not_noted_again(client: Client) -> None:
    await members(client, 1, 2)
    broadcast = await advance(client, (await begin(client)).broadcast.step)
    await client.forget(1)
    broadcast = await advance(client, broadcast.step, unsent=[1, 2])
    assert [each.user_id for each in broadcast.in_flight] == [2]


async def test_a_broadcast_knows_nothing_of_one_whose_admin_was_forgotten(client: Client) -> None:
    await members(client, 5, 6)
    await advance(client, (await begin(client)).broadcast.step)
    await client.forget(ADMIN)
    await members(client, 1, 2)
    assert not (await begin(client)).broadcast.in_flight
    assert await all_of_it(client) == [1, 2, 5, 6]


@pytest.mark.sqlite
async def test_whoever_an_earlier_version_has_left_in_flight_is_in_none(
    client: Client, settings: DbserviceSettings
) -> None:
    """It ended a broadcast with its admin and left who was in flight."""
    with closing(sqlite3.connect(path_of(settings.database))) as connection, connection:
        connection.execute("INSERT INTO broadcasts_in_flight VALUES (?, 6)", (BOT,))
    await members(client, 1, 6)
    assert not (await begin(client)).broadcast.in_flight
    assert await all_of_it(client) == [1, 6]


async def test_whose_turn_comes_again_passes_nobody_over(client: Client) -> None:
    await members(client, 5)
    broadcast = await advance(client, (await begin(client)).broadcast.step)
    await members(client, 7)
    broadcast = await advance(client, broadcast.step, unsent=[5, 9, 5], limit=2)
    assert [each.user_id for each in broadcast.in_flight] == [5, 7]


async def test_very_many_are_counted_and_passed_over_a_little_at_a_time(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcasts, "_BATCH", 3)
    await members(client, *range(1, 11))
    for user in range(1, 9):
        await wants(client, user, news=False)
    assert await count(client) == 2
    assert await all_of_it(client) == [9, 10]


async def test_of_many_that_have_ended_some_are_remembered(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcasts, "_MOST_CLOSED", 2)
    for question in (1, 2, 3):
        await cancel(client, question)
    assert (await begin(client, 3)).broadcast.state == db.BROADCAST_STATE_CANCELLED
    assert (await begin(client, 1)).broadcast.state == db.BROADCAST_STATE_RUNNING


async def test_who_runs_a_bot_and_in_which_language(client: Client) -> None:
    request = db.ListAdminsRequest(bot_id=BOT, user_ids=[5, 6, 5])
    found = (await client.call(client.stub.ListAdmins, request)).admins
    assert [each.user_id for each in found] == [5, 6]
    await claim(client, 6)
    await in_private(client, 6, "nl")
    chosen = db.ChangeSettingsRequest(
        bot_id=BOT, user_id=5, settings=db.UserSettings(language="de")
    )
    await client.call(client.stub.ChangeSettings, chosen)
    found = (await client.call(client.stub.ListAdmins, request)).admins
    assert [(each.user_id, each.language_code) for each in found] == [(6, "nl"), (5, "de")]


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ({"step": -1}, "step"),
        ({"step": 0, "sent": 26}, "sent"),
        ({"step": 0, "limit": 26}, "limit"),
        ({"step": 0, "unsent": [-5]}, "unsent"),
        ({"step": 0, "unsent": range(1, 40)}, "unsent"),
    ],
)
async def test_a_step_has_bounds(client: Client, step: dict[str, Any], field: str) -> None:
    code, _, fields = await refusal(advance(client, **step))
    assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, [field])
