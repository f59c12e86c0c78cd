# ruff: noqa: N802, the contract names the methods
"""The RPCs about photos and generations, and their bytes."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from grpc.aio import ServicerContext

from dbservice import uploads
from dbservice.errors import ServiceError, not_found
from dbservice.maintenance import delete_pending
from dbservice.servicer.base import Serving
from dbservice.store import Transaction
from dbservice.transactions import (
    creation,
    finding,
    generations,
    leases,
    photos,
    quotas,
    sent,
    users,
)
from dbservice.transactions.limits import Limits
from dbservice.transactions.quotas import Quotas
from lookalike import tracing
from lookalike.blobs import new_key
from lookalike.disk import is_nearly_full
from protos.lookalike.db.v1 import db_pb2 as db

_Info = TypeVar("_Info", db.StorePhotoRequest.Info, db.FinalizeGenerationRequest.Info)
_Begin = TypeVar("_Begin", db.ReceivePhotoRequest, db.CreateGenerationRequest)
_A = TypeVar("_A")
_Context: TypeAlias = ServicerContext[Any, Any]


class WorkServicer(Serving):
    """Photos and generations."""

    async def ReceivePhoto(
        self, request: db.ReceivePhotoRequest, context: _Context
    ) -> db.ReceivePhotoResponse:
        """See db.proto."""
        response = await self._begin(photos.receive, request, context)
        if request.HasField("asking_message_id"):
            await delete_pending(self._store, self._blobs)  # of what has begun anew
        return response

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
        self, request: db.CreateGenerationRequest, context: _Context
    ) -> db.CreateGenerationResponse:
        """See db.proto."""
        return await self._begin(creation.create, request, context)

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

    async def GetImage(
        self, request: db.GetImageRequest, _context: object
    ) -> AsyncIterator[db.GetImageResponse]:
        """See db.proto."""
        key, info = await self._store.transact(photos.image, request)
        try:
            if request.thumbnail:
                info, data = await self._thumbnails.get(key, info, request.thumbnail)
                yield db.GetImageResponse(info=info)
                yield db.GetImageResponse(chunk=data)
                return
            yield db.GetImageResponse(info=info)
            async with aclosing(self._blobs.open(key)) as chunks:
                async for chunk in chunks:
                    yield db.GetImageResponse(chunk=chunk)
        except FileNotFoundError:
            raise not_found("image") from None

    async def CountCaption(
        self, request: db.CountCaptionRequest, _context: object
    ) -> db.CountCaptionResponse:
        """See db.proto."""
        return await self._store.transact(quotas.count_caption, request, self._quotas)

    async def GetFamily(
        self, request: db.GetFamilyRequest, _context: object
    ) -> db.GetFamilyResponse:
        """See db.proto."""
        return await self._store.transact(finding.family, request)

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
        self,
        action: Callable[[Transaction, _Begin, Limits, Quotas, str], _A],
        request: _Begin,
        context: _Context,
    ) -> _A:
        """Begins something, or counts that it was refused."""
        allowed = replace(self._limits, disk_full=any(map(is_nearly_full, self._folders)))
        traceparent = tracing.received(context.invocation_metadata() or ())
        try:
            return await self._store.transact(action, request, allowed, self._quotas, traceparent)
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
