"""People of each kind, and a bot with rules for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot import app
from bot.access import Standing
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk
from tests.bot.front import EN
from tests.sandbox.client import ShownMessage

SAID = EN.access
PRIVATE = SAID.refusal(Standing.STRANGER)
BANNED = SAID.refusal(Standing.BANNED)
POLICIES = ("me", "invited", "everyone")
KINDS = ("private", "group", "allowed group")


def may(policy: str, user: str, chat: str) -> bool:
    """The rules, said once more."""
    if user == "banned":
        return False
    if policy == "everyone" or chat == "allowed group":
        return True
    return user in {"owner", "admin", "allowed"} or (user == "invited" and policy == "invited")


@dataclass
class Club:
    """A desk with a bot, and people of each kind, by their ids."""

    desk: Desk
    users: dict[str, int]
    chats: dict[str, int]

    def chat(self, kind: str, user: str) -> int:
        return self.users[user] if kind == "private" else self.chats[kind]


@asynccontextmanager
async def serving(desk: Desk, policy: str, **settings: Any) -> AsyncIterator[app.RunningBot]:
    changed = desk.settings.model_copy(update={"bot_access": policy, **settings})
    last = await desk.people.last_event()
    async with app.running(changed) as running:
        await desk.people.wait_for_call("getUpdates", after=last, timeout=90)
        yield running


def rules(club: Club) -> dict[str, frozenset[int]]:
    return {
        "bot_admins": frozenset({club.users["admin"]}),
        "bot_allowed": frozenset({club.users["allowed"], club.chats["allowed group"]}),
    }


async def bot_says(desk: Desk, chat: int) -> list[ShownMessage]:
    return [each for each in await desk.people.messages(chat) if each.sender_id == BOT]


async def downloads(desk: Desk) -> int:
    return len(await desk.people.calls("getFile"))


async def found(desk: Desk) -> Club:
    """Founds it."""
    names = ("owner", "admin", "allowed", "invited", "banned", "stranger")
    users = {name: await desk.people.add_user(name.title()) for name in names}
    groups = {
        kind: await desk.people.add_group([*users.values()]) for kind in ("group", "allowed group")
    }
    await desk.database.claim_bot(db.ClaimBotRequest(bot_id=BOT, user_id=users["owner"]))
    made = await desk.database.create_invite(
        db.CreateInviteRequest(bot_id=BOT, max_uses=1, lifetime_seconds=600)
    )
    await desk.database.redeem_invite(
        db.RedeemInviteRequest(bot_id=BOT, user_id=users["invited"], secret=made.secret)
    )
    await desk.database.ban_user(db.BanUserRequest(bot_id=BOT, user_id=users["banned"]))
    return Club(desk, users, groups)
