# ruff: noqa: N802, the contract names the methods
"""The RPCs. Token, validation, errors and their announcement are the interceptors'."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from dbservice import uploads
from dbservice.errors import ServiceError, not_found
from dbservice.maintenance import delete_pending
from dbservice.store import Store, Transaction
from dbservice.tombstones import Tombstones
from dbservice.transactions import (
    access,
    broadcasts,
    creation,
    epochs,
    exports,
    finding,
    forgetting,
    generations,
    leases,
    photos,
    quotas,
    sent,
    settings,
    statistics,
    users,
)
from dbservice.transactions.limits import Limits
from dbservice.transactions.quotas import Quotas
from lookalike.blobs import Blobs, new_key
from lookalike.disk import free_bytes, is_nearly_full
from protos.lookalike.db.v1 import db_pb2 as db
from protos.lookalike.db.v1.db_pb2_grpc import DatabaseServiceServicer

_Info = TypeVar("_Info", db.StorePhotoRequest.Info, db.FinalizeGenerationRequest.Info)
_Begin = TypeVar("_Begin", db.ReceivePhotoRequest, db.CreateGenerationRequest)
_A = TypeVar("_A")


class DatabaseServicer(DatabaseServiceServicer):
    """The contract `lookalike.db.v1.DatabaseService`."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        limits: Limits,
        bounds: Quotas,
        folders: Sequence[Path],
        *,
        tombstones: Tombstones,
        forget_elsewhere: Callable[[], Awaitable[None]],
    ) -> None:
        """Serves.

        Args:
            store: the rows.
            blobs: the bytes.
            limits: what may be begun.
            bounds: what of it in a day.
            folders: where rows and bytes are; nothing is begun while a disk of theirs is full.
            tombstones: of whom was forgotten.
            forget_elsewhere: takes out of copies and logs what was deleted from the database.
        """
        self._store = store
        self._blobs = blobs
        self._limits = limits
        self._quotas = bounds
        self._folders = folders
        self._tombstones = tombstones
        self._forget_elsewhere = forget_elsewhere

    async def ReceivePhoto(
        self, request: db.ReceivePhotoRequest, _context: object
    ) -> db.ReceivePhotoResponse:
        """See db.proto."""
        return await self._begin(photos.receive, request)

    async def StorePhoto(
        self, requests: AsyncIterator[db.StorePhotoRequest], _context: object
    ) -> db.StorePhotoResponse:
        """See db.proto."""
        info = (await uploads.first(requests)).info
        return await self._keep(info, uploads.verified(requests, info.image), photos.store)

    async def AdvanceGeneration(
        self, request: db.AdvanceGenerationRequest, _context: object
    ) -> db.AdvanceGenerationResponse:
        """See db.proto."""
        moves = request.patch.HasField("chat_id")
        while moves and await self._store.transact(generations.move_closed, request):
            pass
        return await self._store.transact(generations.advance, request)

    async def CreateGeneration(
        self, request: db.CreateGenerationRequest, _context: object
    ) -> db.CreateGenerationResponse:
        """See db.proto."""
        return await self._begin(creation.create, request)

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

    async def LeaseGenerations(
        self, request: db.LeaseGenerationsRequest, _context: object
    ) -> db.LeaseGenerationsResponse:
        """See db.proto."""
        return await self._store.transact(leases.lease, request)

    async def FinalizeGeneration(
        self, requests: AsyncIterator[db.FinalizeGenerationRequest], _context: object
    ) -> db.FinalizeGenerationResponse:
        """See db.proto."""
        info = (await uploads.first(requests)).info
        if not info.HasField("picture"):
            return await self._store.transact(generations.fail, info)
        image = info.picture.image
        return await self._keep(info, uploads.verified(requests, image), generations.finish)

    async def CloseGeneration(
        self, request: db.CloseGenerationRequest, _context: object
    ) -> db.CloseGenerationResponse:
        """See db.proto."""
        return await self._store.transact(generations.close, request, self._quotas)

    async def CancelGenerations(
        self, request: db.CancelGenerationsRequest, _context: object
    ) -> db.CancelGenerationsResponse:
        """See db.proto."""
        return await self._store.transact(generations.cancel, request)

    async def GetStatus(
        self, request: db.GetStatusRequest, _context: object
    ) -> db.GetStatusResponse:
        """See db.proto."""
        return await self._store.transact(users.status, request, self._limits, self._quotas)

    async def ListHistory(
        self, request: db.ListHistoryRequest, _context: object
    ) -> db.ListHistoryResponse:
        """See db.proto."""
        return await self._store.transact(users.history, request)

    async def GetGeneration(
        self, request: db.GetGenerationRequest, _context: object
    ) -> db.GetGenerationResponse:
        """See db.proto."""
        return await self._store.transact(generations.get, request)

    async def NoteMessage(
        self, request: db.NoteMessageRequest, _context: object
    ) -> db.NoteMessageResponse:
        """See db.proto."""
        return await self._store.transact(sent.note, request)

    async def DeleteGeneration(
        self, request: db.DeleteGenerationRequest, _context: object
    ) -> db.DeleteGenerationResponse:
        """See db.proto."""
        response = await self._store.transact(generations.delete, request)
        await delete_pending(self._store, self._blobs)
        return response

    async def StarGeneration(
        self, request: db.StarGenerationRequest, _context: object
    ) -> db.StarGenerationResponse:
        """See db.proto."""
        return await self._store.transact(generations.star, request)

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

    async def GetImage(
        self, request: db.GetImageRequest, _context: object
    ) -> AsyncIterator[db.GetImageResponse]:
        """See db.proto."""
        key, info = await self._store.transact(photos.image, request)
        yield db.GetImageResponse(info=info)
        try:
            async with aclosing(self._blobs.open(key)) as chunks:
                async for chunk in chunks:
                    yield db.GetImageResponse(chunk=chunk)
        except FileNotFoundError:
            raise not_found("image") from None

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

    async def CountCaption(
        self, request: db.CountCaptionRequest, _context: object
    ) -> db.CountCaptionResponse:
        """See db.proto."""
        return await self._store.transact(quotas.count_caption, request, self._quotas)

    async def GetStatistics(
        self, request: db.GetStatisticsRequest, _context: object
    ) -> db.GetStatisticsResponse:
        """See db.proto."""
        found = await self._store.transact(statistics.get, request)
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

    async def ListUploads(
        self, request: db.ListUploadsRequest, _context: object
    ) -> db.ListUploadsResponse:
        """See db.proto."""
        return await self._store.transact(forgetting.uploads, request)

    async def FindPictures(
        self, request: db.FindPicturesRequest, _context: object
    ) -> db.FindPicturesResponse:
        """See db.proto."""
        if request.generation_id:
            return await self._store.transact(finding.get, request)
        found, most = db.FindPicturesResponse(), request.page_size or finding.PAGE_SIZE
        for _ in range(finding.MOST_BATCHES):
            left = most - len(found.items)
            some = await self._store.transact(finding.find, request, left)
            found.MergeFrom(some)
            found.cursor = request.cursor = some.cursor
            if not some.cursor or len(found.items) == most:
                break
        return found

    async def _begin(
        self, action: Callable[[Transaction, _Begin, Limits, Quotas], _A], request: _Begin
    ) -> _A:
        """Begins something, or counts that it was refused."""
        allowed = replace(self._limits, disk_full=any(map(is_nearly_full, self._folders)))
        try:
            return await self._store.transact(action, request, allowed, self._quotas)
        except ServiceError as error:
            if error.reason in quotas.REFUSALS:
                await self._store.transact(quotas.count_refusal, request.bot_id)
            raise

    async def _keep(
        self,
        info: _Info,
        parts: AsyncIterator[bytes],
        action: Callable[[Transaction, _Info, str], tuple[_A, str | None]],
    ) -> _A:
        """Stores bytes, and then names them in a row by this action."""
        key = new_key(info.generation_id, info.fence)
        await self._blobs.put(key, parts)
        try:
            response, unnamed = await self._store.transact(action, info, key)
        except ServiceError:
            # Refused, hence rolled back. After any other failure the row may name the bytes.
            await self._discard(key)
            raise
        if unnamed is not None:
            await self._discard(unnamed)
        return response

    async def _discard(self, key: str) -> None:
        """Deletes bytes that no row names; what fails here is left to the sweep."""
        with suppress(OSError):
            await self._blobs.delete([key])
