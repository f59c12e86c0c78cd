"""Several pictures at once: an album, and one message of buttons under it."""

from collections.abc import AsyncIterator

import pytest

from lookalike.processes.stack import Stack
from tests.end_to_end.chats import (
    EN,
    NAME,
    Shown,
    answers,
    ask,
    cat,
    delivered,
    idle,
    labels,
    next_picture,
    offering,
    press,
    statuses,
)
from tests.sandbox.client import People, ShownMessage
from tests.stack import occupied

SAID = EN.pictures


async def choose(people: People, chat: int, count: int) -> None:
    page = await ask(people, chat, "/settings")
    chosen = SAID.count_button(count, chosen=True)
    assert chosen not in labels(page)
    assert await press(people, page, str(count)) == SAID.at_once(count)
    assert chosen in labels(await offering(people, page, chosen))


async def choices(people: People, chat: int, count: int = 1) -> ShownMessage:
    """The newest message of buttons under an album, once there are so many."""

    def look(messages: Shown) -> Shown | None:
        found = [m for m in messages if m.from_bot and m.text == SAID.choices]
        return found if len(found) >= count else None

    return (await people.wait_for(chat, look, 90))[-1]


async def album_of(people: People, buttons: ShownMessage) -> Shown:
    """The pictures right before these buttons."""
    messages = [m for m in await people.messages(buttons.chat_id) if m.id < buttons.id]
    first = next(m for m in messages if m.id == buttons.reply_to)
    group = first.json["media_group_id"]
    return [m for m in messages if m.json.get("media_group_id") == group]


@pytest.fixture
async def set_of_four(people: People) -> AsyncIterator[ShownMessage]:
    """The buttons under an album of four."""
    chat = await people.add_user("Ada")
    await choose(people, chat, 4)
    await people.send_photo(chat, cat())
    buttons = await choices(people, chat)
    await idle(people, chat)
    yield buttons
    await idle(people, chat)


async def test_a_photo_becomes_an_album_with_one_status_message(
    people: People, stack: Stack
) -> None:
    chat = await people.add_user("Bo")
    await choose(people, chat, 4)
    with occupied(stack):
        photo = await people.send_photo(chat, cat())
        (status,) = await people.wait_for(chat, lambda messages: statuses(messages, photo))
        assert status.text.startswith("4 pictures: ")
        listed = await ask(people, chat, "/status")
        assert listed.text.startswith("1. ")
        assert "\n2. " not in listed.text
    buttons = await choices(people, chat)
    album = await album_of(people, buttons)
    assert len({m.photo for m in album}) == 4
    assert [bool(m.caption) for m in album] == [True, False, False, False]
    assert labels(buttons) == ["1", "2", "3", "4", SAID.again_button, SAID.delete_button]
    await people.wait_for(chat, lambda messages: not statuses(messages, photo) and messages)
    assert {m.id for m in answers(await people.messages(chat), photo) if m.photo} == {
        m.id for m in album
    }


async def test_a_number_chooses_one_to_go_on_with(
    people: People, set_of_four: ShownMessage
) -> None:
    album = await album_of(people, set_of_four)
    await press(people, set_of_four, "2")
    chosen = await next_picture(people, set_of_four)
    assert (chosen.photo, chosen.reply_to) == (album[1].photo, album[1].id)
    assert SAID.closer_button in labels(chosen)
    assert await press(people, chosen, SAID.closer_button) == SAID.coming
    closer = await next_picture(people, chosen)
    assert closer.caption.splitlines()[-1].startswith("Cousin: ")  # one, for it keeps the seed
    assert labels(await offering(people, set_of_four, "1")) == labels(set_of_four)


@pytest.mark.long
async def test_again_is_another_album_once(people: People, set_of_four: ShownMessage) -> None:
    chat = set_of_four.chat_id
    before = await album_of(people, set_of_four)
    assert await press(people, set_of_four, SAID.again_button) == SAID.coming
    assert await press(people, set_of_four, SAID.again_button) == SAID.under_way
    again = await choices(people, chat, 2)
    after = await album_of(people, again)
    assert len(after) == 4
    assert not {m.photo for m in before} & {m.photo for m in after}
    await idle(people, chat)
    assert again == await choices(people, chat, 2)


@pytest.mark.long
async def test_words_to_a_picture_of_an_album_are_about_it(
    people: People, set_of_four: ShownMessage
) -> None:
    third = (await album_of(people, set_of_four))[2]
    await people.send_text(third.chat_id, "in snow", reply_to=third.id)
    album = await album_of(people, await choices(people, third.chat_id, 2))
    assert album[0].caption == "in snow, a cat lying on a couch"


