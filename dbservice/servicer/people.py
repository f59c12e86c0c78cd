# ruff: noqa: N802, the contract names the methods
"""The RPCs about users: their settings, access, end, and what is kept of them."""

import asyncio

from dbservice.maintenance import delete_pending
from dbservice.servicer.base import Serving
from dbservice.transactions import (
    access,
    chats,
    exports,
    forgetting,
    settings,
    users,
)
from protos.lookalike.db.v1 import db_pb2 as db


class PeopleServicer(Serving):
    """Users."""

    async def GetSettings(
        self, request: db.GetSettingsRequest, _context: object
    ) -> db.GetSettingsResponse:
        """See db.proto."""
        return await self._store.transact(settings.get, request)

    async def ChangeSettings(
        self, request: db.ChangeSettingsRequest, _context: object
    ) -> db.ChangeSettingsResponse:
        """See db.proto."""
        return await self._store.transact(settings.change, request)

    async def MoveChat(self, request: db.MoveChatRequest, _context: object) -> db.MoveChatResponse:
        """See db.proto."""
        return await self._store.transact(chats.move, request)

    async def ForgetUser(
        self, request: db.ForgetUserRequest, _context: object
    ) -> db.ForgetUserResponse:
        """See db.proto."""
        forgotten = db.ForgetUserResponse()
        while True:
            some = await self._store.transact(users.forget, request)
            await delete_pending(self._store, self._blobs)
            if not some.photos:
                await self._forget_elsewhere()
                return forgotten
            forgotten.photos += some.photos
            forgotten.generations += some.generations

    async def GetAccess(
        self, request: db.GetAccessRequest, _context: object
    ) -> db.GetAccessResponse:
        """See db.proto."""
        return await self._store.transact(access.get, request)

    async def ClaimBot(self, request: db.ClaimBotRequest, _context: object) -> db.ClaimBotResponse:
        """See db.proto."""
        return await self._store.transact(access.claim, request)

    async def CreateInvite(
        self, request: db.CreateInviteRequest, _context: object
    ) -> db.CreateInviteResponse:
        """See db.proto."""
        return await self._store.transact(access.invite, request)

    async def ListInvites(
        self, request: db.ListInvitesRequest, _context: object
    ) -> db.ListInvitesResponse:
        """See db.proto."""
        return await self._store.transact(access.invites, request)

    async def RevokeInvite(
        self, request: db.RevokeInviteRequest, _context: object
    ) -> db.RevokeInviteResponse:
        """See db.proto."""
        return await self._store.transact(access.revoke, request)

    async def RedeemInvite(
        self, request: db.RedeemInviteRequest, _context: object
    ) -> db.RedeemInviteResponse:
        """See db.proto."""
        return await self._store.transact(access.redeem, request)

    async def BanUser(self, request: db.BanUserRequest, _context: object) -> db.BanUserResponse:
        """See db.proto."""
        return await self._store.transact(access.ban, request)

    async def UnbanUser(
        self, request: db.UnbanUserRequest, _context: object
    ) -> db.UnbanUserResponse:
        """See db.proto."""
        return await self._store.transact(access.unban, request)

    async def BeginForgetting(
        self, request: db.BeginForgettingRequest, _context: object
    ) -> db.BeginForgettingResponse:
        """See db.proto."""
        of, where = request.bot_id, request.chat_id
        who = self._tombstones.who(of, request.user_id)
        question = self._tombstones.question(of, where, request.message_id)
        begun = await self._store.transact(forgetting.begin, request, who, question)
        if begun is None:
            return db.BeginForgettingResponse()
        await asyncio.to_thread(self._tombstones.add, {who: begun.asked_at})
        return db.BeginForgettingResponse(pending=True)

    async def ListForgettings(
        self, request: db.ListForgettingsRequest, _context: object
    ) -> db.ListForgettingsResponse:
        """See db.proto."""
        return await self._store.transact(forgetting.pending, request)

    async def EndForgetting(
        self, request: db.EndForgettingRequest, _context: object
    ) -> db.EndForgettingResponse:
        """See db.proto."""
        response = await self._store.transact(forgetting.end, request)
        await self._forget_elsewhere()
        return response

    async def ListUploads(
        self, request: db.ListUploadsRequest, _context: object
    ) -> db.ListUploadsResponse:
        """See db.proto."""
        return await self._store.transact(forgetting.uploads, request)

    async def BeginExport(
        self, request: db.BeginExportRequest, _context: object
    ) -> db.BeginExportResponse:
        """See db.proto."""
        return await self._store.transact(exports.begin, request)

    async def ListExports(
        self, request: db.ListExportsRequest, _context: object
    ) -> db.ListExportsResponse:
        """See db.proto."""
        return await self._store.transact(exports.under_way, request)

    async def ReadExport(
        self, request: db.ReadExportRequest, _context: object
    ) -> db.ReadExportResponse:
        """See db.proto."""
        response, keys = await self._store.transact(exports.read, request)
        missing = await self._blobs.missing(keys.values())
        for place, key in keys.items():
            response.entries[place].missing = key in missing
        return response

    async def AdvanceExport(
        self, request: db.AdvanceExportRequest, _context: object
    ) -> db.AdvanceExportResponse:
        """See db.proto."""
        return await self._store.transact(exports.advance, request)

    async def EndExport(
        self, request: db.EndExportRequest, _context: object
    ) -> db.EndExportResponse:
        """See db.proto."""
        return await self._store.transact(exports.end, request)
