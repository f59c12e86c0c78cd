"""A client that a test reads well with."""

import hashlib
import re
from collections.abc import Awaitable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from dbservice.settings import DbserviceSettings
from lookalike.settings import folder_of
from protos.lookalike.db.v1 import db_pb2 as db
from protos.lookalike.db.v1.db_pb2_grpc import DatabaseServiceStub

TOKEN = "a-token-for-tests"
BOT, CHAT, USER = 1, -100, 42
CHUNK = 256 * 1024

Refusal = tuple[grpc.StatusCode, str, list[str]]
Lease = db.LeaseGenerationsResponse.Lease
_Q = TypeVar("_Q")
_A = TypeVar("_A")


class Client:
    def __init__(self, channel: grpc.aio.Channel, token: str = TOKEN) -> None:
        self.channel = channel
        self.stub = DatabaseServiceStub(channel)
        self.metadata: tuple[tuple[str, str], ...] = (("authorization", f"Bearer {token}"),)

    async def call(self, method: grpc.aio.UnaryUnaryMultiCallable[_Q, _A], request: _Q) -> _A:
        return await method(request, metadata=self.metadata, timeout=20)

    async def send(
        self, method: grpc.aio.StreamUnaryMultiCallable[_Q, _A], parts: Iterator[_Q]
    ) -> _A:
        return await method(parts, metadata=self.metadata, timeout=20)

    async def receive(
        self,
        message_id: int = 1,
        *,
        user: int = USER,
        chat: int = CHAT,
        bot: int = BOT,
        **more: Any,
    ) -> db.ReceivePhotoResponse:
        request = db.ReceivePhotoRequest(
            bot_id=bot,
            chat_id=chat,
            message_id=message_id,
            user_id=user,
            language_code="en",
            file_id=f"file-{message_id}",
            file_size=1234,
            **{"user_text": "look"} | more,
        )
        return await self.call(self.stub.ReceivePhoto, request)

    async def begin(self, *, bot: int = BOT) -> int:
        return (await self.call(self.stub.BeginEpoch, db.BeginEpochRequest(bot_id=bot))).epoch

    async def confirm(self, epoch: int, *, bot: int = BOT) -> None:
        request = db.ConfirmEpochRequest(bot_id=bot, epoch=epoch)
        await self.call(self.stub.ConfirmEpoch, request)

    async def lease(
        self, holder: str = "here", *, limit: int = 0, bot: int = BOT, **of_the_process: Any
    ) -> list[Lease]:
        request = db.LeaseGenerationsRequest(
            bot_id=bot, holder=holder, limit=limit, **of_the_process
        )
        return [*(await self.call(self.stub.LeaseGenerations, request)).leases]

    async def leased(self, message_id: int = 1, *, user: int = USER) -> Lease:
        """A new photo's generation 0, leased."""
        item = (await self.receive(message_id, user=user)).item
        return next(
            lease for lease in await self.lease() if lease.item.generation.id == item.generation.id
        )

    async def store(self, lease: Lease, data: bytes = b"a photo", **wrong: Any) -> db.Item:
        return (await self.send(self.stub.StorePhoto, store_parts(lease, data, **wrong))).item

    async def advance(
        self,
        lease: Lease,
        source: db.GenerationState,
        target: db.GenerationState,
        patch: db.GenerationPatch | None = None,
    ) -> db.Item:
        request = db.AdvanceGenerationRequest(
            generation_id=lease.item.generation.id,
            fence=lease.fence,
            from_state=source,
            to_state=target,
            patch=patch,
        )
        return (await self.call(self.stub.AdvanceGeneration, request)).item

    async def finish(self, lease: Lease, data: bytes = b"a picture", **wrong: Any) -> db.Item:
        info = finalize_info(lease, picture=picture(data, **wrong))
        return (await self.send(self.stub.FinalizeGeneration, finalize_parts(info, data))).item

    async def end(self, lease: Lease, **outcome: db.Error) -> db.Item:
        parts = finalize_parts(finalize_info(lease, **outcome))
        return (await self.send(self.stub.FinalizeGeneration, parts)).item

    async def close(self, lease: Lease, fence: int | None = None) -> db.Item:
        request = db.CloseGenerationRequest(
            generation_id=lease.item.generation.id, fence=lease.fence if fence is None else fence
        )
        return (await self.call(self.stub.CloseGeneration, request)).item

    async def cancel(
        self,
        generation_id: str = "",
        *,
        user: int = USER,
        bot: int = BOT,
        chat: int = CHAT,
        before: int | None = None,
    ) -> db.CancelGenerationsResponse:
        request = db.CancelGenerationsRequest(
            bot_id=bot,
            chat_id=chat,
            user_id=user,
            generation_id=generation_id,
            before_message_id=before,
        )
        return await self.call(self.stub.CancelGenerations, request)

    async def status(self, *, user: int = USER, chat: int = CHAT) -> list[db.Item]:
        request = db.GetStatusRequest(bot_id=BOT, chat_id=chat, user_id=user)
        return [*(await self.call(self.stub.GetStatus, request)).items]

    async def history(
        self, cursor: str = "", size: int = 0, *, chat: int = CHAT, of: str = ""
    ) -> db.ListHistoryResponse:
        """A page; `of` is the id of the generation that it begins with."""
        request = db.ListHistoryRequest(
            bot_id=BOT, chat_id=chat, user_id=USER, page_size=size, cursor=cursor, generation_id=of
        )
        return await self.call(self.stub.ListHistory, request)

    async def create(
        self, parent: str = "", message: int = 500, *, user: int = USER, **fields: Any
    ) -> db.CreateGenerationResponse:
        """Words in reply to a picture, or alone; `fields` say more, or something else."""
        asked: dict[str, Any] = {"recipe": db.Recipe(words="a dog")} | fields
        request = db.CreateGenerationRequest(
            bot_id=BOT, chat_id=CHAT, user_id=user, parent_id=parent, message_id=message, **asked
        )
        return await self.call(self.stub.CreateGeneration, request)

    async def press(
        self, parent: str, press: str, button: str = "again", **fields: Any
    ) -> db.CreateGenerationResponse:
        """A button under a picture; `press` is Telegram's id of it."""
        return await self.create(parent, 400, button=button, request_id=press, **fields)

    async def get(self, *, user: int = USER, **which: Any) -> db.GetGenerationResponse:
        request = db.GetGenerationRequest(bot_id=BOT, chat_id=CHAT, user_id=user, **which)
        return await self.call(self.stub.GetGeneration, request)

    async def delete(self, generation_id: str, *, user: int = USER) -> db.Item:
        request = db.DeleteGenerationRequest(
            bot_id=BOT, chat_id=CHAT, user_id=user, generation_id=generation_id
        )
        return (await self.call(self.stub.DeleteGeneration, request)).item

    async def star(self, generation_id: str, *, user: int = USER, starred: bool = True) -> db.Item:
        request = db.StarGenerationRequest(
            bot_id=BOT, chat_id=CHAT, user_id=user, generation_id=generation_id, starred=starred
        )
        return (await self.call(self.stub.StarGeneration, request)).item

    async def note(
        self, generation_id: str, message: int, kind: db.MessageKind, *, user: int = USER
    ) -> None:
        request = db.NoteMessageRequest(
            bot_id=BOT,
            chat_id=CHAT,
            user_id=user,
            generation_id=generation_id,
            message_id=message,
            kind=kind,
        )
        await self.call(self.stub.NoteMessage, request)

    async def settings(self, dial: db.Dial = db.DIAL_UNSPECIFIED, *, user: int = USER) -> db.Dial:
        """What the user has chosen, after they chose `dial`."""
        request = db.ChangeSettingsRequest(
            bot_id=BOT, user_id=user, settings=db.UserSettings(dial=dial)
        )
        changed = (await self.call(self.stub.ChangeSettings, request)).settings
        asked = db.GetSettingsRequest(bot_id=BOT, user_id=user)
        assert (await self.call(self.stub.GetSettings, asked)).settings == changed
        return changed.dial

    async def forget(self, user: int = USER) -> db.ForgetUserResponse:
        return await self.call(self.stub.ForgetUser, db.ForgetUserRequest(bot_id=BOT, user_id=user))

    async def ask_to_forget(self, user: int = USER, *, message: int = 900) -> bool:
        """Whether it is pending from now on."""
        request = db.BeginForgettingRequest(
            bot_id=BOT, user_id=user, chat_id=CHAT, message_id=message, language_code="en"
        )
        return (await self.call(self.stub.BeginForgetting, request)).pending

    async def forgettings(self) -> list[db.Forgetting]:
        request = db.ListForgettingsRequest(bot_id=BOT)
        return [*(await self.call(self.stub.ListForgettings, request)).forgettings]

    async def uploads(self, cursor: str = "", *, user: int = USER) -> db.ListUploadsResponse:
        request = db.ListUploadsRequest(bot_id=BOT, user_id=user, cursor=cursor)
        return await self.call(self.stub.ListUploads, request)

    async def end_forgetting(self, user: int = USER) -> None:
        request = db.EndForgettingRequest(bot_id=BOT, user_id=user)
        await self.call(self.stub.EndForgetting, request)

    async def forgotten(self, user: int = USER, *, message: int = 900) -> None:
        """Forgets a user of whom nothing is leased, as the bot does."""
        await self.ask_to_forget(user, message=message)
        for lease in await self.lease("the bot"):
            if lease.item.photo.user_id == user:
                await self.close(lease)
        await self.forget(user)
        await self.end_forgetting(user)

    async def ask_to_export(
        self, user: int = USER, *, message: int = 950, language: str = "en"
    ) -> db.BeginExportResponse:
        request = db.BeginExportRequest(
            bot_id=BOT, user_id=user, message_id=message, language_code=language
        )
        return await self.call(self.stub.BeginExport, request)

    async def exports(self) -> list[db.Export]:
        request = db.ListExportsRequest(bot_id=BOT)
        return [*(await self.call(self.stub.ListExports, request)).exports]

    async def export_page(self, cursor: str = "", *, user: int = USER) -> db.ReadExportResponse:
        request = db.ReadExportRequest(bot_id=BOT, user_id=user, cursor=cursor)
        return await self.call(self.stub.ReadExport, request)

    async def advance_export(self, user: int = USER, *, message: int = 950, **step: Any) -> None:
        """The next part comes into a message, or has come."""
        request = db.AdvanceExportRequest(bot_id=BOT, user_id=user, message_id=message, **step)
        await self.call(self.stub.AdvanceExport, request)

    async def end_export(self, user: int = USER, *, message: int = 950) -> None:
        request = db.EndExportRequest(bot_id=BOT, user_id=user, message_id=message)
        await self.call(self.stub.EndExport, request)

    async def exported(self, user: int = USER, *, message: int = 950) -> None:
        """All of it in one part."""
        await self.ask_to_export(user, message=message)
        part = db.AdvanceExportRequest.Part(number=1, last=True)
        await self.advance_export(user, message=message, part=part)

    async def image(self, **source: Any) -> tuple[db.ImageInfo, bytes]:
        call = self.stub.GetImage(db.GetImageRequest(**source), metadata=self.metadata, timeout=20)
        responses = [response async for response in call]
        assert responses[0].HasField("info")
        assert all(0 < len(response.chunk) <= CHUNK for response in responses[1:])
        return responses[0].info, b"".join(response.chunk for response in responses[1:])

    async def pictured(self, message_id: int, *, user: int = USER) -> None:
        """A photo and its picture, which is not sent yet."""
        lease = await self.leased(message_id, user=user)
        await self.store(lease)
        way = (
            db.GENERATION_STATE_STORED,
            db.GENERATION_STATE_CAPTIONED,
            db.GENERATION_STATE_QUEUED,
        )
        for here, there in pairwise(way):
            await self.advance(lease, here, there, db.GenerationPatch(caption=CAPTION))
        await self.finish(lease)

    async def to_state(self, state: db.GenerationState, message_id: int = 1) -> Lease:
        """A new photo's generation, leased, in this state; it got there by the contract alone."""
        lease = await self.leased(message_id, user=message_id)
        here = db.GENERATION_STATE_RECEIVED
        if state == db.GENERATION_STATE_CANCELLED:
            await self.cancel(lease.item.generation.id, user=message_id)
        elif state == db.GENERATION_STATE_FAILED:
            await self.end(lease, failed=db.Error(code="broken"))
        elif state == db.GENERATION_STATE_UNDELIVERABLE:
            await self.advance(
                lease, here, state, db.GenerationPatch(error=db.Error(code="blocked"))
            )
        if state in (here, *_BY_THE_WAY):
            return lease
        await self.store(lease)
        here = db.GENERATION_STATE_STORED
        for step in _WAY:
            if here == state:
                return lease
            if step == db.GENERATION_STATE_FINISHED:
                await self.finish(lease)
            else:
                patch = db.GenerationPatch(caption=CAPTION, prompt=CAPTION.text)
                await self.advance(lease, here, step, patch)
            here = step
            if state == db.GENERATION_STATE_REFUSED and step == db.GENERATION_STATE_RUNNING:
                await self.end(lease, refused=db.Error(code="unsafe"))
                return lease
        return lease


