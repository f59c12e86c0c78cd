"""kill -9 at any moment: what was acknowledged is there, and nothing is there by half."""

import asyncio
import errno
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from dbservice import maintenance
from dbservice.observers import LogObserver, Observer, SweepDone
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.transactions import photos
from lookalike.blobs.local import LocalBlobs
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import (
    CHUNK,
    USER,
    Client,
    Lease,
    files,
    image,
    refusal,
    store_parts,
)
from tests.dbservice.conftest import Clock, process
from tests.waiting import until


@pytest.mark.long
@pytest.mark.slow
async def test_kill_9_in_the_middle_of_uploads(tmp_path: Path) -> None:
    acknowledged: dict[str, bytes] = {}
    half_way = asyncio.Event()
    many = asyncio.Event()

    async def upload(client: Client, lease: Lease) -> None:
        data = os.urandom(CHUNK * 2)
        item = await client.store(lease, data)
        acknowledged[item.photo.id] = data
        if len(acknowledged) == 5:
            many.set()

    async with process(tmp_path, []) as (service, client):
        leases = [await client.leased(number, user=number) for number in range(1, 31)]

        async def half() -> AsyncIterator[db.StorePhotoRequest]:
            for part in [*store_parts(leases[0], os.urandom(CHUNK * 4))][:-1]:
                yield part
            half_way.set()
            await asyncio.Event().wait()

        broken = client.stub.StorePhoto(half(), metadata=client.metadata, timeout=20)
        uploads = [asyncio.create_task(upload(client, lease)) for lease in leases[1:]]
        await half_way.wait()
        await many.wait()
        service.kill()
        with pytest.raises(grpc.aio.AioRpcError):
            await broken
        await asyncio.gather(*uploads, return_exceptions=True)

    drafts = tmp_path / "dbservice" / "blobs" / "drafts"
    for draft in drafts.iterdir():
        os.utime(draft, (0, 0))
    async with process(tmp_path, []) as (service, client):
        assert not [*drafts.iterdir()]
        await client.begin()
        again = await client.lease("another")
        assert len(again) == 30
        assert again[0].item.generation.state == db.GENERATION_STATE_RECEIVED
        for lease in again:
            photo = lease.item.photo
            if lease.item.generation.state == db.GENERATION_STATE_RECEIVED:
                assert photo.id not in acknowledged
                await client.store(lease, b"again")
            else:
                info, data = await client.image(photo_id=photo.id)
                assert info == photo.image == image(data)
                assert acknowledged.get(photo.id, data) == data
        assert await asyncio.to_thread(service.stop) == 0


@asynccontextmanager
async def served(
    settings: DbserviceSettings, *observers: Observer, clock: Clock | None = None
) -> AsyncIterator[Client]:
    """A client of a dbservice that runs while the context lasts."""
    async with (
        running(settings, clock or Clock(), observers) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        yield Client(channel)


def age(blobs: Path, seconds: float = 2 * 3600) -> None:
    """Makes all that is stored older."""
    then = time.time() - seconds
    for path in blobs.rglob("*"):
        os.utime(path, (then, then))


class Sweeps(Observer):
    """Remembers the sweeps, and says when there is one."""

    def __init__(self) -> None:
        self.done: asyncio.Queue[SweepDone] = asyncio.Queue()

    def sweep_done(self, sweep: SweepDone) -> None:
        self.done.put_nowait(sweep)


async def away(_self: LocalBlobs, _keys: object) -> None:
    raise OSError(errno.EIO, "The disk is away.")


async def test_bytes_that_a_forgetting_left_behind_go_at_the_next_start(
    settings: DbserviceSettings, monkeypatch: pytest.MonkeyPatch, blobs: Path
) -> None:
    async with served(settings) as client:
        lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=USER)
        await client.close(lease)
        with monkeypatch.context() as patch:
            patch.setattr(LocalBlobs, "delete", away)
            code, reason, _ = await refusal(client.forget())
        assert (code, reason) == (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE")
        assert (await client.history()).items == []
        assert files(blobs) == [lease.item.generation.id] * 2
    async with served(settings):
        await until(lambda: not files(blobs))


async def test_bytes_of_a_forgotten_user_go_though_the_service_died_in_between(
    settings: DbserviceSettings, monkeypatch: pytest.MonkeyPatch, blobs: Path
) -> None:
    committed = asyncio.Event()

    async def never(_self: LocalBlobs, _keys: object) -> None:
        committed.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        async with served(settings) as client:
            lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=USER)
            await client.close(lease)
            patch.setattr(LocalBlobs, "delete", never)
            call = asyncio.create_task(client.forget())
            await committed.wait()
        await asyncio.wait({call})
    assert len(files(blobs)) == 2
    async with served(settings) as client:
        await until(lambda: not files(blobs))
        assert (await client.history()).items == []


async def test_bytes_are_in_place_before_their_row_names_them(
    settings: DbserviceSettings, monkeypatch: pytest.MonkeyPatch, blobs: Path
) -> None:
    original = photos.store
    found: list[bool] = []

    def look(*arguments: Any) -> Any:
        found.append((blobs / arguments[-1]).is_file())
        return original(*arguments)

    monkeypatch.setattr(photos, "store", look)
    async with served(settings) as client:
        await client.store(await client.leased())
    assert found == [True]


