"""The conversation goes on after the first picture: every button, and words."""

import json
from collections.abc import AsyncIterator

import pytest

from bot.recipes import png
from lookalike.processes.stack import Stack
from protos.lookalike.db.v1 import db_pb2 as db
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
    pictures,
    press,
    texts,
)
from tests.sandbox.client import People, ShownMessage

SAID = EN.pictures


@pytest.fixture
async def first(people: People) -> AsyncIterator[ShownMessage]:
    """A photo's first picture, in a chat of its own."""
    chat = await people.add_user("Ada")
    yield await delivered(people, await people.send_photo(chat, cat()))
    await idle(people, chat)


async def test_a_dream_offers_all_but_freer(first: ShownMessage) -> None:
    assert labels(first) == [
        SAID.closer_button,
        SAID.again_button,
        SAID.style_button,
        SAID.recipe_button,
        SAID.full_size_button,
        SAID.delete_button,
    ]


@pytest.mark.long
async def test_closer_goes_along_the_dial_to_its_end_and_freer_back(
    people: People, first: ShownMessage
) -> None:
    shown = first
    for step in ("Cousin", "Sibling", "Twin"):
        assert await press(people, shown, SAID.closer_button) == SAID.coming
        shown = await next_picture(people, shown)
        assert shown.caption.splitlines()[-1].startswith(f"{step}: ")
    assert SAID.closer_button not in labels(shown)
    await press(people, shown, SAID.freer_button)
    assert "Sibling: " in (await next_picture(people, shown)).caption


async def test_a_second_press_is_the_same_picture(people: People, first: ShownMessage) -> None:
    assert await press(people, first, SAID.again_button) == SAID.coming
    assert await press(people, first, SAID.again_button) == SAID.under_way
    again = await next_picture(people, first)
    await idle(people, first.chat_id)
    messages = await people.messages(first.chat_id)
    assert [m.id for m in messages if m.id > first.id and m.photo] == [again.id]


async def test_a_style_is_chosen_from_a_menu_in_place(people: People, first: ShownMessage) -> None:
    await press(people, first, SAID.style_button)
    menu = await offering(people, first, SAID.style_on_button("watercolour"))
    assert await press(people, menu, SAID.style_on_button("watercolour")) == SAID.coming
    styled = await next_picture(people, first)
    assert styled.caption.splitlines()[-1].startswith("Watercolour")
    assert labels(await offering(people, first, SAID.again_button)) == labels(first)
    await press(people, styled, SAID.closer_button)
    assert "Cousin · watercolour" in (await next_picture(people, styled)).caption


async def test_full_size_is_the_png_with_its_recipe(people: People, first: ShownMessage) -> None:
    assert await press(people, first, SAID.full_size_button) == SAID.sending
    (sent,) = await people.wait_for(
        first.chat_id, lambda messages: [m for m in messages if m.document]
    )
    assert sent.document is not None
    recipe = png.read(await people.original(sent.document))
    assert recipe["model"] == "emoji"
    assert recipe["prompt"] == "a cat lying on a couch"
    assert (recipe["dial"], recipe["style"], recipe["words"]) == ("dream", "", "")
    assert str(first.chat_id) not in json.dumps(recipe)


async def test_the_recipe_can_be_read(people: People, first: ShownMessage) -> None:
    await press(people, first, SAID.recipe_button)
    (said,) = await people.wait_for(
        first.chat_id, lambda messages: [m for m in messages if m.text.startswith("Prompt: ")]
    )
    assert "Model: emoji, which draws 64 x 64 pixels; enlarged" in said.text
    assert "Dial: Dream" in said.text