CAPTION = db.Caption(
    text="a cat on a sofa",
    confidence=0.5,
    captioner="offline",
    model="m-1",
    guesses=["a cat on a sofa", "a dog"],
)

_BY_THE_WAY = (
    db.GENERATION_STATE_CANCELLED,
    db.GENERATION_STATE_FAILED,
    db.GENERATION_STATE_UNDELIVERABLE,
)
_WAY = (
    db.GENERATION_STATE_CAPTIONED,
    db.GENERATION_STATE_QUEUED,
    db.GENERATION_STATE_RUNNING,
    db.GENERATION_STATE_FINISHED,
    db.GENERATION_STATE_DELIVERED,
)


def image(data: bytes, **wrong: Any) -> db.ImageInfo:
    """What is true of the bytes, but for what is given."""
    true: dict[str, Any] = {
        "media_type": "image/png",
        "width": 8,
        "height": 6,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    return db.ImageInfo(**true | wrong)


def picture(data: bytes, **wrong: Any) -> db.Picture:
    return db.Picture(image=image(data, **wrong), seed=7, model="emoji")


def chunks(data: bytes, size: int = CHUNK) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def store_parts(lease: Lease, data: bytes, **wrong: Any) -> Iterator[db.StorePhotoRequest]:
    yield db.StorePhotoRequest(
        info=db.StorePhotoRequest.Info(
            generation_id=lease.item.generation.id, fence=lease.fence, image=image(data, **wrong)
        )
    )
    yield from (db.StorePhotoRequest(chunk=chunk) for chunk in chunks(data))


def finalize_info(lease: Lease, **outcome: Any) -> db.FinalizeGenerationRequest.Info:
    return db.FinalizeGenerationRequest.Info(
        generation_id=lease.item.generation.id, fence=lease.fence, **outcome
    )


def finalize_parts(
    info: db.FinalizeGenerationRequest.Info, data: bytes = b""
) -> Iterator[db.FinalizeGenerationRequest]:
    yield db.FinalizeGenerationRequest(info=info)
    yield from (db.FinalizeGenerationRequest(chunk=chunk) for chunk in chunks(data))


def folder_of_bytes(settings: DbserviceSettings) -> Path:
    folder = folder_of(settings.blobs)
    assert folder is not None
    return folder


def files(blobs: Path) -> list[str]:
    """Whose bytes are stored: the ids in the names of all files, and drafts whole."""
    names = [path.name for path in blobs.rglob("*") if path.is_file()]
    return sorted(re.sub(r"-\d+-[0-9a-f]{8}$", "", name) for name in names)


async def refusal(call: Awaitable[Any]) -> Refusal:
    """How a call is refused: code, reason and the fields at fault."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = caught.value
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # takes both
    assert status is not None
    info, bad = ErrorInfo(), BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad)
    assert info.domain == "lookalike"
    return error.code(), info.reason, [violation.field for violation in bad.field_violations]
