"""The client of dbservice: gRPC errors become the few errors that the bot acts on."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from protos.lookalike.db.v1 import db_pb2 as db
from protos.lookalike.db.v1.db_pb2_grpc import DatabaseServiceStub

_CHUNK = 256 * 1024
_DEADLINE = 5.0  # seconds, for what carries no bytes
_BYTES_DEADLINE = 30.0

_R = TypeVar("_R")

_AWAY = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)


class DatabaseError(Exception):
    """dbservice refused a call; the text has the status, the reason of docs/errors.md and words."""


class DatabaseAway(DatabaseError):
    """It cannot be reached, or cannot write just now; the same call may succeed later."""


class WrongToken(DatabaseAway):
    """Our SERVICE_TOKEN is not dbservice's, until somebody mends that."""


class InvalidRequest(DatabaseError):
    """The request itself is wrong; the same one will never be taken."""


class Outrun(DatabaseError):
    """The lease was lost or the state has changed: somebody else decides what comes next."""


class NotTheirs(DatabaseError):
    """The generation belongs to another user."""


class NotFound(DatabaseError):
    """There is no such thing."""


def _translate(error: grpc.aio.AioRpcError) -> DatabaseError:
    code = error.code()
    reason = ""
    # The error has what the function asks of a call: code, details and trailing metadata.
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            reason = info.reason
    kind = DatabaseError
    if code in _AWAY:
        kind = DatabaseAway
    elif code is grpc.StatusCode.UNAUTHENTICATED:
        kind = WrongToken
    elif code is grpc.StatusCode.INVALID_ARGUMENT:
        kind = InvalidRequest
    elif code is grpc.StatusCode.FAILED_PRECONDITION:
        kind = Outrun
    elif code is grpc.StatusCode.PERMISSION_DENIED:
        kind = NotTheirs
    elif code is grpc.StatusCode.NOT_FOUND:
        kind = NotFound
    return kind(f"{reason or code.name}: {error.details()}")


@contextmanager
def _translated() -> Generator[None, None, None]:
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise _translate(error) from error


def _chunks(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _CHUNK):
        yield data[start : start + _CHUNK]


def image_info(data: bytes, media_type: str, width: int, height: int) -> db.ImageInfo:
    """What dbservice is told of bytes, so that it can verify them."""
    return db.ImageInfo(
        media_type=media_type,
        width=width,
        height=height,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


class DatabaseClient:
    """Every call has a deadline, carries the bearer token, and raises only `DatabaseError`s."""

    def __init__(self, address: str, token: str) -> None:
        """Connects when it is first used; `address` is host:port."""
        self._channel = grpc.aio.insecure_channel(
            address,
            options=[
                ("grpc.initial_reconnect_backoff_ms", 200),
                ("grpc.max_reconnect_backoff_ms", 2000),
            ],
        )
        self._stub = DatabaseServiceStub(self._channel)
        self._metadata = (("authorization", f"Bearer {token}"),)

    async def disconnect(self) -> None:
        """Closes the channel."""
        await self._channel.close()

    async def _done(self, call: Awaitable[_R]) -> _R:
        with _translated():
            return await call

    async def receive(self, request: db.ReceivePhotoRequest) -> db.ReceivePhotoResponse:
        """Records that a photo has arrived."""
        return await self._done(
            self._stub.ReceivePhoto(request, timeout=_DEADLINE, metadata=self._metadata)
        )

    async def add(self, info: db.StorePhotoRequest.Info, data: bytes) -> db.Item:
        """Stores a photo's bytes."""

        async def parts() -> AsyncIterator[db.StorePhotoRequest]:
            yield db.StorePhotoRequest(info=info)
            for chunk in _chunks(data):
                yield db.StorePhotoRequest(chunk=chunk)

        call = self._stub.StorePhoto(parts(), timeout=_BYTES_DEADLINE, metadata=self._metadata)
        return (await self._done(call)).item

    async def advance(self, request: db.AdvanceGenerationRequest) -> db.Item:
        """Moves a generation to its next state, or records notes in the one it is in."""
        call = self._stub.AdvanceGeneration(request, timeout=_DEADLINE, metadata=self._metadata)
        return (await self._done(call)).item

    async def finalize(self, info: db.FinalizeGenerationRequest.Info, data: bytes = b"") -> db.Item:
        """Stores a picture, or how its computation failed."""

        async def parts() -> AsyncIterator[db.FinalizeGenerationRequest]:
            yield db.FinalizeGenerationRequest(info=info)
            for chunk in _chunks(data):
                yield db.FinalizeGenerationRequest(chunk=chunk)

        call = self._stub.FinalizeGeneration(
            parts(), timeout=_BYTES_DEADLINE, metadata=self._metadata
        )
        return (await self._done(call)).item

    async def close(self, request: db.CloseGenerationRequest) -> db.Item:
        """Marks a generation as closed."""
        call = self._stub.CloseGeneration(request, timeout=_DEADLINE, metadata=self._metadata)
        return (await self._done(call)).item

    async def lease_unfinished(
        self, request: db.LeaseGenerationsRequest
    ) -> db.LeaseGenerationsResponse:
        """Leases what is unfinished."""
        return await self._done(
            self._stub.LeaseGenerations(request, timeout=_DEADLINE, metadata=self._metadata)
        )

    async def cancel(self, request: db.CancelGenerationsRequest) -> db.CancelGenerationsResponse:
        """Cancels a user's unfinished work."""
        return await self._done(
            self._stub.CancelGenerations(request, timeout=_DEADLINE, metadata=self._metadata)
        )

    async def status(self, request: db.GetStatusRequest) -> db.GetStatusResponse:
        """A user's unfinished work in a chat, oldest first."""
        return await self._done(
            self._stub.GetStatus(request, timeout=_DEADLINE, metadata=self._metadata)
        )

    async def history(self, request: db.ListHistoryRequest) -> db.ListHistoryResponse:
        """A page of a user's generations in a chat, newest first."""
        return await self._done(
            self._stub.ListHistory(request, timeout=_DEADLINE, metadata=self._metadata)
        )

    async def get_generation(self, request: db.GetGenerationRequest) -> db.Item:
        """One of a user's generations in a chat."""
        call = self._stub.GetGeneration(request, timeout=_DEADLINE, metadata=self._metadata)
        return (await self._done(call)).item

    async def get_image(self, request: db.GetImageRequest) -> bytes:
        """The bytes of a photo or a picture, verified against their checksum."""
        call = self._stub.GetImage(request, timeout=_BYTES_DEADLINE, metadata=self._metadata)
        info = db.ImageInfo()
        data = bytearray()
        with _translated():
            async for part in call:
                if part.HasField("info"):
                    info = part.info
                data += part.chunk
        if hashlib.sha256(data).hexdigest() != info.sha256:
            raise DatabaseError("the image does not match its checksum")
        return bytes(data)
