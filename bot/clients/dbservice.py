"""The client of dbservice: its RPCs by their names."""

import hashlib
import json
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Final, TypeAlias, TypeVar

import grpc
from grpc.aio import StreamUnaryMultiCallable, UnaryStreamMultiCallable, UnaryUnaryMultiCallable

from bot.clients.errors import DatabaseError, translated
from bot.observers import Observer, RpcDone, timed
from lookalike import tracing
from lookalike.proxies import NO_GRPC_PROXY
from protos.lookalike.db.v1 import db_pb2 as db
from protos.lookalike.db.v1.db_pb2_grpc import DatabaseServiceStub

_CHUNK = 256 * 1024
_MOST_IMAGE_BYTES = 32 * 1024 * 1024
_DEADLINE = 5.0  # seconds, for what carries no bytes
_BYTES_DEADLINE = 30.0

_SERVICE = db.DESCRIPTOR.services_by_name["DatabaseService"]

_ONCE: Final = frozenset(
    {
        "AdvanceExport",  # it counts parts that were lost
        "BeginEpoch",
        "CountCaption",
        "CreateInvite",
        "RedeemInvite",  # the second answer is another one
    }
)
"""What may have been done where the answer is lost, and would then be done twice."""

_Metadata: TypeAlias = tuple[tuple[str, str], ...]

_Q = TypeVar("_Q")
_A = TypeVar("_A")


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


def _target(addresses: Sequence[str]) -> str:
    """What gRPC connects to; several addresses are numbers, for it resolves one name at most."""
    if len(addresses) == 1:
        return addresses[0]
    family = "ipv6" if all("[" in each for each in addresses) else "ipv4"
    return f"{family}:{','.join(addresses)}"


def _several_options() -> list[tuple[str, str]]:
    """How several dbservices share the calls: in turns, and another one takes a lost call over.

    Bytes go up once: their stage is repeated as a whole.
    """
    again = [
        {"service": _SERVICE.full_name, "method": method.name}
        for method in _SERVICE.methods
        if not method.client_streaming and method.name not in _ONCE
    ]
    policy = {
        "maxAttempts": 4,
        "initialBackoff": "0.05s",
        "maxBackoff": "0.5s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    config = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [{"name": again, "retryPolicy": policy}],
    }
    return [("grpc.service_config", json.dumps(config))]


