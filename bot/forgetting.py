"""Carries out what users have asked for who want to be forgotten, however often it is interrupted.

Each step is safe to repeat. The rows come last, as they know what else is to go; the wish itself is
a row, which goes once its user has been told.
"""

import logging
from collections.abc import AsyncIterator
from typing import Final

from bot import texts
from bot.clients.errors import DatabaseError
from bot.clients.generator import GeneratorUnavailable, JobRejected
from bot.refusals import CannotDeliver, Moved, TelegramUnavailable
from bot.services import Services
from bot.transports.kept import KeptUpdates
from protos.lookalike.db.v1 import db_pb2 as db

_EXPECTED: Final = (
    DatabaseError,
    GeneratorUnavailable,
    JobRejected,
    OSError,
    TelegramUnavailable,
)

_log = logging.getLogger(__name__)


class Forgetting:
    """Goes through all who wait, each time it is run; `bot.beside` begins it."""

    def __init__(self, services: Services, kept: KeptUpdates, bot_id: int) -> None:
        """Nobody waits yet."""
        self._services = services
        self._kept = kept
        self._bot_id = bot_id

    async def run(self) -> None:
        """Forgets whoever has nothing unfinished any more; the others wait for the tick.

        What is in this home is forgotten of all, whichever process sees to the rest.
        """
        request = db.ListForgettingsRequest(bot_id=self._bot_id, holder=self._services.holder)
        try:
            found = await self._services.database.list_forgettings(request)
        except DatabaseError:
            return  # which the tick logs
        for each in found.forgettings:
            if each.unfinished and not each.elsewhere:
                continue
            try:
                await self._kept.forget(each.user_id)
                if not each.elsewhere:
                    await self._forget(each)
            except _EXPECTED as error:
                _log.info("Somebody who is to be forgotten has to wait: %s", error)
            except Exception:  # noqa: BLE001, nobody else waits for it
                _log.exception("Somebody cannot be forgotten yet")

    async def _forget(self, each: db.Forgetting) -> None:
        bot_id, user_id, services = self._bot_id, each.user_id, self._services
        async for sha256 in self._uploads(user_id):
            # Where another's unfinished job starts from it, it is their photo as well.
            await services.generator.delete_image(sha256)
        await services.database.forget_user(db.ForgetUserRequest(bot_id=bot_id, user_id=user_id))
        await self._tell(each)
        await services.database.end_forgetting(
            db.EndForgettingRequest(bot_id=bot_id, user_id=user_id)
        )

    async def _uploads(self, user_id: int) -> AsyncIterator[str]:
        request = db.ListUploadsRequest(bot_id=self._bot_id, user_id=user_id)
        while True:
            page = await self._services.database.list_uploads(request)
            for sha256 in page.image_sha256:
                yield sha256
            if not page.cursor:
                return
            request.cursor = page.cursor

    async def _tell(self, each: db.Forgetting) -> None:
        """Has the question say so: that changes nothing where it was done before."""
        text = texts.of(each.language_code).privacy.forgotten
        try:
            await self._services.messenger.rewrite(each.chat_id, each.message_id, text)
        except (CannotDeliver, Moved) as error:
            _log.info("Somebody who was forgotten cannot be told: %s", error)
