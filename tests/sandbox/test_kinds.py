"""What is rarer in Telegram: topics, people who write in a group's name, updates of any shape."""

import httpx
import pytest
from telegram import Bot, ReplyParameters
from telegram.error import BadRequest

from tests.sandbox.client import Json, People
from tests.sandbox.conftest import jpeg


async def test_a_message_in_a_topic_and_replies_to_it_are_in_the_topic(
    bot: Bot, people: People
) -> None:
    ada = await people.add_user()
    forum = await people.add_group([ada], kind="supergroup", forum=True)
    photo = await people.send_photo(forum, jpeg(), user=ada, thread=7)
    assert photo.thread == 7
    reply = await bot.send_message(forum, "x", reply_parameters=ReplyParameters(photo.id))
    assert (reply.message_thread_id, reply.is_topic_message) == (7, True)
    sent = await bot.send_photo(forum, jpeg(), message_thread_id=7)
    assert (sent.message_thread_id, sent.is_topic_message) == (7, True)
    await people.delete(photo)
    gone = ReplyParameters(photo.id, allow_sending_without_reply=True)
    lost = await bot.send_message(forum, "x", reply_parameters=gone)
    assert lost.message_thread_id is None
    group = await people.add_group([ada])
    with pytest.raises(BadRequest, match="thread not found"):
        await bot.send_message(group, "x", message_thread_id=7)


async def test_an_administrator_may_write_in_the_groups_name(bot: Bot, people: People) -> None:
    ada, bob = await people.add_user("Ada"), await people.add_user("Bob")
    group = await people.add_group([ada, bob])
    await people.send_text(group, "hello", user=ada, anonymous=True)
    (update,) = await bot.get_updates(allowed_updates=["message"], offset=-1)
    assert update.message is not None
    assert update.message.from_user is not None
    assert update.message.from_user.id == 1087968824
    assert update.message.sender_chat is not None
    assert update.message.sender_chat.id == group
    assert [each.user.id for each in await bot.get_chat_administrators(group)] == [ada]
    with pytest.raises(AssertionError, match="409"):
        await people.send_text(group, "hello", user=bob, anonymous=True)


async def test_updates_reach_the_bot_as_they_are_given(
    people: People, http: httpx.AsyncClient
) -> None:
    odd: list[Json] = [{"message": {"chat": []}}, {}, {"brand_new": None, "message": "ü"}]
    await people.send_updates(odd)
    answer = await http.post("/getUpdates", json={"allowed_updates": ["message"]})
    found = answer.json()["result"]
    assert [each.pop("update_id") for each in found] == [1, 2, 3]
    assert found == odd


async def test_names_that_people_write_are_marked(bot: Bot, people: People) -> None:
    ada = await people.add_user()
    await people.send_text(ada, "😀 @some_bot, /paint@some_bot a@b.example @x")
    await people.send_photo(ada, jpeg(), caption="@some_bot")
    text, caption = await bot.get_updates(allowed_updates=["message"])
    assert text.message is not None
    assert caption.message is not None
    assert [*text.message.parse_entities().values()] == ["@some_bot", "/paint@some_bot"]
    assert [*text.message.parse_entities(["mention"]).values()] == ["@some_bot"]
    assert [*caption.message.parse_caption_entities(["mention"]).values()] == ["@some_bot"]
