"""/history: a card with a picture, which is turned, starred, shown again and deleted in place."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from lookalike.processes.stack import Stack
from tests.end_to_end.chats import (
    EN,
    NAME,
    Shown,
    ask,
    cat,
    delivered,
    idle,
    labels,
    next_picture,
    offering,
    press,
)
from tests.sandbox.client import People, ShownMessage

SAID = EN.pictures
STAR, STARRED = (SAID.star_button(starred=starred) for starred in (False, True))


async def painted(people: People, count: int) -> list[ShownMessage]:
    """So many pictures in a chat of their own: "number 1" is the oldest."""
    chat = await people.add_user("Ada")
    photos = [
        await people.send_photo(chat, cat(), caption=f"number {number}")
        for number in range(1, count + 1)
    ]
    shown = [await delivered(people, photo) for photo in photos]
    await idle(people, chat)
    return shown


async def showing(people: People, card: ShownMessage, words: str) -> ShownMessage:
    """The card, once it shows a picture with these words, and can be turned."""

    def look(messages: Shown) -> Shown:
        here = [m for m in messages if m.id == card.id and m.caption.startswith(words)]
        return [m for m in here if SAID.show_button in labels(m)]

    return (await people.wait_for(card.chat_id, look))[0]


async def pressed_twice(people: People, card: ShownMessage, text: str) -> set[str]:
    """What the toasts of a double press say."""
    return set(await asyncio.gather(*(press(people, card, text) for _ in range(2))))


@pytest.fixture
async def card(people: People) -> AsyncIterator[ShownMessage]:
    """The card of three pictures."""
    *_, last = await painted(people, 3)
    yield await ask(people, last.chat_id, "/history")
    await idle(people, last.chat_id)


async def test_it_is_turned_in_place(people: People, card: ShownMessage) -> None:
    assert card.caption == "number 3, a cat lying on a couch\n\nJust now"
    shown = ["1/3", SAID.older_button, STAR, SAID.show_button, SAID.delete_button]
    assert labels(card)[:5] == shown  # the gallery follows, where there is one
    assert await press(people, card, SAID.older_button) == ""
    second = await showing(people, card, "number 2, ")
    assert second.photo != card.photo
    assert labels(second)[:3] == [SAID.newer_button, "2/3", SAID.older_button]
    assert await pressed_twice(people, second, SAID.older_button) == {""}
    oldest = await showing(people, card, "number 1, ")
    assert labels(oldest)[:2] == [SAID.newer_button, "3/3"]
    await press(people, oldest, SAID.newer_button)
    await showing(people, card, "number 2, ")
    await press(people, oldest, "3/3")
    assert (await showing(people, card, "number 3, ")).photo == card.photo


async def test_words_in_reply_to_it_are_about_the_picture_that_it_shows(
    people: People, card: ShownMessage
) -> None:
    await press(people, card, SAID.older_button)
    await showing(people, card, "number 2, ")
    words = await people.send_text(card.chat_id, "in snow", reply_to=card.id)
    painted_anew = await next_picture(people, words)
    assert painted_anew.caption == "in snow, a cat lying on a couch"
    assert painted_anew.reply_to == words.id


@pytest.mark.long
async def test_a_star_is_on_the_card_and_goes_again(
    people: People, stack: Stack, card: ShownMessage
) -> None:
    assert await pressed_twice(people, card, STAR) == {SAID.starred}
    starred = await offering(people, card, STARRED)
    stack.stop("bot")
    stack.start("bot")
    assert STARRED in labels(await ask(people, card.chat_id, "/history"))
    assert await press(people, starred, STARRED) == SAID.unstarred
    await offering(people, card, STAR)


async def test_a_picture_is_shown_again_and_goes_on(people: People, card: ShownMessage) -> None:
    await press(people, card, SAID.older_button)
    second = await showing(people, card, "number 2, ")
    assert await press(people, second, SAID.show_button) == SAID.sending
    again = await next_picture(people, card)
    assert again.caption == "number 2, a cat lying on a couch"
    words = await people.send_text(card.chat_id, "as a stamp", reply_to=again.id)
    painted = await next_picture(people, words)
    assert painted.caption == "as a stamp, a cat lying on a couch"
    await press(people, again, SAID.delete_button)
    await press(people, await offering(people, again, SAID.keep_button), SAID.keep_button)
    assert labels(await offering(people, again, SAID.again_button)) == labels(again)


async def test_a_press_waits_for_the_one_before(people: People, card: ShownMessage) -> None:
    holds = await people.add_fault("hold", method="editMessageMedia")
    await press(people, card, SAID.older_button)
    second = await showing(people, card, "number 2, ")
    await people.wait_for_held(holds, 1)
    older = asyncio.create_task(press(people, second, SAID.older_button))
    await idle(people, card.chat_id)
    assert not older.done()
    await people.release(holds)
    assert await older == ""
    await showing(people, card, "number 1, ")


async def test_what_is_deleted_on_it_is_gone_everywhere(people: People) -> None:
    first, second = await painted(people, 2)
    chat = first.chat_id
    card = await ask(people, chat, "/history")
    await press(people, card, SAID.show_button)
    again = await next_picture(people, card)
    await press(people, card, SAID.delete_button)
    asked = await offering(people, card, SAID.keep_button)
    assert labels(asked) == [SAID.delete_for_good_button, SAID.keep_button]
    await press(people, asked, SAID.keep_button)
    kept = await showing(people, card, "number 2, ")
    await press(people, kept, SAID.delete_button)
    await offering(people, card, SAID.keep_button)
    assert await pressed_twice(people, asked, SAID.delete_for_good_button) == {SAID.deleted}
    left = await showing(people, card, "number 1, ")
    assert labels(left)[:3] == [STAR, SAID.show_button, SAID.delete_button]
    await people.wait_for(
        chat, lambda messages: not {second.id, again.id} & {message.id for message in messages}
    )
    await people.age(left, 49)  # then Telegram deletes it no more
    await press(people, left, SAID.delete_button)
    asked = await offering(people, left, SAID.keep_button)
    assert await press(people, asked, SAID.delete_for_good_button) == SAID.deleted
    (empty,) = await people.wait_for(
        chat, lambda messages: [m for m in messages if m.caption == EN.no_history]
    )
    assert empty.id == card.id
    assert empty.photo != left.photo
    assert (await ask(people, chat, "/history")).text == EN.no_history


async def test_one_that_is_gone_meanwhile_shows_its_neighbour(people: People) -> None:
    pictures = await painted(people, 3)
    newest = await ask(people, pictures[0].chat_id, "/history")
    card = await ask(people, pictures[0].chat_id, "/history")
    await press(people, card, SAID.older_button)
    second = await showing(people, card, "number 2, ")
    await press(people, pictures[1], SAID.delete_button)
    asked = await offering(people, pictures[1], SAID.keep_button)
    await press(people, asked, SAID.delete_for_good_button)
    assert await press(people, second, STAR) == EN.gone
    oldest = await showing(people, card, "number 1, ")
    await press(people, newest, SAID.older_button)
    assert "2/2" in labels(await showing(people, newest, "number 1, "))
    await press(people, pictures[0], SAID.delete_button)
    asked = await offering(people, pictures[0], SAID.keep_button)
    await press(people, asked, SAID.delete_for_good_button)
    assert await press(people, oldest, SAID.show_button) == EN.gone
    await showing(people, card, "number 3, ")


async def test_where_it_cannot_be_edited_there_is_a_new_one(
    people: People, card: ShownMessage
) -> None:
    await people.add_fault(
        "refuse", method="editMessageMedia", description="Bad Request: message can't be edited"
    )
    await press(people, card, SAID.older_button)
    other = await next_picture(people, card)
    assert other.caption.startswith("number 2, ")
    assert labels(other)[:3] == [SAID.newer_button, "2/3", SAID.older_button]


async def test_where_no_pictures_are_taken_that_is_said(people: People, card: ShownMessage) -> None:
    for _ in range(2):
        await people.add_fault(
            "refuse", method="sendPhoto", description="not enough rights to send photos to the chat"
        )
    said = await ask(people, card.chat_id, "/history")
    assert said.text == SAID.photos_forbidden
    assert await press(people, card, SAID.show_button) == SAID.sending
    await people.wait_for(
        card.chat_id,
        lambda messages: [m for m in messages if m.id > said.id and m.text == said.text],
    )


async def test_nobody_else_turns_it(people: People, card: ShownMessage) -> None:
    stranger = await people.add_user("Eve")
    group = await people.add_group([card.chat_id, stranger])
    await delivered(people, await people.send_photo(group, cat(), caption=NAME, user=card.chat_id))
    of_group = await ask(people, group, "/history", user=card.chat_id)
    assert labels(of_group) == [STAR, SAID.show_button, SAID.delete_button]
    for button in labels(of_group):
        assert await press(people, of_group, button, user=stranger) == EN.not_yours
    assert (await ask(people, group, "/history", user=stranger)).text == EN.no_history
    await idle(people, group, card.chat_id)
