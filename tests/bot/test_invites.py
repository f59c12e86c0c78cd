"""Links that let people in or make them the owner, and bans."""

import datetime as dt
import re

import pytest

from bot.access import Opened
from lookalike import ownership
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.club import (
    BANNED,
    PRIVATE,
    SAID,
    Club,
    bot_says,
    rules,
    serving,
)
from tests.bot.desk import BOT, Desk
from tests.bot.front import EN, press, told
from tests.sandbox.client import ShownMessage

NOW = dt.datetime.now(dt.UTC)
LINK = re.compile(r"https://t\.me/\w+\?start=(i_\S+)")


# The owner.


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
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