@pytest.mark.parametrize("same_bytes", [True, False])
async def test_of_two_holders_that_store_the_first_one_leaves_nothing(
    settings: DbserviceSettings, clock: Clock, blobs: Path, *, same_bytes: bool
) -> None:
    async with served(settings, clock=clock) as client:
        old = await client.leased()
        half_way, go_on = asyncio.Event(), asyncio.Event()

        async def slowly() -> AsyncIterator[db.StorePhotoRequest]:
            info, chunk = store_parts(old, b"a photo")
            yield info
            half_way.set()
            await go_on.wait()
            yield chunk

        losing = asyncio.create_task(
            refusal(client.stub.StorePhoto(slowly(), metadata=client.metadata, timeout=20))
        )
        await half_way.wait()
        clock.pass_seconds(30)
        (new,) = await client.lease("elsewhere")
        data = b"a photo" if same_bytes else b"another"
        item = await client.store(new, data)
        go_on.set()
        assert await losing == (grpc.StatusCode.FAILED_PRECONDITION, "LEASE_LOST", [])
        assert files(blobs) == [item.generation.id]
        assert (await client.image(photo_id=item.photo.id))[1] == data
        assert await client.store(new, data) == item
        assert files(blobs) == [item.generation.id]


async def store_without_a_row(
    client: Client, monkeypatch: pytest.MonkeyPatch, message_id: int = 1
) -> Lease:
    """Dies, as far as bytes and rows can tell, between the storing and the transaction."""

    def die(*_args: object) -> None:
        raise RuntimeError

    lease = await client.leased(message_id)
    with monkeypatch.context() as patch:
        patch.setattr(photos, "store", die)
        code, _, _ = await refusal(client.store(lease))
    assert code == grpc.StatusCode.INTERNAL
    return lease


async def test_what_a_crash_left_is_swept_at_the_next_start_once_it_is_old(
    settings: DbserviceSettings, monkeypatch: pytest.MonkeyPatch, blobs: Path
) -> None:
    sweeps = Sweeps()
    async with served(settings) as client:
        lease = await store_without_a_row(client, monkeypatch)
        await client.store(lease)
        assert len(files(blobs)) == 2
    async with served(settings, sweeps):
        assert (await sweeps.done.get()).unnamed == 0  # too young to tell
        assert len(files(blobs)) == 2
    age(blobs)
    stranger = blobs / "holiday.jpg"
    stranger.write_bytes(b"not ours")
    age(blobs)
    async with served(settings, sweeps) as client:
        sweep = await sweeps.done.get()
        assert (sweep.named, sweep.unnamed, sweep.deleted) == (1, 1, True)
        assert files(blobs) == sorted([lease.item.generation.id, stranger.name])
        assert (await client.image(photo_id=lease.item.photo.id))[1] == b"a photo"


async def test_it_is_swept_while_the_service_runs(
    settings: DbserviceSettings, monkeypatch: pytest.MonkeyPatch, blobs: Path
) -> None:
    monkeypatch.setattr(maintenance, "_PERIOD", 0.01)
    sweeps = Sweeps()
    async with served(settings, sweeps) as client:
        lease = await store_without_a_row(client, monkeypatch)
        await client.store(lease)
        age(blobs)
        await until(lambda: len(files(blobs)) == 1)
        while not (await sweeps.done.get()).unnamed:
            pass


async def test_nothing_is_swept_by_the_wrong_database(
    settings: DbserviceSettings, blobs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(settings) as client:
        await client.to_state(db.GENERATION_STATE_FINISHED)
    age(blobs)
    sweeps = Sweeps()
    wrong = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/wrong.db"})
    async with served(wrong, LogObserver(), sweeps):
        sweep = await sweeps.done.get()
    assert (sweep.named, sweep.unnamed, sweep.deleted) == (0, 2, False)
    assert len(files(blobs)) == 2
    (warning,) = (record for record in caplog.records if record.levelno == logging.WARNING)
    assert "is it the right database?" in warning.message


async def test_a_sweep_that_fails_is_logged_and_the_service_goes_on(
    settings: DbserviceSettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreadable(_self: LocalBlobs, _older_than: float) -> AsyncIterator[str]:
        raise OSError(errno.EIO, "The disk is away.")

    monkeypatch.setattr(LocalBlobs, "list", unreadable)
    async with served(settings, LogObserver()) as client:
        await until(lambda: any("maintenance" in record.message for record in caplog.records))
        await client.receive()


async def test_calls_given_up_at_any_moment_leave_the_service_whole(
    settings: DbserviceSettings, blobs: Path
) -> None:
    async def give_up(client: Client, lease: Lease, seconds: float) -> None:
        data = os.urandom(CHUNK)
        call = client.stub.StorePhoto(
            store_parts(lease, data), metadata=client.metadata, timeout=20
        )
        await asyncio.sleep(seconds)
        call.cancel()

    async with served(settings) as client:
        leases = [await client.leased(n, user=n) for n in range(1, 31)]
        await asyncio.gather(*(give_up(client, lease, n / 1000) for n, lease in enumerate(leases)))
        await until(lambda: not any((blobs / "drafts").iterdir()))
        stored = 0
        for lease in await client.lease():
            photo = lease.item.photo
            if lease.item.generation.state == db.GENERATION_STATE_STORED:
                info, data = await client.image(photo_id=photo.id)
                assert info == image(data)
                stored += 1
            else:
                await client.store(lease)
        assert stored <= 30
    age(blobs)
    async with served(settings):  # bytes whose call was given up before their row named them go
        await until(lambda: len(files(blobs)) == 30)


async def test_all_is_there_after_a_restart(settings: DbserviceSettings) -> None:
    async with served(settings) as client:
        lease = await client.to_state(db.GENERATION_STATE_FINISHED, message_id=USER)
        (before,) = await client.status()
    async with served(settings) as client:
        assert await client.status() == [before]
        assert (await client.image(generation_id=before.generation.id))[1] == b"a picture"
        assert (await client.lease("elsewhere")) == []
        await client.advance(lease, db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED)