async def test_deleting_asks_first_and_is_for_good(people: People, first: ShownMessage) -> None:
    await press(people, first, SAID.again_button)
    child = await next_picture(people, first)
    await press(people, first, SAID.delete_button)
    asked = await offering(people, first, SAID.keep_button)
    assert labels(asked) == [SAID.delete_for_good_button, SAID.keep_button]
    await press(people, asked, SAID.keep_button)
    kept = await offering(people, first, SAID.delete_button)
    assert labels(kept) == labels(first)
    await press(people, kept, SAID.full_size_button)
    (file,) = await people.wait_for(
        first.chat_id, lambda messages: [m for m in messages if m.document]
    )
    await press(people, kept, SAID.delete_button)
    await idle(people, first.chat_id)
    asked = await offering(people, first, SAID.keep_button)
    assert await press(people, asked, SAID.delete_for_good_button) == SAID.deleted
    await people.wait_for(  # the file of it, too
        first.chat_id,
        lambda messages: messages if not {first.id, file.id} & {m.id for m in messages} else None,
    )
    assert await press(people, child, SAID.closer_button) == SAID.coming
    await next_picture(people, child)


async def test_what_is_too_old_to_be_deleted_shows_nothing(
    people: People, first: ShownMessage
) -> None:
    await people.age(first, 49)
    await press(people, first, SAID.delete_button)
    asked = await offering(people, first, SAID.keep_button)
    await press(people, asked, SAID.delete_for_good_button)
    (left,) = await people.wait_for(
        first.chat_id, lambda messages: [m for m in messages if m.caption == SAID.deleted]
    )
    assert left.id == first.id
    assert left.photo != first.photo
    assert not left.buttons
    # What is gone is not painted again; words are words.
    await people.send_text(first.chat_id, "as a snowman", reply_to=first.id)
    await people.wait_for(
        first.chat_id,
        lambda messages: [m for m in messages if m.text == SAID.offer("as a snowman")],
    )


async def test_nobody_else_presses_them(people: People, first: ShownMessage) -> None:
    stranger = await people.add_user("Eve")
    group = await people.add_group([first.chat_id, stranger])
    picture = await delivered(
        people, await people.send_photo(group, cat(), caption=NAME, user=first.chat_id)
    )
    for button in labels(picture):
        assert await press(people, picture, button, user=stranger) == EN.not_yours
    await idle(people, group, first.chat_id)


async def test_they_work_after_a_restart(people: People, stack: Stack, first: ShownMessage) -> None:
    stack.stop("bot")
    stack.start("bot")
    await press(people, first, SAID.again_button)
    await next_picture(people, first)


async def test_words_in_reply_paint_it_again_with_them(people: People, first: ShownMessage) -> None:
    words = await people.send_text(first.chat_id, "as a snowman -- snow", reply_to=first.id)
    painted = await next_picture(people, words)
    assert painted.reply_to == words.id
    assert painted.caption == "as a snowman, a cat lying on a couch"
    await press(people, painted, SAID.again_button)
    again = await next_picture(people, painted)
    assert again.caption == painted.caption


async def test_words_are_painted_without_a_photo(people: People) -> None:
    chat = await people.add_user("Bo")
    usage = await ask(people, chat, "/paint")
    assert usage.text == SAID.paint_usage
    asked = await people.send_text(chat, "/paint a red balloon")
    painted = await next_picture(people, asked)
    assert painted.caption == "a red balloon"
    assert SAID.closer_button not in labels(painted)
    said = await people.send_text(chat, "a lighthouse")
    (offer,) = await people.wait_for(
        chat, lambda messages: [m for m in messages if m.text == SAID.offer("a lighthouse")]
    )
    assert await press(people, offer, SAID.paint_button) == SAID.coming
    assert (await next_picture(people, said)).caption == "a lighthouse"


async def test_the_dial_of_first_pictures_is_ones_own(people: People) -> None:
    chat = await people.add_user("Cy")
    page = await ask(people, chat, "/settings")
    assert SAID.dial_button(db.DIAL_DREAM, chosen=True) in labels(page)
    assert await press(people, page, "Twin") == "Twin"
    await offering(people, page, "● Twin")
    picture = await delivered(people, await people.send_photo(chat, cat()))
    assert picture.caption.splitlines()[-1].startswith("Twin: ")


