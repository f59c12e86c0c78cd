"""Whose a bot is, who was invited, and who is banned."""

import asyncio
import hashlib
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.transactions import access
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CHAT, USER, Client, Refusal, refusal

pytestmark = pytest.mark.each_database

WEEK = 7 * 24 * 3600


async def get(client: Client, user: int = USER, chat: int = CHAT) -> db.GetAccessResponse:
    request = db.GetAccessRequest(bot_id=BOT, user_id=user, chat_id=chat)
    return await client.call(client.stub.GetAccess, request)


async def claim(client: Client, user: int) -> bool:
    request = db.ClaimBotRequest(bot_id=BOT, user_id=user)
    return (await client.call(client.stub.ClaimBot, request)).owner


async def invite(client: Client, uses: int = 1, seconds: int = WEEK) -> db.CreateInviteResponse:
    request = db.CreateInviteRequest(bot_id=BOT, max_uses=uses, lifetime_seconds=seconds)
    return await client.call(client.stub.CreateInvite, request)


async def invites(client: Client) -> list[int]:
    request = db.ListInvitesRequest(bot_id=BOT)
    return [each.id for each in (await client.call(client.stub.ListInvites, request)).invites]


async def revoke(client: Client, number: int, bot: int = BOT) -> None:
    request = db.RevokeInviteRequest(bot_id=bot, id=number)
    await client.call(client.stub.RevokeInvite, request)


async def redeem(client: Client, secret: str, user: int = USER, bot: int = BOT) -> db.Redemption:
    request = db.RedeemInviteRequest(bot_id=bot, user_id=user, secret=secret)
    return (await client.call(client.stub.RedeemInvite, request)).redemption


async def ban(client: Client, user: int = USER) -> db.BanUserResponse:
    request = db.BanUserRequest(bot_id=BOT, user_id=user)
    return await client.call(client.stub.BanUser, request)


async def unban(client: Client, user: int = USER) -> bool:
    request = db.UnbanUserRequest(bot_id=BOT, user_id=user)
    return (await client.call(client.stub.UnbanUser, request)).changed


async def test_of_all_who_claim_a_bot_at_once_one_owns_it_for_good(client: Client) -> None:
    assert not (await get(client)).owned
    claims = await asyncio.gather(*(claim(client, user) for user in range(1, 9)))
    assert claims.count(True) == 1
    owner = claims.index(True) + 1
    assert await claim(client, owner), "again is the same"
    found = [await get(client, user) for user in range(1, 9)]
    assert [each.owner for each in found] == claims
    assert all(each.owned for each in found)
    with_owner = await ban(client, owner)
    assert (with_owner.banned, (await get(client, owner)).banned) == (False, False)


async def test_of_two_who_redeem_a_link_for_one_at_once_one_is_in(client: Client) -> None:
    secret = (await invite(client)).secret
    both = await asyncio.gather(redeem(client, secret, 1), redeem(client, secret, 2))
    assert sorted(both) == [db.REDEMPTION_ACCEPTED, db.REDEMPTION_USED_UP]
    assert [(await get(client, user)).member for user in (1, 2)] == [
        each == db.REDEMPTION_ACCEPTED for each in both
    ]


async def test_a_link_for_some_lets_in_as_many_and_nobody_costs_two_uses(client: Client) -> None:
    made = await invite(client, uses=3)
    for user, redemption in (
        (1, db.REDEMPTION_ACCEPTED),
        (1, db.REDEMPTION_MEMBER),
        (2, db.REDEMPTION_ACCEPTED),
        (3, db.REDEMPTION_ACCEPTED),
        (4, db.REDEMPTION_USED_UP),
        (3, db.REDEMPTION_MEMBER),
    ):
        assert await redeem(client, made.secret, user) == redemption
    assert await invites(client) == [], "a link that is used up is not good any more"


