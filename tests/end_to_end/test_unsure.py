"""A captioner that is not sure says so, and its guesses can be painted."""

import io
from collections.abc import AsyncIterator, Generator

import pytest
from PIL import Image
from skimage import data

from lookalike.processes.stack import Stack
from tests.end_to_end.chats import (
    EN,
    NAME,
    Shown,
    delivered,
    idle,
    labels,
    next_picture,
    offering,
    press,
)
from tests.sandbox.client import People, ShownMessage
from tests.stack import checked_logs, running_stack

SAID = EN.pictures


def astronaut() -> bytes:
    """A photo of a person, whom ImageNet has no name for."""
    file = io.BytesIO()
    Image.fromarray(data.astronaut()).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack, None, None]:
    """All services, with the captioner that has several guesses."""
    settings = {"CAPTIONER": "offline"}
    with running_stack(tmp_path_factory.mktemp("home"), settings) as stack, checked_logs(stack):
        yield stack


@pytest.fixture
async def guesser(offline: Stack) -> AsyncIterator[People]:
    """The people who talk to it."""
    async with People(offline.url("sandbox")) as people:
        yield people


async def caption_of(people: People, photo: ShownMessage, text: str) -> ShownMessage:
    """The caption of a photo, once its message begins with this."""

    def look(messages: Shown) -> Shown:
        return [m for m in messages if m.reply_to == photo.id and m.text.startswith(text)]

    return (await people.wait_for(photo.chat_id, look))[0]


@pytest.mark.long
async def test_a_guess_is_painted_and_is_what_the_photo_shows(
    guesser: People, offline: Stack
) -> None:
    chat = await guesser.add_user("Ada")
    photo = await guesser.send_photo(chat, astronaut())
    picture = await delivered(guesser, photo)
    caption = await caption_of(guesser, photo, "Not sure. Perhaps ")
    *guesses, pencil = labels(caption)
    assert pencil == SAID.correct_button
    first, second, third = (f"a photo of {each[0].lower()}{each[1:]}" for each in guesses)
    assert picture.caption == first
    assert await press(guesser, caption, guesses[1]) == SAID.coming
    assert await press(guesser, caption, guesses[1]) == SAID.under_way
    painted = await next_picture(guesser, picture)
    assert painted.caption == second
    corrected = await caption_of(guesser, photo, f"{second}\n\n(as you told me)")
    assert (corrected.id, labels(corrected)) == (caption.id, labels(caption))
    await idle(guesser, chat)

    offline.stop("bot")
    offline.start("bot")
    await guesser.delete(photo)
    assert await press(guesser, corrected, guesses[2]) == SAID.coming
    last = await next_picture(guesser, painted)
    assert last.caption == third
    await press(guesser, painted, SAID.again_button)  # the photo's caption is this from now on
    assert (await next_picture(guesser, last)).caption == third
    await idle(guesser, chat)

    await press(guesser, picture, SAID.delete_button)
    asked = await offering(guesser, picture, SAID.keep_button)
    await press(guesser, asked, SAID.delete_for_good_button)
    assert await press(guesser, corrected, guesses[0]) == EN.gone
    assert await press(guesser, corrected, SAID.correct_button) == EN.gone


@pytest.mark.long
async def test_nobody_else_says_what_it_shows(guesser: People) -> None:
    owner, stranger = await guesser.add_user("Ada"), await guesser.add_user("Eve")
    group = await guesser.add_group([owner, stranger])
    photo = await guesser.send_photo(group, astronaut(), user=owner, caption=NAME)
    await delivered(guesser, photo)
    caption = await caption_of(guesser, photo, "Not sure. Perhaps ")
    for button in labels(caption):
        assert await press(guesser, caption, button, user=stranger) == EN.not_yours
    await idle(guesser, group, owner)
