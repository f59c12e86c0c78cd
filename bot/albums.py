"""Photos of albums that wait for one of them to name the bot.

They are in memory alone, and not for long: of what nobody means for the bot, nothing is recorded.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from telegram import Message

from bot.messages import sender_of

_SECONDS: Final = 60.0
_MOST: Final = 1000  # photos

_LOOKS: Final = (1.0, 4.0, 15.0)
"""Seconds after which another process may have recorded the one that names the bot. An album's come
within a second, but for what Telegram has to bring again."""


@dataclass
class _Held:
    """A photo.

    Attributes:
        since: when it came.
        photo: it.
        looks: how often others were looked for.
    """

    since: float
    photo: Message
    looks: int = 0


class Albums:
    """Photos in groups that are of an album, and without words for the bot so far."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Holds none yet; `clock` gives seconds."""
        self._clock = clock
        self._held: dict[tuple[int, int], _Held] = {}

    def hold(self, photo: Message) -> None:
        """Keeps a photo for a minute; of too many, the oldest are dropped."""
        now = self._clock()
        self._held[photo.chat_id, photo.message_id] = _Held(now, photo)
        for key, held in [*self._held.items()]:
            if now - held.since < _SECONDS and len(self._held) <= _MOST:
                break
            del self._held[key]

    def of(self, photo: Message) -> Sequence[Message]:
        """The photos that are held of this one's album, and of its sender."""
        whose = _album_of(photo)
        return [held.photo for held in self._held.values() if _album_of(held.photo) == whose]

    def due(self) -> Sequence[Message]:
        """One photo of each album that another process may have recorded one of; a few times."""
        first = {_album_of(held.photo): held for held in reversed(self._held.values())}
        found = []
        for held in first.values():
            age, looks = self._clock() - held.since, held.looks
            if looks < len(_LOOKS) and age >= _LOOKS[looks]:
                held.looks += 1
                found.append(held.photo)
        return found

    def drop(self, photo: Message) -> None:
        """Holds a photo no longer."""
        self._held.pop((photo.chat_id, photo.message_id), None)


def _album_of(photo: Message) -> tuple[object, ...]:
    return photo.chat_id, photo.media_group_id, sender_of(photo)
