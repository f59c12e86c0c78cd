"""Those who use the bot while it is harmed: honest users, and one who would hold them up."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.end_to_end.chats import cat, texts
from tests.lookalike.imaging.hostile import in_jpeg, scans, segment
from tests.sandbox.client import People, ShownMessage

_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 120.0
_FLOOD = 20  # commands at a time


@dataclass
class Honest:
    """A person who sends a photo now and then and waits for its caption.

    Attributes:
        sent: their photos.
        waited: seconds until each had its caption, looked for five times a second.
    """

    people: People
    chat: int
    dice: random.Random
    sent: list[ShownMessage] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    async def use(self, over: Callable[[], bool]) -> None:
        """Goes on until it is over."""
        while not over():
            began = time.monotonic()
            photo = await self.people.send_photo(self.chat, cat())
            self.sent.append(photo)
            while time.monotonic() - began < _PATIENCE_SECONDS:
                await asyncio.sleep(_LOOK_SECONDS)
                if texts(await self.people.messages(self.chat), photo):
                    break
            self.waited.append(time.monotonic() - began)
            await asyncio.sleep(self.dice.uniform(4, 12))


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
