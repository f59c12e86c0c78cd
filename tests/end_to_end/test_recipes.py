"""The recipe in a PNG: /paint with the file paints from it, and on the same model the same."""

import io

import pytest
from PIL import Image

from bot.recipes import png
from lookalike.processes.stack import Stack
from tests.end_to_end.chats import (
    EN,
    Shown,
    cat,
    delivered,
    idle,
    labels,
    next_picture,
    pictures,
    press,
)
from tests.sandbox.client import People, ShownMessage

SAID = EN.pictures


async def full_size(people: People, picture: ShownMessage) -> ShownMessage:
    """The document that a picture's button sends."""
    assert await press(people, picture, SAID.full_size_button) == SAID.sending

    def look(messages: Shown) -> Shown:
        return [m for m in messages if m.document and m.reply_to == picture.id]

    return (await people.wait_for(picture.chat_id, look))[0]


async def bytes_of(people: People, sent: ShownMessage) -> bytes:
    assert sent.document is not None
    return await people.original(sent.document)


async def offered(people: People, asked: ShownMessage) -> ShownMessage:
    """The offer that follows a message."""

    def look(messages: Shown) -> Shown:
        return [m for m in messages if m.id > asked.id and SAID.paint_button in labels(m)]

    return (await people.wait_for(asked.chat_id, look))[0]


def pixels(data: bytes) -> tuple[tuple[int, int], bytes]:
    with Image.open(io.BytesIO(data)) as image:
        return image.size, image.tobytes()


async def test_a_file_of_words_alone_gives_the_same_picture(people: People) -> None:
    chat, other = await people.add_user("Ada"), await people.add_user("Bo")
    words = await people.send_text(chat, "/paint a red balloon -- birds")
    first = await bytes_of(people, await full_size(people, await next_picture(people, words)))
    sent = await people.send_document(other, first, caption="/paint")
    offer = await offered(people, sent)
    assert offer.reply_to == sent.id
    assert "Painted by: emoji" in offer.text
    assert await press(people, offer, SAID.paint_button) == SAID.coming
    painted = await next_picture(people, sent)
    assert (painted.reply_to, painted.caption) == (sent.id, "a red balloon")
    second = await bytes_of(people, await full_size(people, painted))
    assert pixels(second) == pixels(first)
    assert png.read(second) == png.read(first)
    await idle(people, other)
    assert offer.id not in {message.id for message in await people.messages(other)}


@pytest.mark.long
async def test_a_reply_to_full_size_offers_a_dream_of_what_began_with_a_photo(
    people: People, stack: Stack
) -> None:
    chat = await people.add_user("Cy")
    first = await delivered(people, await people.send_photo(chat, cat()))
    await press(people, first, SAID.closer_button)
    cousin = await next_picture(people, first)
    file = await full_size(people, cousin)
    asked = await people.send_text(chat, "/paint", reply_to=file.id)
    offer = await offered(people, asked)
    assert "It began with a photo" in offer.text
    stack.stop("bot")
    stack.start("bot")
    assert await press(people, offer, SAID.paint_button) == SAID.coming
    painted = await next_picture(people, asked)
    assert (painted.reply_to, painted.caption) == (asked.id, "a cat lying on a couch")
    await press(people, painted, SAID.again_button)
    again = await next_picture(people, painted)
    assert again.caption == painted.caption
    recipe = png.read(await bytes_of(people, await full_size(people, again)))
    assert (recipe["dial"], recipe["prompt"]) == ("dream", "a cat lying on a couch")


async def test_a_press_that_a_kill_cuts_short_can_be_made_again(
    people: People, stack: Stack
) -> None:
    chat = await people.add_user("Di")
    words = await people.send_text(chat, "/paint a red balloon")
    file = await full_size(people, await next_picture(people, words))
    asked = await people.send_text(chat, "/paint", reply_to=file.id)
    offer = await offered(people, asked)
    fault = await people.add_fault("hold", method="download")
    assert await people.press(offer, SAID.paint_button, wait=0) is None
    await people.wait_for_fault(fault)
    stack.kill("bot")
    await people.clear_faults()
    stack.start("bot")
    assert await press(people, offer, SAID.paint_button) == SAID.coming
    await next_picture(people, asked)
    await idle(people, chat)
    assert len(pictures(await people.messages(chat), asked)) == 1
