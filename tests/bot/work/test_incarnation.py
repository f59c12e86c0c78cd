"""A process sends nothing once a newer one polls, however dbservice is when it asks."""

import time

import pytest

from bot.clients.errors import DatabaseUnavailable
from bot.work.incarnation import Incarnation
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Database, Desk


async def superseded(desk: Desk) -> Incarnation:
    """One that is no longer the newest, and does not know it yet."""
    older = Incarnation(desk.database, BOT)
    await older.begin()
    older._fresh_until = 0
    await Incarnation(desk.database, BOT).begin()
    return older


async def test_one_that_was_superseded_sends_nothing(desk: Desk) -> None:
    assert not await (await superseded(desk)).may_send()


async def test_a_call_that_was_cut_while_it_was_frozen_is_made_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, calls = await superseded(desk), 0

    async def cut_once(database: Database, request: db.ConfirmEpochRequest) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise DatabaseUnavailable("DEADLINE_EXCEEDED: while nobody listened")
        await super(Database, database).confirm_epoch(request)

    monkeypatch.setattr(Database, "confirm_epoch", cut_once)
    assert not await older.may_send()
    assert older.superseded.is_set()


async def test_while_dbservice_is_away_what_only_we_know_of_is_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_database: Database, _request: db.ConfirmEpochRequest) -> None:
        raise DatabaseUnavailable("UNAVAILABLE: connection refused")

    older = await superseded(desk)
    monkeypatch.setattr(Database, "confirm_epoch", away)
    assert await older.may_send()


async def test_one_of_several_sends_no_longer_than_its_chats_are_its_own(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_database: Database, _request: db.ConfirmEpochRequest) -> None:
        raise DatabaseUnavailable("UNAVAILABLE: connection refused")

    ours = Incarnation(desk.database, BOT, "https://bot.example.org")
    await ours.begin()
    monkeypatch.setattr(Database, "confirm_epoch", away)
    for bots, seconds, may in ((1, 60, True), (2, 19, True), (2, 21, False)):
        ours.has_share(bots, time.monotonic() - seconds)
        ours._fresh_until = ours._confirmed_at = 0
        assert await ours.may_send() is may, (bots, seconds)
