"""The bot's client: each reason is an exception of its own, and so is what is none of ours."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.clients import dbservice
from bot.clients.dbservice import DatabaseClient, image_info
from bot.clients.errors import (
    BeingForgotten,
    Conflict,
    DatabaseError,
    DatabaseUnavailable,
    InvalidRequest,
    Lapsed,
    LeaseLost,
    ListFull,
    MessageTaken,
    NotFound,
    NotOwner,
    QuotaUsedUp,
    Superseded,
    TooManyUnfinished,
    TooMuchKept,
    WrongToken,
)
from dbservice.errors import Reason, ServiceError
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.transactions import users
from lookalike.blobs.local import LocalBlobs
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CAPTION, CHAT, TOKEN, USER, Lease
from tests.dbservice.conftest import Clock

UNKNOWN = "00000000-0000-4000-8000-000000000000"
STATUS = db.GetStatusRequest(bot_id=BOT, chat_id=CHAT, user_id=USER)

EXPECTED: dict[Reason, type[DatabaseError]] = {
    Reason.INVALID_ARGUMENT: InvalidRequest,
    Reason.UNAUTHENTICATED: WrongToken,
    Reason.NOT_FOUND: NotFound,
    Reason.NOT_OWNER: NotOwner,
    Reason.LEASE_LOST: LeaseLost,
    Reason.SUPERSEDED: Superseded,
    Reason.LAPSED: Lapsed,
    Reason.TRANSITION_NOT_ALLOWED: Conflict,
    Reason.NOT_CAPTIONED: Conflict,
    Reason.NOT_CLOSED: Conflict,
    Reason.BEING_FORGOTTEN: BeingForgotten,
    Reason.TOO_MANY_UNFINISHED: TooManyUnfinished,
    Reason.QUOTA_OF_USER: QuotaUsedUp,
    Reason.QUOTA_OF_BOT: QuotaUsedUp,
    Reason.QUOTA_OF_CAPTIONS: QuotaUsedUp,
    Reason.LIST_FULL: ListFull,
    Reason.MESSAGE_TAKEN: MessageTaken,
    Reason.TOO_MUCH_KEPT: TooMuchKept,
    Reason.STORAGE_FULL: DatabaseUnavailable,
    Reason.DISK_FULL: DatabaseUnavailable,
    Reason.STORAGE_UNAVAILABLE: DatabaseUnavailable,
    Reason.INTERNAL: DatabaseError,
}


@pytest.fixture
async def address(settings: DbserviceSettings, clock: Clock) -> AsyncIterator[str]:
    async with running(settings, clock) as service:
        yield service.address


@pytest.fixture
async def database(address: str) -> AsyncIterator[DatabaseClient]:
    client = DatabaseClient(address, TOKEN)
    yield client
    await client.disconnect()


async def receive(database: DatabaseClient, message_id: int = 1) -> db.Item:
    request = db.ReceivePhotoRequest(
        bot_id=BOT, chat_id=CHAT, message_id=message_id, user_id=USER, file_id="a-file"
    )
    return (await database.receive_photo(request)).item


async def leased(database: DatabaseClient) -> Lease:
    await receive(database)
    request = db.LeaseGenerationsRequest(bot_id=BOT, holder="here")
    (lease,) = (await database.lease_generations(request)).leases
    return lease


async def stored(database: DatabaseClient, lease: Lease, data: bytes) -> db.Item:
    info = db.StorePhotoRequest.Info(
        generation_id=lease.item.generation.id,
        fence=lease.fence,
        image=image_info(data, "image/jpeg", 8, 6),
    )
    return await database.store_photo(info, data)


def advance(
    lease: Lease, source: db.GenerationState, target: db.GenerationState
) -> db.AdvanceGenerationRequest:
    return db.AdvanceGenerationRequest(
        generation_id=lease.item.generation.id,
        fence=lease.fence,
        from_state=source,
        to_state=target,
        patch=db.GenerationPatch(
            caption=CAPTION if target == db.GENERATION_STATE_CAPTIONED else None
        ),
    )


@pytest.mark.long
@pytest.mark.parametrize("reason", Reason)
async def test_each_reason_is_an_exception(
    database: DatabaseClient, monkeypatch: pytest.MonkeyPatch, reason: Reason
) -> None:
    def refuse(*_args: object) -> None:
        raise ServiceError(reason, "Why.")

    monkeypatch.setattr(users, "status", refuse)
    with pytest.raises(DatabaseError) as caught:
        await database.get_status(STATUS)
    assert type(caught.value) is EXPECTED[reason]
    assert caught.value.reason == reason
    assert str(caught.value) == f"{reason}: Why."


async def test_a_photo_all_the_way(database: DatabaseClient) -> None:
    lease = await leased(database)
    photo, png = os.urandom(600_000), os.urandom(300_000)
    item = await stored(database, lease, photo)
    assert await database.get_image(db.GetImageRequest(photo_id=item.photo.id)) == photo
    here = db.GENERATION_STATE_STORED
    for there in (db.GENERATION_STATE_CAPTIONED, db.GENERATION_STATE_QUEUED):
        item = await database.advance_generation(advance(lease, here, there))
        here = there
    picture = db.Picture(image=image_info(png, "image/png", 8, 6), seed=1, model="emoji")
    info = db.FinalizeGenerationRequest.Info(
        generation_id=item.generation.id, fence=lease.fence, picture=picture
    )
    item = await database.finalize_generation(info, png)
    generation = item.generation
    assert await database.get_image(db.GetImageRequest(generation_id=generation.id)) == png
    await database.advance_generation(
        advance(lease, generation.state, db.GENERATION_STATE_DELIVERED)
    )
    closing = db.CloseGenerationRequest(generation_id=generation.id, fence=lease.fence)
    item = await database.close_generation(closing)
    user: dict[str, Any] = {"bot_id": BOT, "chat_id": CHAT, "user_id": USER}
    history = await database.list_history(db.ListHistoryRequest(**user))
    assert [*history.items] == [item]
    one = db.GetGenerationRequest(**user, generation_id=generation.id)
    assert (await database.get_generation(one)).item == item
    again = db.CreateGenerationRequest(**user, parent_id=generation.id, message_id=9)
    assert (await database.create_generation(again)).created
    cancelled = await database.cancel_generations(db.CancelGenerationsRequest(**user))
    assert cancelled.cancelled_count == 1
    with pytest.raises(Conflict, match="NOT_CLOSED"):
        await database.forget_user(db.ForgetUserRequest(bot_id=BOT, user_id=USER))


async def test_a_lost_lease_is_no_conflict_and_too_many_are_neither(
    database: DatabaseClient, clock: Clock
) -> None:
    lease = await leased(database)
    queued = db.GENERATION_STATE_QUEUED
    with pytest.raises(Conflict):
        await database.advance_generation(advance(lease, queued, queued))
    await stored(database, lease, b"photo")
    captioning = advance(lease, db.GENERATION_STATE_STORED, db.GENERATION_STATE_CAPTIONED)
    parent = (await database.advance_generation(captioning)).generation
    for number in range(2, 11):
        await receive(database, number)
    again = db.CreateGenerationRequest(
        bot_id=BOT, chat_id=CHAT, user_id=USER, parent_id=parent.id, message_id=9
    )
    with pytest.raises(TooManyUnfinished):
        await database.create_generation(again)
    clock.pass_seconds(30)
    with pytest.raises(LeaseLost):
        await database.advance_generation(advance(lease, queued, queued))


async def test_an_image_is_no_longer_than_it_is_said_to_be(
    database: DatabaseClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await stored(database, await leased(database), b"a photo")
    hung_up = asyncio.Event()

    async def endless(_blobs: LocalBlobs, _key: str) -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(1000)
        finally:
            hung_up.set()

    monkeypatch.setattr(LocalBlobs, "open", endless)
    async with asyncio.timeout(10):
        with pytest.raises(DatabaseError, match="checksum"):
            await database.get_image(db.GetImageRequest(photo_id=item.photo.id))
        await hung_up.wait()


async def test_what_is_not_there_or_anothers(database: DatabaseClient) -> None:
    item = await receive(database)
    with pytest.raises(NotFound):
        await database.get_image(db.GetImageRequest(photo_id=UNKNOWN))
    request = db.GetGenerationRequest(
        bot_id=BOT, chat_id=CHAT, user_id=7, generation_id=item.generation.id
    )
    with pytest.raises(NotOwner):
        await database.get_generation(request)


async def test_a_message_that_is_too_large_is_not_unavailable(
    database: DatabaseClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = await leased(database)
    monkeypatch.setattr(dbservice, "_CHUNK", 5 * 1024 * 1024)
    with pytest.raises(DatabaseError, match="RESOURCE_EXHAUSTED") as caught:
        await stored(database, lease, bytes(5_000_000))
    assert type(caught.value) is DatabaseError
    assert caught.value.reason == ""


async def test_a_service_that_is_away_or_busy_is_unavailable(
    database: DatabaseClient, settings: DbserviceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = DatabaseClient("127.0.0.1:1", TOKEN)
    with pytest.raises(DatabaseUnavailable, match="UNAVAILABLE"):
        await nobody.get_status(STATUS)
    await nobody.disconnect()
    await database.get_status(STATUS)
    monkeypatch.setattr(dbservice, "_DEADLINE", 0.1)
    other = sqlite3.connect(settings.database.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable, match="DEADLINE_EXCEEDED") as caught:
        await database.get_status(STATUS)
    assert caught.value.reason == ""
    other.execute("ROLLBACK")
    other.close()


async def test_a_wrong_token_is_told_apart(address: str) -> None:
    stranger = DatabaseClient(address, "wrong")
    with pytest.raises(WrongToken):
        await stranger.get_status(STATUS)
    with pytest.raises(WrongToken):
        await stranger.get_image(db.GetImageRequest(photo_id=UNKNOWN))
    await stranger.disconnect()
