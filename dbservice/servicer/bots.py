# ruff: noqa: N802, the contract names the methods
"""The RPCs about bots: which process is one's newest, what it has done, what goes to everybody."""

from dbservice.servicer.base import Serving
from dbservice.transactions import (
    broadcasts,
    claims,
    epochs,
    statistics,
)
from lookalike.disk import free_bytes
from protos.lookalike.db.v1 import db_pb2 as db


class BotServicer(Serving):
    """Bots."""

    async def BeginEpoch(
        self, request: db.BeginEpochRequest, _context: object
    ) -> db.BeginEpochResponse:
        """See db.proto."""
        return await self._store.transact(epochs.begin, request)

    async def ConfirmEpoch(
        self, request: db.ConfirmEpochRequest, _context: object
    ) -> db.ConfirmEpochResponse:
        """See db.proto."""
        return await self._store.transact(epochs.confirm, request)

    async def Claim(self, request: db.ClaimRequest, _context: object) -> db.ClaimResponse:
        """See db.proto."""
        return await self._store.transact(claims.claim, request)

    async def GetStatistics(
        self, request: db.GetStatisticsRequest, _context: object
    ) -> db.GetStatisticsResponse:
        """See db.proto."""
        found = await self._store.transact(statistics.get, request)
        if self._folders:
            found.free_bytes = min(map(free_bytes, self._folders))
        return found

    async def ListAdmins(
        self, request: db.ListAdminsRequest, _context: object
    ) -> db.ListAdminsResponse:
        """See db.proto."""
        return await self._store.transact(broadcasts.admins, request)

    async def CountRecipients(
        self, request: db.CountRecipientsRequest, _context: object
    ) -> db.CountRecipientsResponse:
        """See db.proto."""
        response, last = db.CountRecipientsResponse(), 0
        while True:
            some = await self._store.transact(broadcasts.count, request, last)
            response.count += some.count
            if some.last is None:
                return response
            last = some.last

    async def BeginBroadcast(
        self, request: db.BeginBroadcastRequest, _context: object
    ) -> db.BeginBroadcastResponse:
        """See db.proto."""
        return await self._store.transact(broadcasts.begin, request)

    async def GetBroadcast(
        self, request: db.GetBroadcastRequest, _context: object
    ) -> db.GetBroadcastResponse:
        """See db.proto."""
        return await self._store.transact(broadcasts.get, request)

    async def AdvanceBroadcast(
        self, request: db.AdvanceBroadcastRequest, _context: object
    ) -> db.AdvanceBroadcastResponse:
        """See db.proto."""
        return await self._store.transact(broadcasts.advance, request)

    async def CancelBroadcast(
        self, request: db.CancelBroadcastRequest, _context: object
    ) -> db.CancelBroadcastResponse:
        """See db.proto."""
        return await self._store.transact(broadcasts.cancel, request)

    async def CloseBroadcast(
        self, request: db.CloseBroadcastRequest, _context: object
    ) -> db.CloseBroadcastResponse:
        """See db.proto."""
        return await self._store.transact(broadcasts.close, request)
