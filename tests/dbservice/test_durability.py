"""kill -9 at any moment: what was acknowledged is there, and nothing is there by half."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from dbservice.blobs import Blobs
from dbservice.errors import Reason, ServiceError
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import CHUNK, USER, Client, Lease, add_parts, files, image, refusal
from tests.dbservice.process import running_process


async def test_kill_9_in_the_middle_of_uploads(tmp_path: Path) -> None:
    acknowledged: dict[str, bytes] = {}
    half_way = asyncio.Event()
    many = asyncio.Event()

    async def upload(client: Client, lease: Lease) -> None:
        data = os.urandom(CHUNK * 2)
        item = await client.add(lease, data)
        acknowledged[item.photo.id] = data
        if len(acknowledged) == 5:
            many.set()

    async with running_process(tmp_path) as service, service.client() as client:
        leases = [await client.leased(number, user=number) for number in range(1, 31)]

        async def half() -> AsyncIterator[db.StorePhotoRequest]:
            for part in [*add_parts(leases[0], os.urandom(CHUNK * 4))][:-1]:
                yield part
            half_way.set()
            await asyncio.Event().wait()

        broken = client.stub.StorePhoto(half(), metadata=client.metadata, timeout=20)
        uploads = [asyncio.create_task(upload(client, lease)) for lease in leases[1:]]
        await half_way.wait()
        await many.wait()
        service.process.kill()
        with pytest.raises(grpc.aio.AioRpcError):
            await broken
        await asyncio.gather(*uploads, return_exceptions=True)

    async with running_process(tmp_path) as service, service.client() as client:
        assert not [*(tmp_path / "dbservice" / "blobs" / "drafts").iterdir()]
        again = await client.lease(starting=True)
        assert len(again) == 30
        assert again[0].item.generation.state == db.GENERATION_STATE_RECEIVED
        for lease in again:
            photo = lease.item.photo
            if lease.item.generation.state == db.GENERATION_STATE_RECEIVED:
                assert photo.id not in acknowledged
                await client.add(lease, b"again")
            else:
                info, data = await client.image(photo_id=photo.id)
                assert info == photo.image == image(data)
                assert acknowledged.get(photo.id, data) == data
        assert await service.stop() == 0


async def test_bytes_that_a_forgetting_left_behind_go_at_the_next_start(
    settings: DbserviceSettings, monkeypatch: pytest.MonkeyPatch, blobs: Path
) -> None:
    async def away(_self: Blobs, _keys: object) -> None:
        raise ServiceError(Reason.STORAGE_UNAVAILABLE, "The disk is away.")

    async with running(settings) as service, grpc.aio.insecure_channel(service.address) as channel:
        client = Client(channel)
        lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=USER)
        await client.close(lease)
        with monkeypatch.context() as patch:
            patch.setattr(Blobs, "remove", away)
            code, reason, _ = await refusal(client.forget())
        assert (code, reason) == (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE")
        assert (await client.history()).items == []
        assert files(blobs) == sorted([lease.item.photo.id, lease.item.generation.id])
    async with running(settings):
        assert files(blobs) == []


async def test_all_is_there_after_a_restart(settings: DbserviceSettings) -> None:
    async with running(settings) as service, grpc.aio.insecure_channel(service.address) as channel:
        client = Client(channel)
        lease = await client.to_state(db.GENERATION_STATE_FINISHED, message_id=USER)
        (before,) = await client.status()
    async with running(settings) as service, grpc.aio.insecure_channel(service.address) as channel:
        client = Client(channel)
        assert await client.status() == [before]
        assert (await client.image(generation_id=before.generation.id))[1] == b"a picture"
        assert (await client.lease("elsewhere")) == []
        await client.advance(lease, db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED)
