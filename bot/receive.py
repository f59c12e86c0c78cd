"""The door: every update is decoded, recorded and passed on here, before Telegram may forget it."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from telegram import Bot, Update

from bot.clients.errors import DatabaseUnavailable
from bot.handing import Handing
from bot.transports.base import UPDATES, Json, NotNow
from bot.transports.decoding import Undecodable, decode
from bot.transports.kept import KeptUpdates
from lookalike import tracing

MOST_WAITING: Final = 5000
"""Updates that wait for their handlers."""

_log = logging.getLogger(__name__)


class Receiver:
    """Takes updates, whichever way they come; see `bot.transports.base.Door`."""

    def __init__(
        self,
        bot: Bot,
        kept: KeptUpdates,
        record: Callable[[Update], Awaitable[bool]],
        queue: "asyncio.Queue[object]",
        traces: Handing,
    ) -> None:
        """Takes nothing yet.

        Args:
            bot: decodes updates, and answers them.
            kept: where goes what nobody can decode.
            record: makes or ends the work that an update asks for; whether it is to be answered
                here.
            queue: leads to handlers.
            traces: is told the `traceparent` of each update.
        """
        self._bot = bot
        self._kept = kept
        self._record = record
        self._queue = queue
        self._traces = traces

    async def put(self, update: Json) -> None:
        """Records what must not be lost, then passes the update on; see `Door`."""
        try:
            decoded = decode(update, self._bot)
        except Undecodable as error:
            await self.pass_over(update["update_id"], json.dumps(update).encode(), str(error))
            return
        kind = next((kind for kind in UPDATES if getattr(decoded, kind) is not None), None)
        if kind is None:
            return  # of a kind that nobody here acts on
        attributes = {"lookalike.update.id": decoded.update_id}
        with tracing.trace(f"update {kind}", attributes, kind="consumer") as span:
            await self._take(decoded, span)

    async def _take(self, update: Update, span: tracing.Span) -> None:
        try:
            if not await self._record(update):
                return
        except DatabaseUnavailable as error:
            raise NotNow(str(error)) from error
        except Exception:  # noqa: BLE001, one update must not stop the others
            _log.exception("Update %d cannot be recorded", update.update_id)
        if self._queue.qsize() >= MOST_WAITING:
            _log.warning("Update %d stays without an answer: too many wait.", update.update_id)
            return
        if span.traceparent:
            self._traces.put(update, span.traceparent)
        self._queue.put_nowait(update)

    async def pass_over(self, update_id: int | None, data: bytes, reason: str) -> None:
        """Keeps what nobody can decode; see `Door`."""
        await self._kept.keep(update_id, data, reason)
