"""A photo is recorded before Telegram is told that we have it.

python-telegram-bot confirms an update with its next poll, whether or not a handler has run by
then; but before that it waits for the update queue's `put`. So the photo is recorded there. If
dbservice cannot do it now, `put` raises a TelegramError, nothing is confirmed, and Telegram sends
the update again.
"""

import asyncio
import contextlib
import logging
import secrets
from collections import deque

from telegram import Document, Message, PhotoSize, Update
from telegram.error import NetworkError, TelegramError

from bot import texts
from bot.clients.dbservice import (
    DatabaseClient,
    DatabaseError,
    InvalidRequest,
    TooManyUnfinished,
)
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db

_log = logging.getLogger(__name__)

_SEED_BITS = 32  # what other programs around Stable Diffusion take, too
_REMEMBERED_UPDATES = 1000


def picture_of(message: Message) -> PhotoSize | Document | None:
    """The photo in its largest size, or the image sent as a file, or None."""
    if message.photo:
        return message.photo[-1]
    document = message.document
    if document is not None and (document.mime_type or "").startswith("image/"):
        return document
    return None


class Receiver(asyncio.Queue[object]):
    """The update queue that records photos as they come in.

    Should one update of a batch have to wait, Telegram sends the whole batch again: what was put
    before is passed over then.
    """

    def __init__(self, database: DatabaseClient, bot_id: int) -> None:
        """The queue of the bot with this id."""
        super().__init__()
        self._database = database
        self._bot_id = bot_id
        self._passed_on: deque[int] = deque(maxlen=_REMEMBERED_UPDATES)

    async def put(self, item: object) -> None:
        """Records what must not be lost, then passes the update on.

        Raises:
            NetworkError: it could not be recorded; the update must come again.
        """
        if isinstance(item, Update):
            if item.update_id in self._passed_on:
                return
            if item.message is not None and picture_of(item.message) is not None:
                await self._record_or_tell(item.message)
            self._passed_on.append(item.update_id)
        await super().put(item)

    async def _record_or_tell(self, message: Message) -> None:
        refused = None
        try:
            await self._record(message)
        except TooManyUnfinished:
            refused = "too-many-unfinished"
        except InvalidRequest:
            _log.exception("A photo could not be recorded")
        except DatabaseError as error:
            raise NetworkError(f"dbservice cannot record a photo: {error}") from error
        except Exception:  # noqa: BLE001, as the comment says
            # Any other error than a TelegramError would end the polling.
            _log.exception("A photo could not be recorded")
        else:
            return
        # Coming again would not help this update, and would hold up all others.
        words = texts.of(message.from_user.language_code if message.from_user else None)
        with contextlib.suppress(TelegramError):
            text = words.ending(refused) if refused else words.went_wrong
            await message.reply_text(text, do_quote=True)

    async def _record(self, message: Message) -> None:
        picture = picture_of(message)
        user = message.from_user
        if picture is None or user is None:
            return
        request = db.ReceivePhotoRequest(
            bot_id=self._bot_id,
            chat_id=message.chat_id,
            message_id=message.message_id,
            user_id=user.id,
            language_code=user.language_code or "",
            file_id=picture.file_id,
            file_size=picture.file_size or 0,
            user_text=printable(message.caption or ""),
            media_group_id=message.media_group_id or "",
            parameters=db.Parameters(seed=secrets.randbits(_SEED_BITS)),
        )
        await self._database.receive_photo(request)
