"""Beyond the chat with the bot: inline mode and Share, channels, reactions."""

from collections.abc import AsyncIterator

import pytest

from lookalike.processes.stack import Stack
from tests.end_to_end.chats import (
    EN,
    NAME,
    ask,
    cat,
    delivered,
    idle,
    labels,
    next_picture,
    statuses,
)
from tests.sandbox.client import People


@pytest.fixture
async def inline_mode(stack: Stack, people: People) -> AsyncIterator[None]:
    """Turned on at @BotFather; the bot learns of it when it starts."""
    for enabled in (True, False):
        await people.set_inline_mode(enabled=enabled)
        stack.stop("bot")
        stack.start("bot")
        if enabled:
            yield


@pytest.mark.long
@pytest.mark.usefixtures("inline_mode")
async def test_a_picture_is_shared_in_another_chat_by_its_owner_alone(people: People) -> None:
    ada, eve = await people.add_user("Ada"), await people.add_user("Eve")
    group = await people.add_group([ada, eve])
    await delivered(people, await people.send_photo(ada, cat(), caption="in snow"))
    shown = await delivered(people, await people.send_photo(ada, cat(), caption="in fog"))
    share = shown.buttons[labels(shown).index(EN.inline.share_button)].query
    assert share is not None
    for query, captions in (
        (share, [shown.caption]),
        ("snow", ["in snow, a cat lying on a couch"]),
        ("A COUCH", [shown.caption, "in snow, a cat lying on a couch"]),
    ):
        found = await people.look_for(ada, query, chat=group)
        assert found is not None
        assert found.captions == captions
        others = await people.look_for(eve, query, chat=group)
        assert others is not None
        assert (others.results, others.button) == ({}, EN.inline.nothing_found_button)
    found = await people.look_for(ada, chat=group)
    assert found is not None
    newest, _ = found.results
    sent = await people.choose(found, newest, group)
    assert (sent.photo, sent.sender_id) == (shown.photo, ada)
    await people.choose(found, newest, ada)
    await idle(people, ada)
    assert [m.id for m in await people.messages(group)] == [sent.id], "it is no photo to paint"


async def test_a_post_gets_its_picture_as_a_reply_and_nothing_else(people: People) -> None:
    ada = await people.add_user("Ada")
    channel = await people.add_group([ada], kind="channel")
    name = (await people.bot())["user"]["username"]
    await people.send_photo(channel, cat(), user=ada, caption="without a name")
    post = await people.send_photo(channel, cat(), user=ada, caption=f"in snow @{name}")
    (shown,) = await people.wait_for(
        channel, lambda messages: [m for m in messages if m.reply_to == post.id], 60
    )
    assert shown.photo
    assert (shown.caption, labels(shown)) == ("in snow, a cat lying on a couch", [])
    assert len(await people.messages(channel)) == 3


async def test_a_heart_is_the_star_of_the_card(people: People) -> None:
    ada = await people.add_user("Ada")
    shown = await delivered(people, await people.send_photo(ada, cat()))
    star, starred = (EN.pictures.star_button(starred=each) for each in (False, True))
    for emoji, label in (("❤", starred), ("👍", starred), (None, star)):
        await people.react(shown, *filter(None, [emoji]))
        assert label in labels(await ask(people, ada, "/history")), emoji
    await idle(people, ada)


async def test_a_photo_in_a_group_is_taken_with_a_reaction(people: People) -> None:
    ada = await people.add_user("Ada")
    group = await people.add_group([ada])
    photo = await people.send_photo(group, cat(), user=ada, caption=NAME)
    bot = (await people.bot())["user"]["id"]
    await people.wait_for(
        group, lambda messages: any(m.reactions == {bot: ["👀"]} for m in messages)
    )
    shown = await delivered(people, photo)
    assert not statuses(await people.messages(group), photo)
    await people.press(shown, EN.pictures.again_button, user=ada)  # says so in a toast
    await next_picture(people, shown)
    await idle(people, group, ada)