@pytest.mark.long
async def test_deleting_asks_which(people: People, set_of_four: ShownMessage) -> None:
    album = await album_of(people, set_of_four)
    await press(people, set_of_four, SAID.delete_button)
    asked = await offering(people, set_of_four, SAID.keep_button)
    deleting = [SAID.delete_number_button(n) for n in range(1, 5)]
    assert labels(asked) == [*deleting, SAID.keep_button]
    await press(people, asked, SAID.keep_button)
    kept = await offering(people, set_of_four, "2")
    for gone, left in ((2, ["1", "3", "4"]), (3, ["1", "4"]), (1, ["4"]), (4, [])):
        await press(people, kept, SAID.delete_button)
        asked = await offering(people, set_of_four, SAID.keep_button)
        assert await press(people, asked, SAID.delete_number_button(gone)) == SAID.deleted
        if left:
            kept = await offering(people, set_of_four, SAID.again_button)
            assert labels(kept) == [*left, SAID.again_button, SAID.delete_button]
            there = {m.id for m in await people.messages(set_of_four.chat_id)}
            assert [str(n) for n, m in enumerate(album, start=1) if m.id in there] == left
    ours = {set_of_four.id, *(m.id for m in album)}
    await people.wait_for(
        set_of_four.chat_id,
        lambda messages: messages if not ours & {m.id for m in messages} else None,
    )


async def test_what_is_gone_says_so(people: People, set_of_four: ShownMessage) -> None:
    await press(people, set_of_four, "1")
    chosen = await next_picture(people, set_of_four)
    await press(people, chosen, SAID.delete_button)
    asked = await offering(people, chosen, SAID.delete_for_good_button)
    assert await press(people, asked, SAID.delete_for_good_button) == SAID.deleted
    await people.wait_for(  # where the album showed it, too
        chosen.chat_id,
        lambda messages: (
            messages if all(m.photo != chosen.photo for m in messages if m.from_bot) else None
        ),
    )
    assert await press(people, set_of_four, "1") == EN.gone


@pytest.mark.long
async def test_they_work_after_a_restart(
    people: People, stack: Stack, set_of_four: ShownMessage
) -> None:
    stack.stop("bot")
    stack.start("bot")
    await press(people, set_of_four, "4")
    await next_picture(people, set_of_four)


async def test_nobody_else_presses_them(people: People) -> None:
    owner, stranger = await people.add_user("Cy"), await people.add_user("Eve")
    group = await people.add_group([owner, stranger])
    await choose(people, owner, 2)
    await people.send_photo(group, cat(), caption=NAME, user=owner)
    buttons = await choices(people, group)
    for button in labels(buttons):
        assert await press(people, buttons, button, user=stranger) == EN.not_yours
    await idle(people, group, owner)


async def test_cancelling_ends_all_of_them(people: People, stack: Stack) -> None:
    chat = await people.add_user("Di")
    await choose(people, chat, 2)
    with occupied(stack):
        photo = await people.send_photo(chat, cat())
        (status,) = await people.wait_for(chat, lambda messages: statuses(messages, photo))
        assert await press(people, status, EN.cancel_button) == EN.cancelled
    await idle(people, chat)
    assert not [m for m in await people.messages(chat) if m.from_bot and m.photo]


@pytest.mark.long
@pytest.mark.parametrize("victim", ["bot", "dbservice", "generator"])
async def test_a_kill_on_the_way_leaves_one_album(
    people: People, stack: Stack, victim: str
) -> None:
    chat = await people.add_user("Flo")
    await choose(people, chat, 4)
    with occupied(stack):
        photo = await people.send_photo(chat, cat())
        await people.wait_for(chat, lambda messages: statuses(messages, photo))
    stack.kill(victim)
    stack.start(victim)
    buttons = await choices(people, chat)
    await idle(people, chat)
    assert len(await album_of(people, buttons)) == 4
    assert buttons == await choices(people, chat)
    pictures = [m for m in await people.messages(chat) if m.from_bot and m.photo]
    assert len(pictures) == 4


@pytest.mark.long
async def test_one_at_a_time_again(people: People, set_of_four: ShownMessage) -> None:
    chat = set_of_four.chat_id
    await choose(people, chat, 1)
    picture = await delivered(people, await people.send_photo(chat, cat()))
    assert SAID.closer_button in labels(picture)
