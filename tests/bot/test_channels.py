"""Channels: a photo whose caption mentions the bot gets its picture, and nothing else is said."""

import pytest

from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.club import serving
from tests.bot.desk import BOT, CAPTION, Desk, picture
from tests.bot.front import EN, nothing_waits, states, told
from tests.sandbox.client import ShownMessage


async def name_of(desk: Desk) -> str:
    return f"@{(await desk.people.bot())['user']['username']}"


async def replies(desk: Desk, post: ShownMessage) -> list[ShownMessage]:
    """Waits until the bot has answered a post."""
    return await desk.people.wait_for(
        post.chat_id, lambda shown: [each for each in shown if each.reply_to == post.id]
    )


@pytest.fixture
async def channel(desk: Desk, quick: None) -> int:
    assert quick is None
    desk.executor.go()
    return await desk.people.add_group([desk.chat], kind="channel")


async def test_a_post_that_mentions_the_bot_gets_its_picture_alone(
    desk: Desk, channel: int
) -> None:
    name = await name_of(desk)
    async with serving(desk, "everyone"):
        post = await desk.people.send_photo(
            channel, picture(), user=desk.chat, caption=f"Good morning, {name.upper()} in snow"
        )
        (shown,) = await replies(desk, post)
        assert shown.photo
        assert shown.caption == "Good morning, in snow, a cat on a sofa"
        assert shown.buttons == []
        await nothing_waits(desk)
        assert [each.id for each in await desk.people.messages(channel)] == [post.id, shown.id]
        assert await states(desk, channel, channel), "it is the channel's own"
        assert await states(desk, channel, desk.chat) == []
    methods = {call.method for call in await desk.people.calls()}
    assert not {"setMessageReaction", "editMessageText", "deleteMessage"} & methods


async def test_other_posts_leave_no_trace(desk: Desk, channel: int) -> None:
    name = await name_of(desk)
    async with serving(desk, "everyone"):
        for caption in (None, "a cat", f"{name}x", f"x{name}", "@somebody_else"):
            await desk.people.send_photo(channel, picture(), user=desk.chat, caption=caption)
        for text in ("hello", f"hello {name}", "/start", f"/history{name}", "/paint a cat"):
            await desk.people.send_text(channel, text, user=desk.chat)
        edited = await desk.people.send_photo(channel, picture(), user=desk.chat, caption="x")
        edited.json["from"] = {"id": desk.chat}
        await desk.people.edit(edited, f"{name} now")
        await nothing_waits(desk)
        await desk.people.send_text(desk.chat, "/status")
        await told(desk, desk.chat, EN.no_work)
        assert await states(desk, channel, channel) == []
        assert len(await desk.people.messages(channel)) == 11
    assert not await desk.people.calls("getFile")


@pytest.mark.long
@pytest.mark.parametrize("policy", ["me", "invited", "everyone"])
async def test_a_channel_has_to_be_allowed(desk: Desk, channel: int, policy: str) -> None:
    allowed = await desk.people.add_group([desk.chat], kind="channel")
    banned = await desk.people.add_group([desk.chat], kind="channel")
    await desk.database.claim_bot(db.ClaimBotRequest(bot_id=BOT, user_id=desk.chat))
    await desk.database.ban_user(db.BanUserRequest(bot_id=BOT, user_id=banned))
    desk.captioner.free.clear()  # whatever is recorded stays unfinished
    async with serving(desk, policy, bot_allowed=frozenset({allowed, banned})):
        for chat, is_in in ((allowed, True), (banned, False), (channel, policy == "everyone")):
            await desk.people.send_photo(
                chat, picture(), user=desk.chat, caption=await name_of(desk)
            )
            await nothing_waits(desk)
            assert bool(await states(desk, chat, chat)) == is_in
            assert len(await desk.people.messages(chat)) == 1, "nobody is told"


async def test_what_fails_is_told_to_nobody(desk: Desk, channel: int) -> None:
    async with serving(desk, "everyone"):
        post = await desk.people.send_document(
            channel, b"no image", user=desk.chat, caption=await name_of(desk)
        )

        async def ended() -> bool:
            request = db.GetStatusRequest(bot_id=BOT, chat_id=channel, user_id=channel)
            return not (await desk.database.get_status(request)).count

        await desk.people.wait_for_call("getFile")
        await nothing_waits(desk)
        while not await ended():
            await desk.people.events(await desk.people.last_event(), 0.2)
        assert [each.id for each in await desk.people.messages(channel)] == [post.id]


@pytest.mark.long
async def test_a_picture_that_a_crash_has_left_behind_is_found_in_the_channel(
    desk: Desk, channel: int
) -> None:
    fault = await desk.people.add_fault("cut", method="sendPhoto")
    async with serving(desk, "everyone"):
        post = await desk.people.send_photo(
            channel, picture(), user=desk.chat, caption=await name_of(desk)
        )
        await desk.people.wait_for_fault(fault)
        await replies(desk, post)
        request = db.GetStatusRequest(bot_id=BOT, chat_id=channel, user_id=channel)
        while (await desk.database.get_status(request)).count:
            await desk.people.events(await desk.people.last_event(), 0.2)
        (shown,) = await replies(desk, post)
        assert shown.caption == CAPTION.text
        assert len(await desk.people.messages(channel)) == 2, "no probe is left"
