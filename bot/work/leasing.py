"""Leases what is unfinished, and keeps what is remembered of it no longer than the leases last."""

import asyncio
import logging
import math
import time
from collections.abc import Mapping
from typing import Final

from bot.clients.dbservice import DatabaseClient
from bot.clients.errors import DatabaseError, Superseded
from bot.health import Health, ServiceHealth
from bot.readiness import NotReady, is_recent
from bot.work.incarnation import Incarnation
from bot.work.item import WorkItem
from bot.work.memory import Memories
from protos.lookalike.db.v1 import db_pb2 as db

_RELEASE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Leasing:
    """This process's leases.

    Attributes:
        health: how dbservice was last seen.
        told: what it answered last, without the leases; empty where it did not.
    """

    def __init__(
        self, database: DatabaseClient, memories: Memories, bot_id: int, incarnation: Incarnation
    ) -> None:
        """Holds none yet."""
        self._database = database
        self._memories = memories
        self._bot_id = bot_id
        self._incarnation = incarnation
        self.health: Final = ServiceHealth("dbservice")
        self.told = db.LeaseGenerationsResponse()
        self._last_success = -math.inf

    async def lease(self, under_way: Mapping[str, int]) -> list[WorkItem]:
        """Everything unfinished that is ours, in the order in which it is to be worked on.

        Nothing while dbservice is unavailable, or once we are superseded.

        Args:
            under_way: the chats of generations of which a task is under way, by their ids. What is
                remembered of these stays, and no other process is given their chats.
        """
        began = time.monotonic()
        self.told = db.LeaseGenerationsResponse()
        try:
            await self._incarnation.begin()
            response = await self._database.lease_generations(self._request(under_way))
        except Superseded as error:
            self._incarnation.is_over(error)
            return []
        except DatabaseError as error:
            self.health.failing(Health.UNAVAILABLE, error)
            return []
        self.health.ok()
        self._incarnation.is_confirmed()
        self._incarnation.has_share(response.bots or 1, began)
        self._last_success = time.monotonic()
        items = [
            WorkItem(self._database, lease, self._memories.lease(lease.item.generation.id))
            for lease in response.leases
        ]
        self._memories.drop_unleased(under_way)
        response.ClearField("leases")
        self.told = response
        return items

    async def release(self) -> None:
        """Frees what is ours, as this process ends; should that fail, the leases run out."""
        if self._incarnation.superseded.is_set():
            return  # they are the newer process's
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._database.lease_generations(self._request({}, stopping=True))
        except (DatabaseError, TimeoutError) as error:
            _log.info("The leases could not be given back: %s", error)

    def _request(
        self, under_way: Mapping[str, int], *, stopping: bool = False
    ) -> db.LeaseGenerationsRequest:
        busy = under_way.values() if self._incarnation.is_shared else ()
        return db.LeaseGenerationsRequest(
            bot_id=self._bot_id,
            holder=self._incarnation.holder,
            epoch=self._incarnation.epoch,
            stopping=stopping,
            busy_chat_ids={*busy},
        )

    def check(self) -> NotReady | None:
        """Why no work comes from dbservice just now; None if it does."""
        return None if is_recent(self._last_success) else NotReady.DATABASE_SILENT