async def test_the_words_of_an_album_are_for_all_its_photos(people: People) -> None:
    chat = await people.add_user("Di")
    album = await people.send_album(chat, [cat(), cat()], caption="as a stamp")
    for photo in album:
        picture = await delivered(people, photo)
        assert picture.caption.startswith("as a stamp, ")
        assert len(pictures(await people.messages(chat), photo)) == 1


async def question_of(people: People, after: ShownMessage, count: int = 1) -> Shown:
    """The questions that the bot has asked since, once there are so many."""

    def look(messages: Shown) -> Shown | None:
        asked = [m for m in messages if m.id > after.id and m.text == SAID.question]
        return asked if len(asked) >= count else None

    return await people.wait_for(after.chat_id, look)


async def says(people: People, message: ShownMessage, text: str) -> ShownMessage:
    """The message, once it says this."""

    def look(messages: Shown) -> Shown:
        return [m for m in messages if m.id == message.id and m.text == text]

    return (await people.wait_for(message.chat_id, look))[0]


@pytest.mark.long
async def test_a_caption_is_corrected_by_a_reply_to_a_question(
    people: People, stack: Stack
) -> None:
    chat = await people.add_user("Ed")
    photo = await people.send_photo(chat, cat())
    first = await delivered(people, photo)
    (caption,) = texts(await people.messages(chat), photo)
    assert labels(caption) == [SAID.correct_button]
    assert await press(people, caption, SAID.correct_button) == ""
    assert await press(people, caption, SAID.correct_button) == SAID.question_asked
    (question,) = await question_of(people, first)
    assert question.forces_reply
    assert question.reply_to == photo.id
    await idle(people, chat)
    stack.stop("bot")
    stack.start("bot")
    answer = await people.send_text(chat, "a tabby\n on  my sofa", reply_to=question.id)
    painted = await next_picture(people, answer)
    assert (painted.reply_to, painted.caption) == (answer.id, "a tabby on my sofa")
    corrected = await says(people, caption, "a tabby on my sofa\n\n(as you told me)")
    await press(people, first, SAID.again_button)
    assert (await next_picture(people, painted)).caption == "a tabby on my sofa"

    await people.delete(photo)  # what it shows can be said all the same
    await press(people, corrected, SAID.correct_button)
    (again,) = await question_of(people, answer)
    answer = await people.send_text(chat, "my cat", reply_to=again.id)
    assert (await next_picture(people, answer)).caption == "my cat"
    words = await people.send_text(chat, "in snow", reply_to=corrected.id)
    assert (await next_picture(people, words)).caption == "in snow, my cat"


async def test_in_a_group_the_owner_alone_is_asked(people: People) -> None:
    owner, stranger = await people.add_user("Fay"), await people.add_user("Eve")
    group = await people.add_group([owner, stranger])
    photo = await people.send_photo(group, cat(), caption=NAME, user=owner)
    await delivered(people, photo)
    (caption,) = texts(await people.messages(group), photo)
    assert await press(people, caption, SAID.correct_button, user=stranger) == EN.not_yours
    await press(people, caption, SAID.correct_button, user=owner)
    (question,) = await question_of(people, photo)
    assert question.json["client_markup"]["selective"]
    await people.send_text(group, "a dog", user=stranger, reply_to=question.id)
    answer = await people.send_text(group, "a lynx", user=owner, reply_to=question.id)
    assert (await next_picture(people, answer)).caption == "a lynx"


async def test_what_is_being_painted_can_be_seen(people: People) -> None:
    chat = await people.add_user("Gus")
    for _ in range(5):  # a machine that paints faster than the bot looks shows nothing
        await delivered(people, await people.send_photo(chat, cat()))
        calls = [call for call in await people.calls("editMessageMedia") if call.files]
        if seen := [call for call in calls if call.params["chat_id"] == str(chat)]:
            break
    assert seen
    assert all(call.status == 200 for call in seen)
    shown = {message.id for message in await people.messages(chat)}
    assert not shown & {int(call.params["message_id"]) for call in seen}
