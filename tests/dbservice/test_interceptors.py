"""What is around every RPC: each request is validated, each call is announced."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from dbservice.observers import LogObserver, Observer, RpcDone
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.transactions import photos
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import CHUNK, Client, image, refusal, store_parts
from tests.dbservice.conftest import Clock

SERVICE = db.DESCRIPTOR.services_by_name["DatabaseService"]
RPCS = {method.name: method for method in SERVICE.methods}


class Calls(Observer):
    """Remembers what was announced."""

    def __init__(self) -> None:
        self.done: asyncio.Queue[RpcDone] = asyncio.Queue()

    def rpc_done(self, call: RpcDone) -> None:
        self.done.put_nowait(call)

    async def next(self) -> RpcDone:
        return await asyncio.wait_for(self.done.get(), 10)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def channel(
    settings: DbserviceSettings, clock: Clock, calls: Calls
) -> AsyncIterator[grpc.aio.Channel]:
    async with (
        running(settings, clock, (LogObserver(), calls)) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        yield channel


async def call(client: Client, method: MethodDescriptor, request: Any) -> None:
    """Calls any RPC with one request, and reads all that it answers."""
    rpc = getattr(client.stub, method.name)
    requests = iter([request]) if method.client_streaming else request
    if method.server_streaming:
        async for _ in rpc(requests, metadata=client.metadata, timeout=20):
            pass
    else:
        await rpc(requests, metadata=client.metadata, timeout=20)


@pytest.mark.parametrize("name", RPCS)
async def test_every_rpc_is_validated_and_announced(
    client: Client, calls: Calls, name: str
) -> None:
    method = RPCS[name]
    request: Any = GetMessageClass(method.input_type)()
    if method.client_streaming:
        request.info.SetInParent()
    code, reason, fields = await refusal(call(client, method, request))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    assert fields
    done = await calls.next()
    assert (done.method, done.code) == (name, code)
    assert done.error is not None
    assert done.error.reason == reason
    assert [field for field, _ in done.error.violations] == fields


@pytest.mark.parametrize("name", RPCS)
async def test_every_rpc_needs_the_token_and_is_announced_without_it(
    channel: grpc.aio.Channel, calls: Calls, name: str
) -> None:
    method = RPCS[name]
    request = GetMessageClass(method.input_type)()
    answer = await refusal(call(Client(channel, "wrong"), method, request))
    assert answer == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", [])
    done = await calls.next()
    assert (done.method, done.code, done.received) == (name, answer[0], 0)


async def test_what_is_announced_of_calls_that_succeed(client: Client, calls: Calls) -> None:
    lease = await client.leased()
    data = bytes(3 * CHUNK)
    stored = await client.store(lease, data)
    await client.image(photo_id=stored.photo.id)
    done = {call.method: call for call in [await calls.next() for _ in range(4)]}
    assert [*done] == ["ReceivePhoto", "LeaseGenerations", "StorePhoto", "GetImage"]
    for one in done.values():
        assert one.code == grpc.StatusCode.OK
        assert one.error is None
        assert 0 < one.seconds < 10
    upload, download = done["StorePhoto"], done["GetImage"]
    assert upload.received == sum(part.ByteSize() for part in store_parts(lease, data))
    assert upload.sent == db.StorePhotoResponse(item=stored).ByteSize()
    assert download.received == db.GetImageRequest(photo_id=stored.photo.id).ByteSize()
    assert download.sent > len(data) + image(data).ByteSize()


async def test_bytes_that_are_no_message_are_the_callers_mistake(
    channel: grpc.aio.Channel, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    method = f"/{SERVICE.full_name}/GetStatus"
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    answer = await refusal(call(b"\xff" * 8, metadata=client.metadata, timeout=5))
    assert answer == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", ["request"])
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_each_message_of_a_stream_is_checked_as_it_comes(
    client: Client, calls: Calls
) -> None:
    lease = await client.leased()
    info, chunk = store_parts(lease, b"photo")
    endless = asyncio.Event()

    async def parts() -> AsyncIterator[db.StorePhotoRequest]:
        yield info
        yield db.StorePhotoRequest(chunk=b"")
        await endless.wait()
        yield chunk

    stream = client.stub.StorePhoto(parts(), metadata=client.metadata, timeout=20)
    assert (await refusal(stream))[2] == ["chunk"]
    assert [(await calls.next()).method for _ in range(3)][-1] == "StorePhoto"


async def test_calls_that_are_given_up_are_announced(
    client: Client,
    calls: Calls,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    original, go_on = photos.store, threading.Event()
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def slowly(*arguments: Any) -> Any:
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(10)
        return original(*arguments)

    lease = await client.leased()
    parts = store_parts(lease, bytes(20 * 1024 * 1024))
    with monkeypatch.context() as patch:
        patch.setattr(photos, "store", slowly)
        upload = client.stub.StorePhoto(parts, metadata=client.metadata, timeout=20)
        await begun.wait()
        upload.cancel()
        *_, last = [await calls.next() for _ in range(3)]
        assert (last.method, last.code) == ("StorePhoto", grpc.StatusCode.CANCELLED)
        go_on.set()
    (item,) = await client.status()  # a transaction goes to its end all the same
    assert item.generation.state == db.GENERATION_STATE_STORED
    request = db.GetImageRequest(photo_id=item.photo.id)
    download = client.stub.GetImage(request, metadata=client.metadata, timeout=20)
    await download.read()
    download.cancel()
    *_, last = [await calls.next() for _ in range(2)]
    assert (last.method, last.code) == ("GetImage", grpc.StatusCode.CANCELLED)
    assert last.error is None
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_callers_who_leave_in_the_middle_of_an_answer_are_no_fault(
    client: Client, calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    item = await client.store(await client.leased(), bytes(20 * 1024 * 1024))
    request = db.GetImageRequest(photo_id=item.photo.id)

    async def leave(number: int) -> None:
        download = client.stub.GetImage(request, metadata=client.metadata, timeout=20)
        await download.read()
        await asyncio.sleep(number * 0.0007)  # in the middle of whatever goes on
        download.cancel()

    for _ in range(10):
        await asyncio.gather(*map(leave, range(30)))
    ended = [await calls.next() for _ in range(3 + 300)][3:]
    assert {call.method for call in ended} == {"GetImage"}
    assert not [call.error for call in ended if call.error is not None]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_what_the_log_says_of_a_fault_is_nobodys_business_but_the_operators(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: object) -> None:
        raise OSError(5, "a detail of the disk")

    monkeypatch.setattr(photos, "receive", fail)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await client.receive()
    assert "detail" not in str(error.value.details())
    (record,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
    assert record.message.startswith("ReceivePhoto: ")
    assert "a detail of the disk" in record.message
    assert record.exc_info is None


async def test_what_is_the_callers_own_doing_is_not_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    await refusal(client.receive(-1))
    await refusal(client.cancel("00000000-0000-4000-8000-000000000000"))
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
