"""Who may use the bot: users, chats and ways in, for each BOT_ACCESS; links; bans."""

import datetime as dt
import itertools
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bot import app
from bot.access import Opened, Standing
from bot.clients.errors import DatabaseError, DatabaseUnavailable
from lookalike import ownership
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN, NAME, message, nothing_waits, press, states, told
from tests.sandbox.client import ShownMessage
from tests.waiting import eventually

SAID = EN.access
PRIVATE = SAID.refusal(Standing.STRANGER)
BANNED = SAID.refusal(Standing.BANNED)
POLICIES = ("me", "invited", "everyone")
KINDS = ("private", "group", "allowed group")
NOW = dt.datetime.now(dt.UTC)
LINK = re.compile(r"https://t\.me/\w+\?start=(i_\S+)")


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


@pytest.fixture
async def people(desk: Desk, quick: None) -> Club:
    assert quick is None
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


def rules(club: Club) -> dict[str, frozenset[int]]:
    return {
        "bot_admins": frozenset({club.users["admin"]}),
        "bot_allowed": frozenset({club.users["allowed"], club.chats["allowed group"]}),
    }


async def bot_says(desk: Desk, chat: int) -> list[ShownMessage]:
    return [each for each in await desk.people.messages(chat) if each.sender_id == BOT]


async def downloads(desk: Desk) -> int:
    return len(await desk.people.calls("getFile"))


# Users, chats and ways in.


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_photo_is_recorded_of_those_who_may_alone(
    desk: Desk, people: Club, policy: str
) -> None:
    desk.captioner.free.clear()  # whatever is recorded stays unfinished
    ways = [*itertools.product(people.users, KINDS)]
    async with serving(desk, policy, **rules(people)):
        for user, kind in ways:
            chat = people.chat(kind, user)
            await desk.people.send_photo(chat, picture(), caption=NAME, user=people.users[user])
        await nothing_waits(desk)
        for user, kind in ways:
            recorded = await states(desk, people.chat(kind, user), people.users[user])
            assert bool(recorded) == may(policy, user, kind), (user, kind)
    expected = sum(may(policy, *way) for way in ways)
    assert 0 < expected < len(ways)
    fetched = {call.params["file_id"] for call in await desk.people.calls("getFile")}
    assert len(fetched) <= expected


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_command_is_answered_for_those_who_may_alone(
    desk: Desk, people: Club, policy: str
) -> None:
    name = (await desk.people.bot())["user"]["username"]
    async with serving(desk, policy, **rules(people)):
        answers: Counter[int] = Counter()
        for user, kind in itertools.product(people.users, KINDS):
            chat = people.chat(kind, user)
            await desk.people.send_text(chat, f"/status@{name}", user=people.users[user])
            answers[chat] += may(policy, user, kind)
        await nothing_waits(desk)
        for chat, times in answers.items():
            if times:
                await told(desk, chat, EN.no_work, times=times)
        for chat in (*people.users.values(), *people.chats.values()):
            shown = [each for each in await bot_says(desk, chat) if EN.no_work in each.text]
            assert len(shown) == answers[chat]
        said = {kind: await bot_says(desk, people.chats[kind]) for kind in people.chats}
    refusals = {
        kind: [each.text for each in found if each.text in (PRIVATE, BANNED)]
        for kind, found in said.items()
    }
    assert refusals["allowed group"] == [BANNED], "once a day to a group"
    assert len(refusals["group"]) == 1


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_button_acts_for_those_who_may_alone(desk: Desk, people: Club, policy: str) -> None:
    async def answered() -> list[Mapping[str, Any]]:
        return [call.params for call in await desk.people.calls("answerCallbackQuery")]

    async with serving(desk, policy, **rules(people)):
        for times, kind in enumerate(KINDS, 1):
            presses = []
            for user, user_id in people.users.items():
                chat = people.chat(kind, user)
                place = {"id": chat, "type": "private" if kind == "private" else "group"}
                shown = message(chat, chat=place, **{"from": None})["message"]
                sender = {"id": user_id, "is_bot": False, "first_name": "X"}
                fields = {"id": f"{kind} {user}", "message": shown, "from": sender}
                presses.append(press(chat, f"n:4:{user_id}", **fields))
                reset = db.ChangeSettingsRequest(
                    bot_id=BOT, user_id=user_id, settings=db.UserSettings(pictures=1)
                )
                await desk.database.change_settings(reset)
            await desk.people.send_updates(presses)
            expected = times * len(presses)

            async def all_answered(expected: int = expected) -> bool | None:
                return len(await answered()) >= expected or None

            await eventually(all_answered)
            for user, user_id in people.users.items():
                asked = db.GetSettingsRequest(bot_id=BOT, user_id=user_id)
                chosen = (await desk.database.get_settings(asked)).pictures
                assert (chosen == 4) == may(policy, user, kind), (user, kind)
        answers = await answered()
    refused = [each["text"] for each in answers if each.get("text") in (PRIVATE, BANNED)]
    strangers = sum(
        not all(may(policy, user, kind) for kind in ("private", "group")) for user in people.users
    )
    assert len(refused) == strangers, "a sentence a day each; then the button stops spinning alone"


