"""What has become of every honest photo."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.soak.book import Book
from bot.clients.dbservice import DatabaseClient
from bot.texts import of
from protos.lookalike.db.v1 import db_pb2 as db
from tests.end_to_end.chats import pictures, texts
from tests.stack import TOKEN

_EN = of("en")
_SETTLE_SECONDS = 180.0
"""In which a photo is answered, or another one was."""


@dataclass
class Verdict:
    """Sentences about what is wrong with which photo or message.

    Attributes:
        lost: photos without their picture, though they were not refused.
        doubled: messages that say again what another says.
        orphans: messages that belong to nothing: probes, status messages of what is done.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)

    @property
    def complaints(self) -> list[str]:
        """All of them."""
        return [*self.lost, *self.doubled, *self.orphans]


def judge(book: Book) -> Verdict:
    """Looks at all chats as they show now."""
    verdict = Verdict()
    of_photos: Counter[tuple[int, int]] = Counter()
    for each in book.photos:
        photo = each.photo
        where, shown = f"{photo.chat_id}/{photo.id}", book.shown(photo.chat_id)
        answers = [pictures(shown, photo), texts(shown, photo)]
        for kind, messages in zip(("pictures", "texts"), answers, strict=True):
            of_photos.update((message.chat_id, message.id) for message in messages)
            if len(messages) > 1:
                verdict.doubled.append(f"{where} has {len(messages)} {kind}")
        if not answers[0] and not each.refused:
            verdict.lost.append(f"{where} has no picture: {[text.text for text in answers[1]]}")
    for chat in book.watched:
        for message in book.shown(chat):
            is_known = (chat, message.id) in of_photos or message.text == _EN.no_room
            if message.from_bot and not is_known:
                verdict.orphans.append(f"{chat}/{message.id} is left: {message.text!r}")
    return verdict


async def settled(book: Book) -> Verdict:
    """What is wrong once every photo is answered, or none has been for a while."""
    least, end = len(book.photos), time.monotonic() + _SETTLE_SECONDS
    while True:
        await asyncio.sleep(1)
        verdict = judge(book)
        if len(verdict.lost) < least:
            least, end = len(verdict.lost), time.monotonic() + _SETTLE_SECONDS
        if not verdict.complaints or time.monotonic() > end:
            return verdict


async def recorded(book: Book, address: str, token: str) -> list[str]:
    """Which chats' histories lack what was not refused: no clock and no kill removes anything.

    Args:
        book: what was sent.
        address: of dbservice.
        token: that of the services.
    """
    wrong = []
    database = DatabaseClient(address, token)
    try:
        for chat in book.watched:
            sent = sum(each.photo.chat_id == chat and not each.refused for each in book.photos)
            found = await _count(database, chat)
            if found < sent:
                wrong.append(f"{chat} has {found} in their history of {sent} photos")
    finally:
        await database.disconnect()
    return wrong


async def _count(database: DatabaseClient, chat: int) -> int:
    bot_id = int(TOKEN.partition(":")[0])
    request = db.ListHistoryRequest(bot_id=bot_id, chat_id=chat, user_id=chat, page_size=50)
    count = 0
    while True:
        page = await database.list_history(request)
        count += len(page.items)
        if not page.older_cursor:
            return count
        request.cursor = page.older_cursor
