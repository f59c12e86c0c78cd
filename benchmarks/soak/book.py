"""What every chat shows, and when it came, as the sandbox tells it."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import NoReturn

from bot.texts import of
from tests.end_to_end.chats import texts
from tests.sandbox.client import People, ShownMessage

_EN = of("en")
_KINDS = ("message", "edit", "delete")
_WAIT_SECONDS = 5.0


@dataclass
class Waiting:
    """A photo, and what came of it.

    Attributes:
        photo: the message.
        sent: when it was sent, in seconds of the sandbox's clock.
        told: when the bot first answered it with a caption, or with why there is none.
        refused: whether the bot said that it does not take it: it has no room.
        answered: set when it is told.
    """

    photo: ShownMessage
    sent: float
    told: float | None = None
    refused: bool = False
    answered: asyncio.Event = field(default_factory=asyncio.Event)


class Book:
    """All chats, and the photos of those who are watched.

    Attributes:
        photos: theirs, in the order in which they came.
        watched: their chats.
    """

    def __init__(self, people: People) -> None:
        self.photos: list[Waiting] = []
        self.watched: set[int] = set()
        self._people = people
        self._chats: defaultdict[int, dict[int, ShownMessage]] = defaultdict(dict)
        self._last = 0

    def shown(self, chat: int) -> list[ShownMessage]:
        """The chat as it shows now."""
        return list(self._chats[chat].values())

    async def follow(self) -> NoReturn:
        """Reads what happens, from then on."""
        while True:
            for event in await self._people.events(self._last, _WAIT_SECONDS, kinds=_KINDS):
                self._last = event["n"]
                self._note(event["kind"], event["time"], event["data"])

    def _note(self, kind: str, when: float, data: dict[str, object]) -> None:
        chat = self._chats[int(str(data["chat_id"]))]
        if kind == "delete":
            chat.pop(int(str(data["message_id"])), None)
            return
        assert isinstance(data["message"], dict)
        message = ShownMessage(data["message"])
        chat[message.id] = message
        if kind == "message" and message.chat_id in self.watched:
            if message.from_bot:
                self._tell(message, when)
            else:
                self.photos.append(Waiting(message, when))

    def _tell(self, message: ShownMessage, when: float) -> None:
        is_refusal = message.text == _EN.no_room
        for each in reversed(self.photos):
            photo = each.photo
            if photo.chat_id != message.chat_id or each.answered.is_set():
                continue
            if is_refusal or texts([message], photo):
                each.told, each.refused = when, is_refusal
                each.answered.set()
                return

    async def note_of(self, photo: ShownMessage) -> Waiting:
        """A photo that was sent just now."""
        while True:
            for each in reversed(self.photos):
                if each.photo.id == photo.id and each.photo.chat_id == photo.chat_id:
                    return each
            await asyncio.sleep(0.05)
