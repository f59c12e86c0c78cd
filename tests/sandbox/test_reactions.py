"""Reactions: of people, of whom the bot learns some, and the bot's own."""

import httpx
import pytest
from telegram import Bot
from telegram.constants import ReactionEmoji
from telegram.error import BadRequest

from sandbox.telegram.reactions import EMOJI
from tests.sandbox.client import People


def test_all_that_there_are_are_known() -> None:
    assert frozenset(ReactionEmoji) == EMOJI


async def test_the_bot_learns_of_those_in_its_private_chats_if_it_asks(
    bot: Bot, people: People, chat: int
) -> None:
    sent = await bot.send_message(chat, "x")
    (shown,) = [each for each in await people.messages(chat) if each.id == sent.message_id]
    await people.react(shown, "👍")
    updates = await bot.get_updates(allowed_updates=["message_reaction"])
    assert [update.message_reaction for update in updates] == [None], "/start alone"
    await people.react(shown, "❤", "👍")
    await people.react(shown, "❤", "👍")  # which changes nothing
    await people.react(shown)
    first, second = [each.message_reaction for each in (await bot.get_updates(-2))]
    assert first is not None
    assert second is not None
    assert (first.chat.id, first.message_id, first.user and first.user.id) == (
        chat, sent.message_id, chat,
    )  # fmt: skip
    assert [each.to_dict()["emoji"] for each in first.old_reaction] == ["👍"]
    assert [each.to_dict()["emoji"] for each in first.new_reaction] == ["❤", "👍"]
    assert len(second.old_reaction) == 2
    assert second.new_reaction == ()


async def test_in_groups_it_learns_of_them_as_an_administrator(bot: Bot, people: People) -> None:
    user = await people.add_user()
    group = await people.add_group([user], kind="supergroup")
    await bot.get_updates(allowed_updates=["message_reaction"])
    said = await people.send_text(group, "x", user=user)
    await people.react(said, "👍", user=user)
    assert not any(update.message_reaction for update in await bot.get_updates())
    await people.set_bot_status(group, "administrator")
    await people.react(said, "🔥", user=user)
    assert any(update.message_reaction for update in await bot.get_updates())
    await people.send_text(user, "/start")
    with pytest.raises(AssertionError, match="cannot be that"):
        await people.set_bot_status(user, "administrator")


async def test_the_bots_own_shows_and_goes(bot: Bot, people: People, chat: int) -> None:
    start = await people.last_event()
    said = await people.send_text(chat, "x")
    await bot.set_message_reaction(chat, said.id, "👀")
    await people.react(said, "🔥")
    me = (await bot.get_me()).id
    shown = (await people.messages(chat))[-1]
    assert shown.reactions == {me: ["👀"], chat: ["🔥"]}
    events = await people.events(start, kinds=["reaction"])
    assert [len(event["data"]["reactions"]) for event in events] == [1, 2]
    await bot.set_message_reaction(chat, said.id)
    assert (await people.messages(chat))[-1].reactions == {chat: ["🔥"]}


async def test_what_telegram_refuses(
    bot: Bot, people: People, http: httpx.AsyncClient, chat: int
) -> None:
    said = await people.send_text(chat, "x")
    with pytest.raises(BadRequest, match="Message to react not found"):
        await bot.set_message_reaction(chat, said.id + 1000, "👀")
    eyes = {"type": "emoji", "emoji": "👀"}
    for reaction, description in (
        ([{"type": "emoji", "emoji": "🫎"}], "REACTION_INVALID"),
        ([{"type": "custom_emoji", "custom_emoji_id": "1"}], "REACTION_INVALID"),
        ([eyes, eyes], "REACTIONS_TOO_MANY"),
        (["👀"], "expected an Array of ReactionType"),
    ):
        body = {"chat_id": chat, "message_id": said.id, "reaction": reaction}
        response = await http.post("/setMessageReaction", json=body)
        assert response.status_code == 400
        assert description in response.json()["description"]
    with pytest.raises(AssertionError, match="nobody can react"):
        await people.react(said, "🫎")
