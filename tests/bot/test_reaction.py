"""Reactions: an owner's thumb or heart is the star of the card; the bot's says a photo is taken."""

import pytest

from bot import app
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.club import serving
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN, NAME, nothing_waits, pictured, told
from tests.sandbox.client import Json, ShownMessage

pytestmark = pytest.mark.usefixtures("bot")


async def starred(desk: Desk, chat: int, owner: int) -> list[bool]:
    """Which of the owner's pictures have a star, the newest first."""
    request = db.ListHistoryRequest(bot_id=BOT, chat_id=chat, user_id=owner)
    items = (await desk.database.list_history(request)).items
    return [item.generation.starred for item in items]


def changed(message: ShownMessage, user: int, before: str, after: str) -> Json:
    """An update that says so."""
    old, new = ([{"type": "emoji", "emoji": each}] if each else [] for each in (before, after))
    return {
        "message_reaction": {
            "chat": {"id": message.chat_id, "type": "private"},
            "message_id": message.id,
            "date": 1,
            "user": {"id": user, "is_bot": False, "first_name": "Ada"},
            "old_reaction": old,
            "new_reaction": new,
        }
    }


async def test_a_thumb_or_a_heart_stars_ones_picture_and_unstars_it(desk: Desk) -> None:
    desk.executor.go()
    await desk.people.send_photo(desk.chat, picture())
    (shown,) = await pictured(desk, desk.chat)
    before = len(await desk.people.messages(desk.chat))
    for emoji, is_starred in (
        (["👍"], True),
        (["👍", "🔥"], True),
        (["❤"], True),
        (["🔥"], False),
        (["❤"], True),
        ([], False),
    ):
        await desk.people.react(shown, *emoji)
        await nothing_waits(desk)
        assert await starred(desk, desk.chat, desk.chat) == [is_starred], emoji
    assert len(await desk.people.messages(desk.chat)) <= before, "nothing is said"


async def test_redelivered_it_is_the_same(desk: Desk) -> None:
    desk.executor.go()
    await desk.people.send_photo(desk.chat, picture())
    (shown,) = await pictured(desk, desk.chat)
    await desk.people.send_updates([changed(shown, desk.chat, "", "👍")] * 2)
    await nothing_waits(desk)
    assert await starred(desk, desk.chat, desk.chat) == [True]


async def test_anothers_and_those_to_anything_else_change_nothing(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.executor.go()
    photo = await desk.people.send_photo(desk.chat, picture())
    (shown,) = await pictured(desk, desk.chat)
    (caption,) = await told(desk, desk.chat, "(")
    eve = await desk.people.add_user("Eve")
    await desk.people.send_updates([changed(shown, eve, "", "👍")])
    for each in (photo, caption):
        await desk.people.react(each, "👍")
    await nothing_waits(desk)
    assert await starred(desk, desk.chat, desk.chat) == [False]
    anonymous = changed(shown, eve, "", "👍")
    del anonymous["message_reaction"]["user"]
    odd = changed(shown, desk.chat, "", "")
    odd["message_reaction"]["new_reaction"] = [{"type": "custom_emoji", "custom_emoji_id": "1"}]
    await desk.people.send_updates([anonymous, odd])
    await nothing_waits(desk)
    assert await starred(desk, desk.chat, desk.chat) == [False]
    assert "Traceback" not in caplog.text


async def test_each_picture_of_an_album_has_its_own(desk: Desk) -> None:
    desk.executor.go()
    await desk.choose(2)
    await desk.people.send_photo(desk.chat, picture())
    await told(desk, desk.chat, EN.pictures.choices)
    first, _ = await pictured(desk, desk.chat, times=2)
    await desk.people.react(first, "❤")
    await nothing_waits(desk)
    assert await starred(desk, desk.chat, desk.chat) == [False, True]


async def test_in_a_group_that_a_photo_is_taken_is_a_reaction_and_no_message(desk: Desk) -> None:
    group = await desk.people.add_group([desk.chat])
    photo = await desk.people.send_photo(group, picture(), user=desk.chat, caption=NAME)

    def eyes(messages: list[ShownMessage]) -> bool:
        return any(m.id == photo.id and m.reactions == {BOT: ["👀"]} for m in messages)

    await desk.people.wait_for(group, eyes)
    await told(desk, group, "a cat on a sofa")
    await desk.people.send_text(group, "/status", user=desk.chat)
    await told(desk, group, "1. ")
    desk.executor.go()
    (shown,) = await pictured(desk, group)
    labels = [button.text for m in await desk.people.messages(group) for button in m.buttons]
    assert EN.cancel_button not in labels
    assert not await desk.people.calls("editMessageText")
    assert [m.reactions for m in await desk.people.messages(group) if m.id == photo.id] == [
        {BOT: ["👀"]}
    ]
    await desk.people.set_bot_status(group, "administrator")
    await desk.people.react(shown, "👍", user=desk.chat)
    await nothing_waits(desk)
    assert await starred(desk, group, desk.chat) == [True]


async def test_a_group_that_forbids_reactions_gets_its_picture_all_the_same(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.executor.go()
    group = await desk.people.add_group([desk.chat])
    refusal = {"method": "setMessageReaction", "description": "REACTION_INVALID"}
    await desk.people.add_fault("refuse", **refusal)
    await desk.people.send_photo(group, picture(), user=desk.chat, caption=NAME)
    await pictured(desk, group)
    assert "Traceback" not in caplog.text


@pytest.mark.long
async def test_a_busy_group_has_fewer_reactions_and_all_its_pictures(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.executor.go()
    monkeypatch.setattr("bot.pace._GROUP_SECONDS", 3600.0)
    group = await desk.people.add_group([desk.chat])
    for _ in range(3):
        await desk.people.send_photo(group, picture(), user=desk.chat, caption=NAME)
    await pictured(desk, group, times=3)
    assert len(await desk.people.calls("setMessageReaction")) <= 1


@pytest.mark.long
async def test_those_whom_the_bot_is_not_for_star_nothing(desk: Desk, bot: app.RunningBot) -> None:
    desk.executor.go()
    users = {name: await desk.people.add_user(name) for name in ("banned", "stranger", "allowed")}
    shown = {}
    for name, user in users.items():
        await desk.people.send_photo(user, picture())
        (shown[name],) = await pictured(desk, user)
    bot.stop.set()
    await desk.database.ban_user(db.BanUserRequest(bot_id=BOT, user_id=users["banned"]))
    allowed = frozenset({users["banned"], users["allowed"]})
    async with serving(desk, "invited", bot_allowed=allowed):
        for each in shown.values():
            await desk.people.react(each, "👍")
        await nothing_waits(desk)
        stars = {name: await starred(desk, user, user) for name, user in users.items()}
    assert stars == {"banned": [False], "stranger": [False], "allowed": [True]}


async def test_in_a_private_chat_the_status_message_says_it(desk: Desk) -> None:
    desk.executor.go()
    await desk.people.send_photo(desk.chat, picture())
    await pictured(desk, desk.chat)
    assert not await desk.people.calls("setMessageReaction")
