# ruff: noqa: N802, the contract names the methods
"""The RPCs: each checks its request, asks the store, and answers errors in the contract's words."""

import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from grpc.aio import ServicerContext

from dbservice import status
from dbservice.blobs import Blobs, Draft
from dbservice.errors import Reason, ServiceError, invalid
from dbservice.store import Store
from dbservice.validation import MAX_CHUNK, check
from protos.lookalike.db.v1 import db_pb2 as db
from protos.lookalike.db.v1.db_pb2_grpc import DatabaseServiceServicer

_log = logging.getLogger(__name__)

_Q = TypeVar("_Q")
_A = TypeVar("_A")
_Method = Callable[["DatabaseServicer", _Q, ServicerContext[Any, Any]], Awaitable[_A]]
_Part = TypeVar("_Part", db.StorePhotoRequest, db.FinalizeGenerationRequest)

_STORAGE = frozenset({Reason.DISK_FULL, Reason.STORAGE_UNAVAILABLE})


def _rpc(method: _Method[_Q, _A]) -> _Method[_Q, _A]:
    """Turns what a method raises into a status; nothing inner reaches the caller."""

    @functools.wraps(method)
    async def rpc(self: "DatabaseServicer", request: _Q, context: ServicerContext[Any, Any]) -> _A:
        try:
            return await method(self, request, context)
        except ServiceError as error:
            if error.reason in _STORAGE:
                _log.error("%s: %s (%s)", method.__name__, error.message, error.__cause__)
            await status.abort(context, error)
        # The last line of defence: a fault of ours is logged here and not the caller's to read.
        except Exception:  # noqa: BLE001
            _log.exception("%s failed.", method.__name__)
            words = "The service failed; its log says why."
            await status.abort(context, ServiceError(Reason.INTERNAL, words))

    return rpc


class DatabaseServicer(DatabaseServiceServicer):
    """The contract `lookalike.db.v1.DatabaseService`."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs

    @_rpc
    async def ReceivePhoto(
        self, request: db.ReceivePhotoRequest, _context: object
    ) -> db.ReceivePhotoResponse:
        """See db.proto."""
        check(request)
        return await self._store.receive(request)

    @_rpc
    async def StorePhoto(
        self, requests: AsyncIterator[db.StorePhotoRequest], _context: object
    ) -> db.StorePhotoResponse:
        """See db.proto."""
        info = (await _first(requests)).info
        check(info)
        async with self._blobs.draft() as draft:
            await _fill(draft, requests, info.image)
            return await self._store.add(info, draft.publish)

    @_rpc
    async def AdvanceGeneration(
        self, request: db.AdvanceGenerationRequest, _context: object
    ) -> db.AdvanceGenerationResponse:
        """See db.proto."""
        check(request)
        return await self._store.advance(request)

    @_rpc
    async def CreateGeneration(
        self, request: db.CreateGenerationRequest, _context: object
    ) -> db.CreateGenerationResponse:
        """See db.proto."""
        check(request)
        return await self._store.again(request)

    @_rpc
    async def LeaseGenerations(
        self, request: db.LeaseGenerationsRequest, _context: object
    ) -> db.LeaseGenerationsResponse:
        """See db.proto."""
        check(request)
        return await self._store.lease_unfinished(request)

    @_rpc
    async def FinalizeGeneration(
        self, requests: AsyncIterator[db.FinalizeGenerationRequest], _context: object
    ) -> db.FinalizeGenerationResponse:
        """See db.proto."""
        info = (await _first(requests)).info
        check(info)
        async with self._blobs.draft() as draft:
            if info.HasField("picture"):
                await _fill(draft, requests, info.picture.image)
            return await self._store.finalize(info, draft.publish)

    @_rpc
    async def CloseGeneration(
        self, request: db.CloseGenerationRequest, _context: object
    ) -> db.CloseGenerationResponse:
        """See db.proto."""
        check(request)
        return await self._store.close_generation(request)

    @_rpc
    async def CancelGenerations(
        self, request: db.CancelGenerationsRequest, _context: object
    ) -> db.CancelGenerationsResponse:
        """See db.proto."""
        check(request)
        return await self._store.cancel(request)

    @_rpc
    async def GetStatus(
        self, request: db.GetStatusRequest, _context: object
    ) -> db.GetStatusResponse:
        """See db.proto."""
        check(request)
        return await self._store.status(request)

    @_rpc
    async def ListHistory(
        self, request: db.ListHistoryRequest, _context: object
    ) -> db.ListHistoryResponse:
        """See db.proto."""
        check(request)
        return await self._store.history(request)

    @_rpc
    async def GetGeneration(
        self, request: db.GetGenerationRequest, _context: object
    ) -> db.GetGenerationResponse:
        """See db.proto."""
        check(request)
        return await self._store.get_generation(request)

    # grpc.aio takes a coroutine that writes; the generated type knows only generators.
    @_rpc
    async def GetImage(  # type: ignore[override]
        self,
        request: db.GetImageRequest,
        context: ServicerContext[db.GetImageRequest, db.GetImageResponse],
    ) -> None:
        """See db.proto."""
        check(request)
        key, info = await self._store.image(request)
        await context.write(db.GetImageResponse(info=info))
        async for chunk in self._blobs.read(key):
            await context.write(db.GetImageResponse(chunk=chunk))

    @_rpc
    async def ForgetUser(
        self, request: db.ForgetUserRequest, _context: object
    ) -> db.ForgetUserResponse:
        """See db.proto."""
        check(request)
        response = await self._store.forget(request)
        await purge(self._store, self._blobs)
        return response


async def purge(store: Store, blobs: Blobs) -> None:
    """Removes the bytes that nothing refers to any more.

    Raises:
        ServiceError: the disk or the database is away; what was not removed is still noted.
    """
    if keys := await store.removals():
        await blobs.remove(keys)
        await store.removed(keys)


async def _first(requests: AsyncIterator[_Part]) -> _Part:
    async for request in requests:
        if request.WhichOneof("part") == "info":
            return request
        break
    raise invalid(("info", "must come first"))


async def _fill(draft: Draft, requests: AsyncIterator[_Part], image: db.ImageInfo) -> None:
    """Writes the chunks that follow the info, and verifies them against it."""
    size = 0
    async for request in requests:
        if request.WhichOneof("part") != "chunk" or not 0 < len(request.chunk) <= MAX_CHUNK:
            raise invalid(("chunk", f"must have 1 to {MAX_CHUNK} bytes"))
        size += len(request.chunk)
        if size > image.size:
            raise invalid(("chunk", "exceeds the size in info"))
        await draft.write(request.chunk)
    if size < image.size:
        raise invalid(("chunk", "is missing: the bytes are fewer than the size in info"))
    if await draft.seal() != image.sha256:
        raise invalid(("chunk", "does not have the sha256 in info"))