async def test_who_opens_a_link_that_is_no_longer_good_is_told_why(
    settings: DbserviceSettings,
) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    async with (
        running(settings, lambda: now) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        client = Client(channel)
        short, long, gone = [await invite(client, seconds=s) for s in (60, WEEK, WEEK)]
        assert await invites(client) == [gone.invite.id, long.invite.id, short.invite.id]
        await revoke(client, gone.invite.id)
        await revoke(client, gone.invite.id)
        now += timedelta(seconds=60)
        assert await invites(client) == [long.invite.id]
        assert await redeem(client, short.secret) == db.REDEMPTION_EXPIRED
        assert await redeem(client, gone.secret) == db.REDEMPTION_REVOKED
        assert await redeem(client, "made-up") == db.REDEMPTION_UNKNOWN
        assert await redeem(client, long.secret, bot=2) == db.REDEMPTION_UNKNOWN
        assert not (await get(client)).member
        code, reason, _ = await refusal(revoke(client, long.invite.id, bot=2))
        assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
        assert await redeem(client, long.secret) == db.REDEMPTION_ACCEPTED


async def test_a_ban_wins_over_invites_and_outlives_forgetting(client: Client) -> None:
    secret = (await invite(client, uses=9)).secret
    assert await redeem(client, secret) == db.REDEMPTION_ACCEPTED
    first, second = await ban(client), await ban(client)
    assert [(each.banned, each.changed) for each in (first, second)] == [
        (True, True),
        (True, False),
    ]
    assert (await get(client)).banned
    assert (await get(client, user=7, chat=USER)).banned, "so is the chat"
    assert await redeem(client, secret) == db.REDEMPTION_BANNED
    assert not await claim(client, USER)
    await client.forget()
    found = await get(client)
    assert (found.banned, found.member) == (True, False)
    assert await unban(client)
    assert not await unban(client)
    assert not (await get(client)).banned
    assert await redeem(client, secret) == db.REDEMPTION_ACCEPTED, "invited anew"


async def test_the_owner_stays_the_owner_when_forgotten(client: Client) -> None:
    await claim(client, USER)
    await client.forget()
    assert (await get(client)).owner


@pytest.mark.sqlite
async def test_secrets_are_kept_as_hashes(client: Client, settings: DbserviceSettings) -> None:
    secret = (await invite(client)).secret
    assert len(secret) >= 22
    database = settings.database.removeprefix("sqlite:///")
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT * FROM invites").fetchall()
    connection.close()
    assert secret not in str(rows)
    assert hashlib.sha256(secret.encode()).hexdigest() in str(rows)


async def test_what_is_kept_is_bounded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MOST_INVITES", 3)
    monkeypatch.setattr(access, "MOST_BANS", 2)
    monkeypatch.setattr(access, "_MOST_SPENT", 2)
    made = [await invite(client) for _ in range(3)]
    full: Refusal = (grpc.StatusCode.RESOURCE_EXHAUSTED, "LIST_FULL", [])
    assert await refusal(invite(client)) == full
    for each in made:
        await revoke(client, each.invite.id)
    await invite(client)
    oldest, *others = [await redeem(client, each.secret) for each in made]
    assert oldest == db.REDEMPTION_UNKNOWN
    assert others == [db.REDEMPTION_REVOKED] * 2
    for user in (1, 2):
        await ban(client, user)
    assert await refusal(ban(client, 3)) == full
    assert (await ban(client, 2)).banned


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"max_uses": 0}, "max_uses"),  # none is none, never unlimited
        ({"max_uses": -1}, "max_uses"),
        ({"max_uses": 1001}, "max_uses"),
        ({"lifetime_seconds": 0}, "lifetime_seconds"),
        ({"bot_id": 0}, "bot_id"),
    ],
)
async def test_a_wrong_invite_is_refused(client: Client, wrong: dict[str, Any], field: str) -> None:
    given = {"bot_id": BOT, "max_uses": 1, "lifetime_seconds": 60} | wrong
    call = client.call(client.stub.CreateInvite, db.CreateInviteRequest(**given))
    assert (await refusal(call))[1:] == ("INVALID_ARGUMENT", [field])


async def test_who_nobody_can_be_is_refused(client: Client) -> None:
    for call in (
        get(client, 0),
        get(client, USER, 0),
        claim(client, 0),
        ban(client, 0),
        unban(client, 0),
        redeem(client, "x", 0),
        redeem(client, ""),
        revoke(client, 0),
    ):
        assert (await refusal(call))[1] == "INVALID_ARGUMENT"