# What is said.


async def test_who_may_not_hears_one_sentence_a_day_and_leaves_no_trace(
    desk: Desk, people: Club
) -> None:
    stranger = people.users["stranger"]
    async with serving(desk, "me"):
        await desk.people.send_text(stranger, "/start")
        await told(desk, stranger, PRIVATE)
        for _ in range(3):
            await desk.people.send_photo(stranger, picture())
            await desk.people.send_text(stranger, "/help")
            await desk.people.send_text(stranger, "/start i_nonsense")
        await nothing_waits(desk)
        await desk.people.send_text(people.users["owner"], "/status")
        await told(desk, people.users["owner"], EN.no_work)
        (only,) = await bot_says(desk, stranger)
    assert only.text == PRIVATE
    assert await downloads(desk) == 0
    assert await states(desk, stranger, stranger) == []
    assert desk.captioner.asked == []


async def test_a_group_hears_nothing_unless_it_asks(desk: Desk, people: Club) -> None:
    group, stranger = people.chats["group"], people.users["stranger"]
    name = (await desk.people.bot())["user"]["username"]
    async with serving(desk, "me"):
        for _ in range(3):
            await desk.people.send_photo(group, picture(), user=stranger)
            await desk.people.send_text(group, "hello", user=stranger)
        await nothing_waits(desk)
        assert await bot_says(desk, group) == []
        await desk.people.send_text(group, f"@{name} hello", user=stranger)
        await told(desk, group, PRIVATE)
        await desk.people.send_text(group, f"@{name} hello", user=people.users["banned"])
        await nothing_waits(desk)
        await desk.people.send_text(group, "/status", user=people.users["owner"])
        await told(desk, group, EN.no_work)
        assert len(await bot_says(desk, group)) == 2


