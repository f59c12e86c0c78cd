"""What the tests look for in a chat, and the photos they send."""

import asyncio
import io
from functools import cache
from typing import Final

from PIL import Image
from skimage import data

from bot.texts import of
from tests.sandbox.client import People, ShownMessage

EN: Final = of("en")
"""What the bot says to them."""

NAME: Final = "@lookalike_sandbox_bot"
"""What a photo in a group has to say to be for the bot."""

Shown = list[ShownMessage]


@cache
def cat(side: int = 300) -> bytes:
    """A photo of a cat, as JPEG."""
    file = io.BytesIO()
    Image.fromarray(data.chelsea()).resize((side, side)).save(file, "JPEG")
    return file.getvalue()


def answers(messages: Shown, photo: ShownMessage) -> Shown:
    """The bot's replies to a photo."""
    return [message for message in messages if message.from_bot and message.reply_to == photo.id]


def pictures(messages: Shown, photo: ShownMessage) -> Shown:
    """The pictures among them; a status message that shows a preview is none."""
    progress = {message.id for message in statuses(messages, photo)}
    return [m for m in answers(messages, photo) if m.photo and m.id not in progress]


def sent_pictures(messages: Shown) -> Shown:
    """All pictures of the bot's in a chat, but no status message that shows a preview."""
    shown = [message for message in messages if message.from_bot and message.photo]
    return [message for message in shown if EN.cancel_button not in labels(message)]


def statuses(messages: Shown, photo: ShownMessage) -> Shown:
    """The status messages among them, which have the Cancel button."""
    return [
        message
        for message in answers(messages, photo)
        if any(button.text == EN.cancel_button for button in message.buttons)
    ]


def texts(messages: Shown, photo: ShownMessage) -> Shown:
    """The other texts among them: the caption, or how it ended."""
    progress = {message.id for message in statuses(messages, photo)}
    return [m for m in answers(messages, photo) if m.text and m.id not in progress]


async def delivered(people: People, photo: ShownMessage, seconds: float = 60) -> ShownMessage:
    """Waits for the picture, and until its status message is gone."""

    def look(messages: Shown) -> Shown | None:
        return pictures(messages, photo) if not statuses(messages, photo) else None

    return (await people.wait_for(photo.chat_id, look, seconds))[0]


async def told(people: People, photo: ShownMessage, text: str, seconds: float = 30) -> None:
    """Waits until the bot has said this in reply to the photo, and no status message is left."""
    await people.wait_for(
        photo.chat_id,
        lambda messages: (
            any(other.text == text for other in texts(messages, photo))
            and not statuses(messages, photo)
        ),
        seconds,
    )


async def ask(people: People, chat: int, command: str, user: int | None = None) -> ShownMessage:
    """Sends a command and waits for the answer, which replies to it in groups alone."""
    sent = await people.send_text(chat, command, user=user)

    def look(messages: Shown) -> Shown:
        return [
            message
            for message in messages
            if message.from_bot and message.id > sent.id and message.reply_to in {None, sent.id}
        ]

    return (await people.wait_for(chat, look))[0]


async def idle(people: People, chat: int, user: int | None = None) -> None:
    """Waits until nothing of this user is unfinished."""
    while EN.no_work not in (await ask(people, chat, "/status", user=user)).text:  # noqa: ASYNC110
        await asyncio.sleep(0.3)  # a group takes 20 messages a minute


async def press(people: People, message: ShownMessage, text: str, user: int | None = None) -> str:
    """Presses a button; gives what its toast says."""
    answer = await people.press(message, text, user=user)
    assert answer is not None
    return answer.text


async def next_picture(people: People, after: ShownMessage, count: int = 1) -> ShownMessage:
    """The newest picture that the bot has sent since, once there are so many."""

    def look(messages: Shown) -> Shown | None:
        found = [m for m in sent_pictures(messages) if m.id > after.id and m.buttons]
        return found if len(found) >= count else None

    return (await people.wait_for(after.chat_id, look, 60))[-1]


async def offering(people: People, message: ShownMessage, button: str) -> ShownMessage:
    """The message, once it has this button."""

    def look(messages: Shown) -> Shown | None:
        return [m for m in messages if m.id == message.id and button in labels(m)]

    return (await people.wait_for(message.chat_id, look))[0]


def labels(message: ShownMessage) -> list[str]:
    """What stands on the buttons under a message."""
    return [button.text for button in message.buttons]
