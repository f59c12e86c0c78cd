"""Who may use the bot: users, chats and ways in, for each BOT_ACCESS; links; bans."""

import itertools
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from bot.clients.errors import DatabaseError, DatabaseUnavailable
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.club import (
    BANNED,
    KINDS,
    POLICIES,
    PRIVATE,
    Club,
    bot_says,
    downloads,
    may,
    rules,
    serving,
)
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN, NAME, message, nothing_waits, press, states, told
from tests.waiting import eventually

# Users, chats and ways in.


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
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