async def test_an_update_waits_while_nobody_can_say_who_may(
    desk: Desk, people: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, real = people.users["owner"], type(desk.database).get_access
    away = True

    async def get_access(self: Any, request: db.GetAccessRequest) -> db.GetAccessResponse:
        if away:
            raise DatabaseUnavailable("UNAVAILABLE: as the test says")
        return await real(self, request)

    monkeypatch.setattr("bot.clients.dbservice.DatabaseClient.get_access", get_access)
    async with serving(desk, "me"):
        await desk.people.send_photo(owner, picture())
        await desk.people.wait_for_call("getUpdates")
        last = await desk.people.last_event()
        await desk.people.wait_for_call("getUpdates", after=last)
        assert (await desk.people.bot())["pending_updates"] == 1
        assert await states(desk, owner, owner) == []
        away = False
        await nothing_waits(desk)
        assert await states(desk, owner, owner)
        assert await bot_says(desk, people.users["stranger"]) == []


async def test_a_fault_lets_nobody_in(
    desk: Desk, people: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def get_access(_self: Any, _request: db.GetAccessRequest) -> db.GetAccessResponse:
        raise DatabaseError("INTERNAL: as the test says", "INTERNAL")

    monkeypatch.setattr("bot.clients.dbservice.DatabaseClient.get_access", get_access)
    stranger = people.users["stranger"]
    async with serving(desk, "everyone"):
        await desk.people.send_photo(stranger, picture())
        await told(desk, stranger, EN.went_wrong)
        assert await states(desk, stranger, stranger) == []
        assert len(await bot_says(desk, stranger)) == 1


# The owner.


async def test_the_first_to_open_the_link_owns_the_bot_also_after_a_restart(
    desk: Desk, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert quick is None
    ada, eve = desk.chat, await desk.people.add_user("Eve")
    caplog.set_level("INFO")
    name = (await desk.people.bot())["user"]["username"]
    printed = [ownership.new_secret(desk.home) for _ in range(2)]
    assert (desk.home / "owner-links").stat().st_mode & 0o777 == 0o600
    assert not any(each in (desk.home / "owner-links").read_text() for each in printed)
    async with serving(desk, "me"):
        await desk.people.send_text(ada, "/start o_made-up")
        await told(desk, ada, PRIVATE)
        assert f"Nobody owns @{name} yet." in caplog.messages
        for _ in range(2):  # as a redelivered update
            await desk.people.send_text(ada, f"/start o_{printed[0]}")
        await told(desk, ada, SAID.opened(Opened.OWNER), times=2)
        await told(desk, ada, EN.start, times=2)
        await desk.people.send_text(eve, f"/start o_{printed[1]}")
        await told(desk, eve, PRIVATE)
    assert not (desk.home / "owner-links").exists()
    caplog.clear()
    async with serving(desk, "me"):
        await desk.people.send_text(ada, "/help")
        (helped,) = await told(desk, ada, SAID.for_admins)
        assert all(f"/{command} - " in helped.text for command, _ in SAID.commands)
        await desk.people.send_text(eve, "/help")
        await told(desk, eve, PRIVATE, times=2)  # a restart may say it once more
    assert "Nobody owns" not in caplog.text
    assert not any(each in caplog.text for each in printed)


async def test_of_two_who_open_the_link_at_once_one_owns_the_bot(desk: Desk, quick: None) -> None:
    assert quick is None
    users = [await desk.people.add_user(name) for name in ("Ada", "Eve")]
    secret = ownership.new_secret(desk.home)
    for user in users:
        await desk.people.send_text(user, f"/start o_{secret}")
    async with serving(desk, "me"):
        await told(desk, users[0], SAID.opened(Opened.OWNER))
        await told(desk, users[1], PRIVATE)


# Invites.


async def invite(desk: Desk, admin: int, command: str = "/invite") -> tuple[ShownMessage, str]:
    """Has a link made; gives the bot's message, and what opening the link sends."""
    before = len(await bot_says(desk, admin))
    await desk.people.send_text(admin, command)

    def look(shown: list[ShownMessage]) -> ShownMessage | None:
        found = [each for each in shown if each.sender_id == BOT and LINK.search(each.text or "")]
        return found[-1] if found and len(shown) > before else None

    made = await desk.people.wait_for(admin, look)
    match = LINK.search(made.text or "")
    assert match is not None
    return made, f"/start {match[1]}"


async def test_an_invite_lets_in_as_many_as_it_says(desk: Desk, people: Club) -> None:
    owner, guests = people.users["owner"], [await desk.people.add_user("G") for _ in range(3)]
    async with serving(desk, "invited"):
        _, start = await invite(desk, owner, "/invite 2")
        await desk.people.send_text(owner, start)  # costs no use
        await told(desk, owner, EN.start)
        for guest in guests[:2]:
            await desk.people.send_text(guest, start)
            await told(desk, guest, SAID.opened(Opened.MEMBER))
            await told(desk, guest, EN.start)
            await desk.people.send_text(guest, start)
            await told(desk, guest, EN.start, times=2)
        await desk.people.send_text(guests[2], start)
        await told(desk, guests[2], SAID.opened(Opened.USED_UP))
        await desk.people.send_text(guests[2], "/status")
        await told(desk, guests[2], PRIVATE)
        await desk.people.send_text(owner, "/invites")
        await told(desk, owner, SAID.invites([], NOW))


async def test_an_invite_is_revoked_by_its_button_which_is_an_admins(
    desk: Desk, people: Club
) -> None:
    owner, guest = people.users["owner"], people.users["stranger"]
    async with serving(desk, "invited"):
        shown, start = await invite(desk, owner)
        (button,) = shown.buttons
        forged = press(guest, button.data)
        forged["callback_query"]["from"]["id"] = people.users["invited"]
        last = await desk.people.last_event()
        await desk.people.send_updates([forged])
        refused = await desk.people.wait_for_call("answerCallbackQuery", after=last)
        assert refused.params["text"] == EN.not_yours
        await desk.people.send_text(owner, "/invites")
        (listed,) = await told(desk, owner, "0 of 1 in, 7 days left")
        assert [each.data for each in listed.buttons] == [button.data]
        answer = await desk.people.press(listed, button.text)
        assert answer is not None
        assert answer.text == SAID.revoked
        await told(desk, owner, SAID.invites([], NOW))
        await desk.people.send_text(guest, start)
        await told(desk, guest, SAID.opened(Opened.REVOKED))


async def test_links_are_for_invited_alone_and_for_no_group(desk: Desk, people: Club) -> None:
    owner = people.users["owner"]
    for policy in ("me", "everyone"):
        async with serving(desk, policy):
            await desk.people.send_text(owner, "/invite")
            await told(desk, owner, SAID.no_invites(policy))
    async with serving(desk, "invited"):
        for nothing in ("/invite 0", "/invite -1", "/invite 1001", "/invite many"):
            await desk.people.send_text(owner, nothing)
        await told(desk, owner, SAID.invite_usage, times=4)
        await desk.people.send_text(people.chats["group"], "/invite", user=owner)
        await told(desk, people.chats["group"], SAID.in_private)
        await desk.people.send_text(people.users["invited"], "/invite")
        await told(desk, people.users["invited"], EN.unknown_command)


async def test_where_the_bot_is_for_everyone_a_link_is_a_start_like_any_other(
    desk: Desk, people: Club
) -> None:
    stranger = people.users["stranger"]
    async with serving(desk, "everyone"):
        for parameter in ("i_of-another-day", "o_of-another-day", "hello", ""):
            await desk.people.send_text(stranger, f"/start {parameter}".strip())
        await told(desk, stranger, EN.start, times=4)
        assert len(await bot_says(desk, stranger)) == 4


# Bans.


async def test_a_ban_by_number_and_by_reply_wins_over_everything_but_admins(
    desk: Desk, people: Club
) -> None:
    owner, admin, invited = (people.users[name] for name in ("owner", "admin", "invited"))
    group = people.chats["allowed group"]
    async with serving(desk, "invited", **rules(people)):
        for whom in (admin, owner):
            await desk.people.send_text(admin, f"/ban {whom}")
        await told(desk, admin, SAID.is_admin, times=2)
        theirs = await desk.people.send_text(group, "look", user=invited)
        await desk.people.send_text(group, "/ban", user=owner, reply_to=theirs.id)
        await told(desk, group, SAID.banned(invited))
        nobodys = await desk.people.send_text(
            group, "x", user=people.users["owner"], anonymous=True
        )
        await desk.people.send_text(group, "/ban", user=owner, reply_to=nobodys.id)
        await told(desk, group, SAID.ban_usage)
        await desk.people.send_text(invited, "/status")
        await told(desk, invited, BANNED)
        await desk.people.send_text(owner, f"/ban {invited}")
        await told(desk, owner, SAID.banned_before(invited))
        for nobody in ("/ban", "/ban x", "/ban 0", f"/ban {invited} {admin}"):
            await desk.people.send_text(owner, nobody)
        await told(desk, owner, SAID.ban_usage, times=4)
        await desk.people.send_text(owner, f"/unban {invited}")
        await told(desk, owner, SAID.unbanned(invited))
        await desk.people.send_text(owner, f"/unban {invited}")
        await told(desk, owner, SAID.not_banned(invited))
        await desk.people.send_text(invited, "/status")
        await told(desk, invited, EN.no_work)
    # An admin who was banned before is one all the same.
    await desk.database.ban_user(db.BanUserRequest(bot_id=BOT, user_id=admin))
    async with serving(desk, "me", **rules(people)):
        await desk.people.send_text(admin, "/status")
        await told(desk, admin, EN.no_work)
