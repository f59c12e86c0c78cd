"""Photos of albums that wait for one of them to name the bot.

They are in memory alone, and not for long: of what nobody means for the bot, nothing is recorded.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from telegram import Message

from bot.messages import sender_of

_SECONDS: Final = 60.0
_MOST: Final = 1000  # photos


class Albums:
    """Photos in groups that are of an album, and without words for the bot so far."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Holds none yet; `clock` gives seconds."""
        self._clock = clock
        self._held: dict[tuple[int, int], tuple[float, Message]] = {}

    def hold(self, photo: Message) -> None:
        """Keeps a photo for a minute; of too many, the oldest are dropped."""
        now = self._clock()
        self._held[photo.chat_id, photo.message_id] = now, photo
        for key, (since, _) in [*self._held.items()]:
            if now - since < _SECONDS and len(self._held) <= _MOST:
                break
            del self._held[key]

    def of(self, photo: Message) -> Sequence[Message]:
        """The photos that are held of this one's album, and of its sender."""
        whose = _album_of(photo)
        return [each for _, each in self._held.values() if _album_of(each) == whose]

    def drop(self, photo: Message) -> None:
        """Holds a photo no longer."""
        self._held.pop((photo.chat_id, photo.message_id), None)


def _album_of(photo: Message) -> tuple[object, ...]:
    return photo.chat_id, photo.media_group_id, sender_of(photo)
