"""Leases what is unfinished, and keeps what is remembered of it no longer than the leases last."""

import asyncio
import logging
import math
import time
from collections.abc import Container

from bot.clients.dbservice import DatabaseClient, DatabaseError
from bot.health import Health, ServiceHealth
from bot.readiness import NotReady, is_recent
from bot.work.item import WorkItem
from bot.work.memory import Memories
from protos.lookalike.db.v1 import db_pb2 as db

_RELEASE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Leasing:
    """This process's leases."""

    def __init__(
        self, database: DatabaseClient, memories: Memories, bot_id: int, holder: str
    ) -> None:
        """`holder` is this process's name in leases, the same after a restart."""
        self._database = database
        self._memories = memories
        self._bot_id = bot_id
        self._holder = holder
        self._starting = True
        self._health = ServiceHealth("dbservice")
        self._last_success = -math.inf

    async def lease(self, under_way: Container[str]) -> list[WorkItem]:
        """Everything unfinished that is ours, in the order in which it is to be worked on.

        Nothing while dbservice is unavailable. What is remembered of those `under_way` stays.
        """
        request = db.LeaseGenerationsRequest(
            bot_id=self._bot_id, holder=self._holder, starting=self._starting
        )
        try:
            response = await self._database.lease_generations(request)
        except DatabaseError as error:
            self._health.failing(Health.UNAVAILABLE, error)
            return []
        self._health.ok()
        self._starting = False
        self._last_success = time.monotonic()
        items = [
            WorkItem(self._database, lease, self._memories.lease(lease.item.generation.id))
            for lease in response.leases
        ]
        self._memories.drop_unleased(under_way)
        return items

    async def release(self) -> None:
        """Frees what is ours, as this process ends; should that fail, the leases run out."""
        request = db.LeaseGenerationsRequest(
            bot_id=self._bot_id, holder=self._holder, stopping=True
        )
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._database.lease_generations(request)
        except (DatabaseError, TimeoutError) as error:
            _log.info("The leases could not be given back: %s", error)

    def check(self) -> NotReady | None:
        """Why no work comes from dbservice just now; None if it does."""
        return None if is_recent(self._last_success) else NotReady.DATABASE_SILENT
