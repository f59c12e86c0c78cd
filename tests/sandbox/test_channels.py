"""Channels: posts of nobody's, which their administrator and the bot write."""

import pytest
from telegram import Bot, ChatMemberAdministrator
from telegram.error import Forbidden

from tests.sandbox.client import People
from tests.sandbox.conftest import jpeg


async def test_its_administrator_posts_and_the_bot_replies(bot: Bot, people: People) -> None:
    admin, reader = await people.add_user("Ada"), await people.add_user("Eve")
    channel = await people.add_group([admin, reader], kind="channel")
    post = await people.send_photo(channel, jpeg(), user=admin, caption="@lookalike_sandbox_bot hi")
    joined, update = await bot.get_updates()
    assert joined.my_chat_member is not None
    assert isinstance(joined.my_chat_member.new_chat_member, ChatMemberAdministrator)
    assert update.message is None
    assert update.channel_post is not None
    assert update.channel_post.from_user is None
    assert update.channel_post.sender_chat == update.channel_post.chat
    assert update.channel_post.chat.type == "channel"
    (entity,) = update.channel_post.caption_entities
    assert update.channel_post.parse_caption_entity(entity) == "@lookalike_sandbox_bot"
    reply = await bot.send_photo(channel, jpeg(), reply_to_message_id=post.id)
    assert reply.from_user is None
    assert reply.message_id == post.id + 1
    shown = (await people.messages(channel))[-1]
    assert (shown.reply_to, shown.sender_id, shown.from_bot) == (post.id, channel, False)
    await bot.edit_message_caption(channel, reply.message_id, caption="so")
    await bot.delete_message(channel, reply.message_id)
    with pytest.raises(AssertionError, match="only its administrator"):
        await people.send_text(channel, "x", user=reader)
    with pytest.raises(AssertionError, match="cannot be that"):
        await people.set_bot_status(channel, "member")
    await people.set_bot_status(channel, "kicked")
    with pytest.raises(Forbidden, match="kicked from the channel chat"):
        await bot.send_message(channel, "x")
