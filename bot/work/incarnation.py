"""This process among all that ever got the bot's updates: the newest works, the others end.

Those behind one public address are as new as one another, and share the work.
"""

import asyncio
import contextlib
import logging
import time
from typing import Final

from bot.clients.dbservice import DatabaseClient
from bot.clients.errors import DatabaseError, DatabaseUnavailable, Lapsed, Superseded
from lookalike.errors import StartError
from lookalike.places import Place, new_holder
from lookalike.waiting import any_of
from protos.lookalike.db.v1 import db_pb2 as db

FRESH_SECONDS: Final = 0.2
"""So long an answer is trusted, for what is sent in one go."""

SHARE_SECONDS: Final = 20.0
"""So long at least after a lease dbservice gives our chats to nobody."""

_PATIENCE_SECONDS = 3.0  # after no answer, which may have taken as long

_log = logging.getLogger(__name__)


class Incarnation:
    """This process, with a name that no other has, and with an epoch if it gets updates.

    Attributes:
        holder: its name in leases.
        epoch: its epoch; None until it begins to get updates.
        bots: how many processes share the epoch; 2 while that is not known of one that is shared.
        superseded: set once a newer process gets them, or others have our chats.
    """

    def __init__(
        self,
        database: DatabaseClient,
        bot_id: int,
        address: str = "",
        place: Place | None = None,
    ) -> None:
        """It has no epoch yet.

        Args:
            database: dbservice.
            bot_id: the bot's id.
            address: where its updates come in, to share them with all others there; empty: with
                nobody.
            place: on this machine, by which it knows whom it succeeds.
        """
        self.holder: Final = new_holder() if place is None else place.holder
        self.epoch: int | None = None
        self.bots = 2 if address else 1
        self.superseded = asyncio.Event()
        self._share_until = 0.0
        self._confirmed_at = 0.0
        self._database = database
        self._bot_id = bot_id
        self._address = address
        self._place = place
        self._has_lapsed = False
        self._asking = asyncio.Lock()
        self._fresh_until = 0.0

    async def begin(self) -> int:
        """Our epoch, which is the latest when it begins.

        Raises:
            DatabaseError: there is none yet.
        """
        async with self._asking:
            if self.epoch is None:
                before = "" if self._place is None else self._place.before or ""
                request = db.BeginEpochRequest(
                    bot_id=self._bot_id, address=self._address, holder=self.holder, before=before
                )
                self.epoch = (await self._database.begin_epoch(request)).epoch
                self.is_confirmed()
                await self._sign()
            return self.epoch

    @property
    def is_shared(self) -> bool:
        """Whether others may have a part in the epoch."""
        return bool(self._address)

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
        last answer is not fresh. While dbservice is away, it may; one of several no longer than
        the others leave it its chats, for it may be away from here alone.
        """
        async with self._asking:
            if self.epoch is not None and time.monotonic() >= self._fresh_until:
                with contextlib.suppress(DatabaseError):
                    await self._confirm()
            is_certain = self.bots == 1 or time.monotonic() < max(
                self._confirmed_at + FRESH_SECONDS, self._share_until
            )
        return is_certain and not self.superseded.is_set()

    def has_share(self, bots: int, since: float) -> None:
        """Our part of the chats was ours at that moment; so many processes share them."""
        self.bots = bots
        self._share_until = since + SHARE_SECONDS

    async def claim(self, name: str, seconds: int) -> bool:
        """Whether something is ours to do for so long; 0: it is no more.

        Raises:
            DatabaseError: nobody knows.
        """
        if self.bots == 1:
            return True
        request = db.ClaimRequest(
            bot_id=self._bot_id, holder=self.holder, name=name, seconds=seconds
        )
        return await self._database.claim(request)

    def is_over(self, error: Superseded) -> None:
        """We have nothing to do any more."""
        self._has_lapsed = isinstance(error, Lapsed)
        self.superseded.set()

    def is_confirmed(self) -> None:
        """Our epoch has just been taken for the latest by dbservice."""
        self._confirmed_at = time.monotonic()
        self._fresh_until = self._confirmed_at + FRESH_SECONDS

    async def watch(self, stop: asyncio.Event) -> None:
        """Waits until `stop` is set.

        Raises:
            StartError: this process is superseded.
        """
        await any_of(stop, self.superseded)
        if self._has_lapsed:
            raise StartError(
                "This process was held still for too long, and others have taken over its chats; "
                "it ends, and begins anew when it is started.",
                passing=True,
            )
        if self.superseded.is_set():
            raise StartError(
                "A newer process works with the same TELEGRAM_BOT_TOKEN and has taken over; this "
                "one ends."
            )

    async def _sign(self) -> None:
        """Whoever succeeds us here frees what we hold; else it is free when we have lapsed."""
        if self._place is not None:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._place.sign)

    async def _confirm(self) -> None:
        """Asks whether our epoch is the latest. Raises DatabaseError."""
        request = db.ConfirmEpochRequest(
            bot_id=self._bot_id, epoch=self.epoch or 0, holder=self.holder
        )
        try:
            try:
                await self._database.confirm_epoch(request)
            except DatabaseUnavailable:
                # In a process that was frozen, the call or its connection came to its end
                # meanwhile: only a second one says that dbservice is away.
                await self._database.confirm_epoch(request)
        except Superseded as error:
            self.is_over(error)
            raise
        except DatabaseError:
            self._fresh_until = time.monotonic() + _PATIENCE_SECONDS
            raise
        self.is_confirmed()
