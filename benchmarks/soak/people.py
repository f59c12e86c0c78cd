"""Those who use the bot while it is harmed: honest users, and one who would hold them up."""

import asyncio
import random
from collections.abc import Callable

from benchmarks.soak.book import Book
from tests.end_to_end.chats import cat
from tests.lookalike.imaging.hostile import in_jpeg, scans, segment
from tests.sandbox.client import People

_PAUSE_SECONDS = (2.0, 6.0)
_COME_AGAIN_SECONDS = 20.0
"""After they were told that there is no room."""

_FLOOD = 20  # commands at a time


async def use(
    people: People, book: Book, chat: int, dice: random.Random, over: Callable[[], bool]
) -> None:
    """One person who sends a photo, waits for its caption, and after a pause sends the next."""
    while not over():
        note = await book.note_of(await people.send_photo(chat, cat()))
        await note.answered.wait()
        await asyncio.sleep(_COME_AGAIN_SECONDS if note.refused else dice.uniform(*_PAUSE_SECONDS))


async def attack(people: People, chat: int, dice: random.Random, over: Callable[[], bool]) -> int:
    """One user who sends what costs much, by the dozen; gives how often."""
    files = [
        scans(20_000),
        in_jpeg(b"\xff" * 19_000_000),
        in_jpeg(segment(0xED, b"") * 4_000_000),
        cat()[:5_000],
    ]
    sent = 0
    while not over():
        if dice.random() < 0.5:  # noqa: PLR2004, as often as not
            data = dice.choice(files)
            await people.send_document(chat, data, "photo.jpg", "application/octet-stream")
        else:
            for _ in range(_FLOOD):
                await people.send_text(chat, dice.choice(("/status", "/history", "hello")))
        sent += 1
        await asyncio.sleep(dice.uniform(0.5, 3))
    return sent
