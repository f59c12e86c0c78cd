"""Whatever bytes come over the wire, the answer is one of the contract: seeded, and many."""

import logging
import random
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_status import rpc_status

from dbservice.status import CODES
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CHAT, USER, Client, Lease, refusal, store_parts

SERVICES = {
    service.full_name: service
    for module in (db, health_pb2, reflection_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
}
METHODS = [
    f"/{service.full_name}/{method.name}"
    for service in SERVICES.values()
    for method in service.methods
]
INVALID = grpc.StatusCode.INVALID_ARGUMENT
ROUNDS = 40


def method_of(path: str) -> Any:
    _, service, name = path.split("/")
    return SERVICES[service].methods_by_name[name]


async def call(client: Client, path: str, *bodies: bytes) -> grpc.aio.AioRpcError | None:
    """Calls any RPC with these bodies as they are; gives its error."""
    method = method_of(path)
    requests = "stream" if method.client_streaming else "unary"
    responses = "stream" if method.server_streaming else "unary"
    rpc = getattr(client.channel, f"{requests}_{responses}")(path)
    sent = iter(bodies) if method.client_streaming else bodies[0]
    try:
        called = rpc(sent, metadata=client.metadata, timeout=20)
        if method.name == "Watch":
            await called.read()  # and it would never end
            called.cancel()
        elif method.server_streaming:
            async for _ in called:
                pass
        else:
            await called
    except grpc.aio.AioRpcError as error:
        return error
    return None


def is_message(path: str, body: bytes) -> bool:
    try:
        GetMessageClass(method_of(path).input_type).FromString(body)
    except DecodeError:
        return False
    return True


def examples(lease: Lease) -> dict[str, list[bytes]]:
    """What is right, to be damaged."""
    who: dict[str, Any] = {"bot_id": BOT, "chat_id": CHAT, "user_id": USER}
    photo, generation = lease.item.photo.id, lease.item.generation.id
    names: dict[str, Any] = {"generation_id": generation, "fence": lease.fence}
    error = db.Error(code="why", message="words")
    one = db.GENERATION_STATE_RECEIVED
    everyone = db.Audience(everyone=True, user_ids=[USER])
    patch = db.GenerationPatch(status_message_id=5, chat_id=-8, error=error, user_notified=True)
    requests: dict[str, list[Any]] = {
        "ReceivePhoto": [db.ReceivePhotoRequest(**who, message_id=2, file_id="f")],
        "StorePhoto": [*store_parts(lease, b"a photo")],
        "AdvanceGeneration": [
            db.AdvanceGenerationRequest(**names, from_state=one, to_state=one, patch=patch)
        ],
        "CreateGeneration": [
            db.CreateGenerationRequest(
                **who, message_id=3, parent_id=generation, button="again", request_id="1"
            ),
            db.CreateGenerationRequest(**who, message_id=4, recipe=db.Recipe(words="a dog")),
        ],
        "BeginEpoch": [
            db.BeginEpochRequest(bot_id=BOT, address="https://x", holder="here", before="there")
        ],
        "ConfirmEpoch": [db.ConfirmEpochRequest(bot_id=BOT, epoch=1, holder="here")],
        "LeaseGenerations": [
            db.LeaseGenerationsRequest(bot_id=BOT, holder="here", limit=3, busy_chat_ids=[CHAT])
        ],
        "Claim": [db.ClaimRequest(bot_id=BOT, holder="here", name="update:1", seconds=60)],
        "FinalizeGeneration": [
            db.FinalizeGenerationRequest(
                info=db.FinalizeGenerationRequest.Info(**names, failed=error)
            )
        ],
        "CloseGeneration": [db.CloseGenerationRequest(**names)],
        "CancelGenerations": [db.CancelGenerationsRequest(**who, generation_id=generation)],
        "GetStatus": [db.GetStatusRequest(**who)],
        "ListHistory": [db.ListHistoryRequest(**who, page_size=3, cursor="o5")],
        "GetGeneration": [db.GetGenerationRequest(**who, generation_id=generation)],
        "NoteMessage": [
            db.NoteMessageRequest(
                **who, generation_id=generation, message_id=9, kind=db.MESSAGE_KIND_QUESTION
            )
        ],
        "DeleteGeneration": [db.DeleteGenerationRequest(**who, generation_id=generation)],
        "StarGeneration": [db.StarGenerationRequest(**who, generation_id=generation, starred=True)],
        "FindPictures": [db.FindPicturesRequest(bot_id=BOT, user_id=USER, words="cat", cursor="f")],
        "GetFamily": [db.GetFamilyRequest(bot_id=BOT, user_id=USER, generation_id=generation)],
        "GetSettings": [db.GetSettingsRequest(bot_id=BOT, user_id=USER)],
        "ChangeSettings": [
            db.ChangeSettingsRequest(
                bot_id=BOT, user_id=USER, settings=db.UserSettings(dial=db.DIAL_TWIN)
            )
        ],
        "MoveChat": [db.MoveChatRequest(bot_id=BOT, from_chat_id=CHAT, to_chat_id=CHAT - 1)],
        "GetImage": [db.GetImageRequest(photo_id=photo, user_id=USER)],
        "ForgetUser": [db.ForgetUserRequest(bot_id=BOT, user_id=USER)],
        "GetAccess": [db.GetAccessRequest(**who)],
        "ClaimBot": [db.ClaimBotRequest(bot_id=BOT, user_id=USER)],
        "CreateInvite": [db.CreateInviteRequest(bot_id=BOT, max_uses=1, lifetime_seconds=60)],
        "ListInvites": [db.ListInvitesRequest(bot_id=BOT)],
        "RevokeInvite": [db.RevokeInviteRequest(bot_id=BOT, id=1)],
        "RedeemInvite": [db.RedeemInviteRequest(bot_id=BOT, user_id=USER, secret="s")],
        "BanUser": [db.BanUserRequest(bot_id=BOT, user_id=USER)],
        "UnbanUser": [db.UnbanUserRequest(bot_id=BOT, user_id=USER)],
        "ListAdmins": [db.ListAdminsRequest(bot_id=BOT, user_ids=[USER])],
        "CountRecipients": [db.CountRecipientsRequest(bot_id=BOT, user_id=USER, audience=everyone)],
        "BeginBroadcast": [
            db.BeginBroadcastRequest(
                bot_id=BOT, user_id=USER, message_id=9, source_message_id=8, language_code="en"
            )
        ],
        "GetBroadcast": [db.GetBroadcastRequest(bot_id=BOT)],
        "AdvanceBroadcast": [
            db.AdvanceBroadcastRequest(
                bot_id=BOT, message_id=9, step=1, unsent=[USER], limit=9, audience=everyone
            )
        ],
        "CancelBroadcast": [db.CancelBroadcastRequest(bot_id=BOT, user_id=USER, message_id=9)],
        "CloseBroadcast": [db.CloseBroadcastRequest(bot_id=BOT, message_id=9)],
        "BeginForgetting": [db.BeginForgettingRequest(**who, message_id=5)],
        "ListForgettings": [db.ListForgettingsRequest(bot_id=BOT)],
        "EndForgetting": [db.EndForgettingRequest(bot_id=BOT, user_id=USER)],
        "ListUploads": [db.ListUploadsRequest(bot_id=BOT, user_id=USER)],
        "BeginExport": [db.BeginExportRequest(bot_id=BOT, user_id=USER, message_id=6)],
        "ListExports": [db.ListExportsRequest(bot_id=BOT)],
        "ReadExport": [db.ReadExportRequest(bot_id=BOT, user_id=USER)],
        "AdvanceExport": [
            db.AdvanceExportRequest(bot_id=BOT, user_id=USER, message_id=6, shown_message_id=7),
            db.AdvanceExportRequest(
                bot_id=BOT,
                user_id=USER,
                message_id=6,
                part=db.AdvanceExportRequest.Part(number=1, cursor="c", last=True),
            ),
        ],
        "EndExport": [db.EndExportRequest(bot_id=BOT, user_id=USER, message_id=6)],
        "CountCaption": [db.CountCaptionRequest(**names)],
        "GetStatistics": [db.GetStatisticsRequest(bot_id=BOT)],
        "Check": [health_pb2.HealthCheckRequest(service="lookalike.db.v1.DatabaseService")],
        "List": [health_pb2.HealthListRequest()],  # type: ignore[attr-defined]  # not in the stubs
        "Watch": [health_pb2.HealthCheckRequest(service="lookalike.db.v1.DatabaseService")],
        "ServerReflectionInfo": [
            reflection_pb2.ServerReflectionRequest(host="h", list_services="x")
        ],
    }
    return {name: [one.SerializeToString() for one in found] for name, found in requests.items()}


def damaged(body: bytes, chance: random.Random) -> bytes:
    """A few bytes are others, more or fewer."""
    found = bytearray(body)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(found) + 1)
        found[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
    return bytes(found)


def bodies(path: str, right: list[bytes], chance: random.Random) -> Iterator[list[bytes]]:
    for _ in range(ROUNDS):
        yield [chance.randbytes(chance.randint(1, 60))]
        yield [damaged(right[0], chance), *right[1:]]
        if method_of(path).client_streaming:
            yield [*right, chance.randbytes(20)]


def details(error: grpc.aio.AioRpcError) -> int:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # takes both
    return len(status.details) if status else 0


@pytest.mark.long
@pytest.mark.parametrize("path", METHODS)
async def test_bytes_of_any_kind_are_answered_as_documented(
    client: Client, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    await client.receive()
    (lease,) = await client.lease()
    name = path.rpartition("/")[2]
    refused = 0
    for seed, sent in enumerate(bodies(path, examples(lease)[name], random.Random(path))):
        error = await call(client, path, *sent)
        if not all(is_message(path, body) for body in sent[:1]):
            assert error is not None
            assert (error.code(), details(error)) == (INVALID, 2), (seed, sent)
            refused += 1
        elif error is not None:
            assert error.code() in CODES.values(), (seed, sent)
            assert error.code() != grpc.StatusCode.INTERNAL, (seed, sent)
            assert details(error), (seed, sent)
    assert refused > ROUNDS / 4
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    await client.receive(99, user=7)  # it serves on


async def test_a_damaged_cursor_is_a_page_or_a_refusal(client: Client) -> None:
    for number in range(1, 8):
        await client.pictured(number)
    cursor = (await client.history(size=2)).older_cursor.encode()
    chance = random.Random(5)
    refusals = []
    for _ in range(200):
        try:
            page = await client.history(damaged(cursor, chance).decode("latin-1"), size=2)
        except grpc.aio.AioRpcError as error:
            refusals.append(error.code())
        else:
            assert len(page.items) <= 2
    assert {*refusals} == {INVALID}
    assert len(refusals) > 100
    for forged in ("o" + "f" * 15, "n0", "o0", "n" + "0" * 15):
        assert len((await client.history(forged, size=2)).items) in {0, 2}
    answer = await refusal(client.history("o" * 10_000))
    assert answer == (INVALID, "INVALID_ARGUMENT", ["cursor"])


def texts(message: Message, prefix: str = "") -> Iterator[tuple[str, Message]]:
    """Every text of a message, by its path, in a message that has it with a NUL in it."""
    for field in message.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING:
            other = type(message)()
            if field.is_repeated:
                getattr(other, field.name).append("a\0b")
            else:
                setattr(other, field.name, "a\0b")
            yield f"{prefix}{field.name}", other
        elif field.type == field.TYPE_MESSAGE:
            inner = GetMessageClass(field.message_type)()  # type: ignore[arg-type]  # it has one
            for path, part in texts(inner, f"{prefix}{field.name}."):
                other = type(message)()
                if field.is_repeated:
                    getattr(other, field.name).append(part)
                else:
                    getattr(other, field.name).CopyFrom(part)
                yield path, other


@pytest.mark.long
@pytest.mark.parametrize("path", [path for path in METHODS if "DatabaseService" in path])
async def test_a_nul_in_any_text_is_refused(client: Client, path: str) -> None:
    """PostgreSQL does not keep one."""
    request = GetMessageClass(method_of(path).input_type)()
    assert await client.receive()
    for field, message in texts(request):
        error = await call(client, path, message.SerializeToString())
        assert error is not None
        status = rpc_status.from_call(error)  # type: ignore[arg-type]  # takes both
        assert status is not None
        assert f"{field} must not contain a NUL character" in status.message
