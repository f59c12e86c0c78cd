"""This process among all that ever got the bot's updates: the newest works, the others end."""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from typing import Final

from bot.clients.dbservice import DatabaseClient
from bot.clients.errors import DatabaseError, DatabaseUnavailable, Superseded
from lookalike.errors import StartError
from lookalike.waiting import any_of
from protos.lookalike.db.v1 import db_pb2 as db

FRESH_SECONDS: Final = 0.2
"""So long an answer is trusted, for what is sent in one go."""

_PATIENCE_SECONDS = 3.0  # after no answer, which may have taken as long

_log = logging.getLogger(__name__)


class Incarnation:
    """This process, with a name that no other has, and with an epoch if it gets updates.

    Attributes:
        holder: its name in leases.
        epoch: its epoch; None until it begins to get updates.
        superseded: set once a newer process gets them.
    """

    def __init__(self, database: DatabaseClient, bot_id: int) -> None:
        """It has no epoch yet."""
        self.holder: Final = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(8)}"
        self.epoch: int | None = None
        self.superseded = asyncio.Event()
        self._database = database
        self._bot_id = bot_id
        self._asking = asyncio.Lock()
        self._fresh_until = 0.0

    async def begin(self) -> int:
        """Our epoch, which is the latest when it begins.

        Raises:
            DatabaseError: there is none yet.
        """
        async with self._asking:
            if self.epoch is None:
                request = db.BeginEpochRequest(bot_id=self._bot_id)
                self.epoch = (await self._database.begin_epoch(request)).epoch
                self.is_confirmed()
            return self.epoch

    async def is_newest(self) -> bool | None:
        """Whether our epoch, which begins if it has not yet, is the latest; None: nobody says."""
        try:
            await self.begin()
            async with self._asking:
                await self._confirm()
        except Superseded:
            return False
        except DatabaseError as error:
            _log.info("Whether a newer process works cannot be found out: %s", error)
            return None
        return True

    async def may_send(self) -> bool:
        """Whether what only we know of may still be sent.

        A process that was frozen wakes up in the middle of its work. So this asks again if the
        last answer is not fresh; while dbservice is away, it may.
        """
        async with self._asking:
            if self.epoch is not None and time.monotonic() >= self._fresh_until:
                with contextlib.suppress(DatabaseError):
                    await self._confirm()
        return not self.superseded.is_set()

    def is_confirmed(self) -> None:
        """Our epoch has just been taken for the latest by dbservice."""
        self._fresh_until = time.monotonic() + FRESH_SECONDS

    async def watch(self, stop: asyncio.Event) -> None:
        """Waits until `stop` is set.

        Raises:
            StartError: this process is superseded.
        """
        await any_of(stop, self.superseded)
        if self.superseded.is_set():
            raise StartError(
                "A newer process works with the same TELEGRAM_BOT_TOKEN and has taken over; this "
                "one ends."
            )

    async def _confirm(self) -> None:
        """Asks whether our epoch is the latest. Raises DatabaseError."""
        request = db.ConfirmEpochRequest(bot_id=self._bot_id, epoch=self.epoch or 0)
        try:
            try:
                await self._database.confirm_epoch(request)
            except DatabaseUnavailable:
                # In a process that was frozen, the call or its connection came to its end
                # meanwhile: only a second one says that dbservice is away.
                await self._database.confirm_epoch(request)
        except Superseded:
            self.superseded.set()
            raise
        except DatabaseError:
            self._fresh_until = time.monotonic() + _PATIENCE_SECONDS
            raise
        self.is_confirmed()