class DatabaseClient:
    """The RPCs by their names. Every call has a deadline and may raise any `DatabaseError`."""

    def __init__(self, address: str, token: str, observers: Sequence[Observer] = ()) -> None:
        """Connects when it is first used; `address` is host:port, or several with commas."""
        self._observers = observers
        addresses = address.split(",")
        self._channel = grpc.aio.insecure_channel(
            _target(addresses),
            options=[
                *(_several_options() if len(addresses) > 1 else ()),
                NO_GRPC_PROXY,
                ("grpc.initial_reconnect_backoff_ms", 200),
                ("grpc.max_reconnect_backoff_ms", 2000),
            ],
        )
        self._stub = DatabaseServiceStub(self._channel)
        self._metadata: _Metadata = (("authorization", f"Bearer {token}"),)

    async def disconnect(self) -> None:
        """Closes the channel."""
        await self._channel.close()

    async def receive_photo(self, request: db.ReceivePhotoRequest) -> db.ReceivePhotoResponse:
        """Records that a photo has arrived."""
        return await self._call(self._stub.ReceivePhoto, request)

    async def store_photo(self, info: db.StorePhotoRequest.Info, data: bytes) -> db.Item:
        """Stores a photo's bytes."""

        def parts() -> Iterator[db.StorePhotoRequest]:
            yield db.StorePhotoRequest(info=info)
            yield from (db.StorePhotoRequest(chunk=chunk) for chunk in _chunks(data))

        return (await self._upload(db.StorePhotoRequest, self._stub.StorePhoto, parts())).item

    async def advance_generation(self, request: db.AdvanceGenerationRequest) -> db.Item:
        """Moves a generation to its next state, or patches it in the one it is in."""
        return (await self._call(self._stub.AdvanceGeneration, request)).item

    async def create_generation(
        self, request: db.CreateGenerationRequest
    ) -> db.CreateGenerationResponse:
        """Makes another generation for a captioned photo."""
        return await self._call(self._stub.CreateGeneration, request)

    async def begin_epoch(self, request: db.BeginEpochRequest) -> db.BeginEpochResponse:
        """Begins the epoch of a process that gets updates, or joins it."""
        return await self._call(self._stub.BeginEpoch, request)

    async def confirm_epoch(self, request: db.ConfirmEpochRequest) -> None:
        """Makes sure that an epoch is the latest."""
        await self._call(self._stub.ConfirmEpoch, request)

    async def claim(self, request: db.ClaimRequest) -> bool:
        """Claims what one process does alone; whether it is ours."""
        return (await self._call(self._stub.Claim, request)).yours

    async def lease_generations(
        self, request: db.LeaseGenerationsRequest
    ) -> db.LeaseGenerationsResponse:
        """Leases what is unfinished."""
        return await self._call(self._stub.LeaseGenerations, request)

    async def finalize_generation(
        self, info: db.FinalizeGenerationRequest.Info, data: bytes = b""
    ) -> db.Item:
        """Stores a picture, or how its computation failed."""

        def parts() -> Iterator[db.FinalizeGenerationRequest]:
            yield db.FinalizeGenerationRequest(info=info)
            yield from (db.FinalizeGenerationRequest(chunk=chunk) for chunk in _chunks(data))

        method = self._stub.FinalizeGeneration
        return (await self._upload(db.FinalizeGenerationRequest, method, parts())).item

    async def close_generation(self, request: db.CloseGenerationRequest) -> db.Item:
        """Marks a generation as closed."""
        return (await self._call(self._stub.CloseGeneration, request)).item

    async def note_message(self, request: db.NoteMessageRequest) -> None:
        """Notes that a message is about a generation."""
        await self._call(self._stub.NoteMessage, request)

    async def delete_generation(
        self, request: db.DeleteGenerationRequest
    ) -> db.DeleteGenerationResponse:
        """Deletes a picture; gives what is left of it, and which messages show it."""
        return await self._call(self._stub.DeleteGeneration, request)

    async def star_generation(self, request: db.StarGenerationRequest) -> db.Item:
        """Gives a picture a star, or takes it away."""
        return (await self._call(self._stub.StarGeneration, request)).item

    async def get_settings(self, request: db.GetSettingsRequest) -> db.UserSettings:
        """What a user has chosen."""
        return (await self._call(self._stub.GetSettings, request)).settings

    async def change_settings(self, request: db.ChangeSettingsRequest) -> db.UserSettings:
        """Changes what a user has chosen."""
        return (await self._call(self._stub.ChangeSettings, request)).settings

    async def move_chat(self, request: db.MoveChatRequest) -> None:
        """Has what is kept of a group follow it to the supergroup that it became."""
        await self._call(self._stub.MoveChat, request)

    async def cancel_generations(
        self, request: db.CancelGenerationsRequest
    ) -> db.CancelGenerationsResponse:
        """Cancels a user's unfinished generations."""
        return await self._call(self._stub.CancelGenerations, request)

    async def get_status(self, request: db.GetStatusRequest) -> db.GetStatusResponse:
        """A user's unfinished generations in a chat, oldest first."""
        return await self._call(self._stub.GetStatus, request)

    async def list_history(self, request: db.ListHistoryRequest) -> db.ListHistoryResponse:
        """A page of a user's generations in a chat, newest first."""
        return await self._call(self._stub.ListHistory, request)

    async def get_generation(self, request: db.GetGenerationRequest) -> db.GetGenerationResponse:
        """One of a user's generations in a chat."""
        return await self._call(self._stub.GetGeneration, request)

    async def get_image(self, request: db.GetImageRequest) -> bytes:
        """The bytes of a photo or a picture, verified against their checksum."""
        info = db.ImageInfo()
        data = bytearray()
        async with aclosing(self.open_image(request)) as parts:
            async for part in parts:
                if part.HasField("info"):
                    info = part.info
                data += part.chunk
                if len(data) > min(info.size, _MOST_IMAGE_BYTES):
                    break
        if hashlib.sha256(data).hexdigest() != info.sha256:
            raise DatabaseError("the image does not match its checksum")
        return bytes(data)

    def open_image(self, request: db.GetImageRequest) -> AsyncGenerator[db.GetImageResponse]:
        """The same in pieces as they come, unverified; whoever may leave early closes it."""
        return self._download(self._stub.GetImage, request)

    async def forget_user(self, request: db.ForgetUserRequest) -> db.ForgetUserResponse:
        """Removes all that is known of a user; what takes too long goes on when asked again."""
        return await self._call(self._stub.ForgetUser, request, _BYTES_DEADLINE)

    async def begin_forgetting(
        self, request: db.BeginForgettingRequest
    ) -> db.BeginForgettingResponse:
        """Begins to forget a user."""
        return await self._call(self._stub.BeginForgetting, request)

    async def list_forgettings(
        self, request: db.ListForgettingsRequest
    ) -> db.ListForgettingsResponse:
        """Whom the bot is to forget."""
        return await self._call(self._stub.ListForgettings, request)

    async def list_uploads(self, request: db.ListUploadsRequest) -> db.ListUploadsResponse:
        """The photos of a user that the generator may have."""
        return await self._call(self._stub.ListUploads, request)

    async def end_forgetting(self, request: db.EndForgettingRequest) -> None:
        """Lets a user who is forgotten begin anew."""
        await self._call(self._stub.EndForgetting, request)

    async def get_family(self, request: db.GetFamilyRequest) -> db.GetFamilyResponse:
        """A picture of a user's, with what it follows from and what follows from it."""
        return await self._call(self._stub.GetFamily, request)

    async def find_pictures(self, request: db.FindPicturesRequest) -> db.FindPicturesResponse:
        """A user's pictures of all chats, by what they say."""
        return await self._call(self._stub.FindPictures, request, _BYTES_DEADLINE)

    async def get_access(self, request: db.GetAccessRequest) -> db.GetAccessResponse:
        """What is kept of a user's access."""
        return await self._call(self._stub.GetAccess, request)

    async def claim_bot(self, request: db.ClaimBotRequest) -> bool:
        """Makes a user the owner, if there is none; whether the user is it now."""
        return (await self._call(self._stub.ClaimBot, request)).owner

    async def create_invite(self, request: db.CreateInviteRequest) -> db.CreateInviteResponse:
        """Makes an invite."""
        return await self._call(self._stub.CreateInvite, request)

    async def list_invites(self, request: db.ListInvitesRequest) -> db.ListInvitesResponse:
        """The invites that are still good."""
        return await self._call(self._stub.ListInvites, request)

    async def revoke_invite(self, request: db.RevokeInviteRequest) -> None:
        """Revokes an invite."""
        await self._call(self._stub.RevokeInvite, request)

    async def redeem_invite(self, request: db.RedeemInviteRequest) -> db.Redemption:
        """Lets a user in by an invite, or says why not."""
        return (await self._call(self._stub.RedeemInvite, request)).redemption

    async def ban_user(self, request: db.BanUserRequest) -> db.BanUserResponse:
        """Bans a user."""
        return await self._call(self._stub.BanUser, request)

    async def unban_user(self, request: db.UnbanUserRequest) -> bool:
        """Lifts a ban; whether there was one."""
        return (await self._call(self._stub.UnbanUser, request)).changed

    async def count_caption(self, request: db.CountCaptionRequest) -> None:
        """Counts a caption that is about to be asked for."""
        await self._call(self._stub.CountCaption, request)

    async def get_statistics(self, request: db.GetStatisticsRequest) -> db.GetStatisticsResponse:
        """What a bot has done."""
        return await self._call(self._stub.GetStatistics, request)

    async def list_admins(self, request: db.ListAdminsRequest) -> db.ListAdminsResponse:
        """Those who run the bot."""
        return await self._call(self._stub.ListAdmins, request)

    async def count_recipients(self, request: db.CountRecipientsRequest) -> int:
        """How many people a broadcast would go to."""
        answer = await self._call(self._stub.CountRecipients, request, _BYTES_DEADLINE)
        return answer.count

    async def begin_broadcast(self, request: db.BeginBroadcastRequest) -> db.BeginBroadcastResponse:
        """Begins a broadcast."""
        return await self._call(self._stub.BeginBroadcast, request)

    async def get_broadcast(self, request: db.GetBroadcastRequest) -> db.GetBroadcastResponse:
        """The broadcast that is open."""
        return await self._call(self._stub.GetBroadcast, request)

    async def advance_broadcast(self, request: db.AdvanceBroadcastRequest) -> db.Broadcast:
        """Records a step of a broadcast, and notes the next."""
        return (await self._call(self._stub.AdvanceBroadcast, request)).broadcast

    async def cancel_broadcast(self, request: db.CancelBroadcastRequest) -> db.Broadcast:
        """Cancels a broadcast."""
        return (await self._call(self._stub.CancelBroadcast, request)).broadcast

    async def close_broadcast(self, request: db.CloseBroadcastRequest) -> None:
        """Closes a broadcast that has ended."""
        await self._call(self._stub.CloseBroadcast, request)

    async def begin_export(self, request: db.BeginExportRequest) -> db.BeginExportResponse:
        """Begins to send a user all that is kept of them."""
        return await self._call(self._stub.BeginExport, request)

    async def list_exports(self, request: db.ListExportsRequest) -> db.ListExportsResponse:
        """Whom the bot is to send an export."""
        return await self._call(self._stub.ListExports, request)

    async def read_export(self, request: db.ReadExportRequest) -> db.ReadExportResponse:
        """A page of what is in an export."""
        return await self._call(self._stub.ReadExport, request)

    async def advance_export(self, request: db.AdvanceExportRequest) -> None:
        """Records how far an export is."""
        await self._call(self._stub.AdvanceExport, request)

    async def end_export(self, request: db.EndExportRequest) -> None:
        """Gives an export up."""
        await self._call(self._stub.EndExport, request)

    # Token, deadline and errors are the same for all calls of one shape. They are not interceptors:
    # grpc.aio takes a class for one shape of call only, and makes a task for each interceptor.

    async def _call(
        self, method: UnaryUnaryMultiCallable[_Q, _A], request: _Q, deadline: float = _DEADLINE
    ) -> _A:
        with self._calling(type(request)) as metadata:
            return await method(request, timeout=deadline, metadata=metadata)

    async def _upload(
        self,
        kind: type[_Q],
        method: StreamUnaryMultiCallable[_Q, _A],
        parts: Iterator[_Q],
    ) -> _A:
        with self._calling(kind) as metadata:
            return await method(parts, timeout=_BYTES_DEADLINE, metadata=metadata)

    async def _download(
        self, method: UnaryStreamMultiCallable[_Q, _A], request: _Q
    ) -> AsyncGenerator[_A]:
        with self._calling(type(request)) as metadata:
            call = method(request, timeout=_BYTES_DEADLINE, metadata=metadata)
            try:
                async for part in call:
                    yield part
            finally:
                call.cancel()  # nothing, if it has ended

    @contextmanager
    def _calling(self, request: type) -> Generator[_Metadata, None, None]:
        """Gives the call's metadata."""
        method = request.__name__.removesuffix("Request")

        def announce(observer: Observer, seconds: float, outcome: str) -> None:
            observer.rpc_done(RpcDone("dbservice", method, seconds, outcome))

        span = tracing.span(f"{_SERVICE.full_name}/{method}", kind="client")
        with timed(self._observers, announce, span), translated():
            yield (*self._metadata, *span.headers)
