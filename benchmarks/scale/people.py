"""People who send photos, each of them one, and wait for what comes."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.sandbox.client import People, ShownMessage

_SETTLE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 1.0


@dataclass
class Waits:
    """Seconds from the photos to what came of them, in the order in which it came.

    Attributes:
        captions: to the first words about it.
        pictures: to the picture.
        seconds: from the first photo to the last picture.
    """

    captions: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def pictures_a_second(self) -> float:
        """From the first photo to the last picture."""
        return len(self.pictures) / self.seconds


async def send(people: People, photo: bytes, chats: Sequence[int], rate: float) -> Waits:
    """One photo in each chat, so many a second, whatever becomes of those before.

    Returns:
        What came within a minute after the last photo.
    """
    waits, sent = Waits(), dict[int, float]()
    following = asyncio.create_task(
        _follow(people, await people.last_event(), sent, waits, len(chats))
    )
    began = time.perf_counter()
    sending = set()
    for number, chat in enumerate(chats):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        sent[chat] = time.perf_counter()
        sending.add(asyncio.create_task(people.send_photo(chat, photo)))
    await asyncio.gather(*sending)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(following, _SETTLE_SECONDS)
    return waits


async def _follow(
    people: People, last: int, sent: dict[int, float], waits: Waits, count: int
) -> None:
    """Notes what comes into these chats, once each, until so many have their picture."""
    began = time.perf_counter()
    captioned, painted = set[int](), set[int]()
    while len(painted) < count:
        for event in await people.events(last, _POLL_SECONDS, kinds=("message",)):
            last = event["n"]
            message = ShownMessage(event["data"]["message"])
            chat, now = message.chat_id, time.perf_counter()
            if not message.from_bot or chat not in sent:
                continue
            if message.photo and chat not in painted:
                painted.add(chat)
                waits.pictures.append(now - sent[chat])
                waits.seconds = now - began
            elif chat not in captioned:
                captioned.add(chat)
                waits.captions.append(now - sent[chat])
