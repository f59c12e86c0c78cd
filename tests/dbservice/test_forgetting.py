"""Somebody asks to be forgotten: nothing of theirs is there at once, and it is gone in the end."""

import re
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.transactions import forgetting
from lookalike.errors import StartError
from lookalike.sqlite import path_of
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CHAT, USER, Client, Refusal, files, folder_of_bytes, refusal
from tests.dbservice.conftest import Clock
from tests.dbservice.test_migrations import old_home

pytestmark = pytest.mark.each_database

PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
GONE: Refusal = (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", [])
OTHER = 43

UNFINISHED = (
    db.GENERATION_STATE_RECEIVED,
    db.GENERATION_STATE_STORED,
    db.GENERATION_STATE_CAPTIONED,
    db.GENERATION_STATE_QUEUED,
    db.GENERATION_STATE_RUNNING,
    db.GENERATION_STATE_FINISHED,
    db.GENERATION_STATE_FAILED,
    db.GENERATION_STATE_REFUSED,
    db.GENERATION_STATE_CANCELLED,
)


@pytest.mark.parametrize("state", UNFINISHED)
async def test_whatever_is_under_way_is_given_up_and_nobody_is_told(
    client: Client, state: db.GenerationState
) -> None:
    lease = await client.to_state(state, USER)
    assert await client.ask_to_forget()
    assert [each.unfinished for each in await client.forgettings()] == [True]
    (again,) = await client.lease()
    assert again.item.generation.state == db.GENERATION_STATE_UNDELIVERABLE
    assert await refusal(client.forget()) == (PRECONDITION, "NOT_CLOSED", [])
    assert await refusal(client.store(lease, b"another")) == (
        PRECONDITION,
        "TRANSITION_NOT_ALLOWED",
        [],
    )
    await client.close(again)
    assert [each.unfinished for each in await client.forgettings()] == [False]


async def test_a_delivered_one_is_only_tidied_up(client: Client) -> None:
    await client.to_state(db.GENERATION_STATE_DELIVERED, USER)
    await client.ask_to_forget()
    (lease,) = await client.lease()
    assert lease.item.generation.state == db.GENERATION_STATE_DELIVERED


async def test_nothing_can_be_read_or_begun_meanwhile(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED, USER)
    await client.close(lease)
    key, photo = lease.item.generation.id, lease.item.photo.id
    await client.settings(db.DIAL_TWIN)
    await client.ask_to_forget()
    assert await client.status() == []
    assert not (await client.history()).items
    reads: list[Callable[[], Awaitable[Any]]] = [
        lambda: client.get(generation_id=key),
        lambda: client.get(message_id=USER),
        lambda: client.image(generation_id=key),
        lambda: client.image(photo_id=photo),
        lambda: client.image(photo_id=photo, user_id=USER),
        lambda: client.star(key),
        lambda: client.delete(key),
        lambda: client.cancel(key),
        lambda: client.note(key, 77, db.MESSAGE_KIND_PICTURE),
    ]
    for read in reads:
        assert await refusal(read()) == GONE
    writes: list[Callable[[], Awaitable[Any]]] = [
        lambda: client.receive(USER),
        lambda: client.receive(2),
        lambda: client.create(key),
        lambda: client.press(key, "1"),
        client.create,
        lambda: client.settings(db.DIAL_COUSIN),
    ]
    for write in writes:
        assert await refusal(write()) == (PRECONDITION, "BEING_FORGOTTEN", [])
    assert (await client.receive(3, user=OTHER)).created


async def test_no_album_gets_around_it(client: Client) -> None:
    await client.receive(1, media_group_id="a")
    await client.ask_to_forget()
    late = client.receive(2, media_group_id="a")
    assert await refusal(late) == (PRECONDITION, "BEING_FORGOTTEN", [])


@pytest.mark.sqlite
async def test_in_the_end_nothing_is_left_and_they_may_begin_anew(
    client: Client, settings: DbserviceSettings, blobs: Path
) -> None:
    theirs = await client.to_state(db.GENERATION_STATE_DELIVERED, USER)
    await client.close(theirs)
    other = await client.to_state(db.GENERATION_STATE_DELIVERED, OTHER)
    await client.close(other)
    await client.settings(db.DIAL_TWIN)
    copy = path_of(settings.database).with_name("rows.db.version-0009")
    copy.write_bytes(path_of(settings.database).read_bytes())
    damaged = copy.with_name("rows.db.version-0008")
    damaged.write_bytes(b"what a failing disk has left of one")
    await client.ask_to_forget()
    assert await refusal(client.end_forgetting()) == (PRECONDITION, "NOT_CLOSED", [])
    assert (await client.forget()).photos == 1
    await client.end_forgetting()
    await client.end_forgetting()
    assert await client.forgettings() == []
    assert not damaged.exists()
    assert len(files(blobs)) == 2
    for database in (path_of(settings.database), copy):
        data = database.read_bytes()
        for trace in (theirs.item.photo.id, theirs.item.generation.id, f"file-{USER}"):
            assert trace.encode() not in data
        assert f"file-{OTHER}".encode() in data
    assert (await client.receive(USER)).created
    assert await client.settings() == db.DIAL_UNSPECIFIED
    assert len(await client.status()) == 1


async def test_a_question_is_answered_once(client: Client) -> None:
    """Telegram sends a press again that was not confirmed, and people press twice."""
    assert await client.ask_to_forget()
    assert await client.ask_to_forget()
    assert not await client.ask_to_forget(message=901)  # the first one will say how it ended
    (pending,) = await client.forgettings()
    assert (pending.user_id, pending.chat_id, pending.message_id) == (USER, CHAT, 900)
    await client.forget()
    await client.end_forgetting()
    await client.receive(1)
    assert not await client.ask_to_forget()
    assert len(await client.status()) == 1
    assert await client.ask_to_forget(message=902)
    assert await client.status() == []


async def test_the_end_is_told_in_the_language_that_was_chosen(client: Client) -> None:
    chosen = db.UserSettings(language="lt")
    request = db.ChangeSettingsRequest(bot_id=BOT, user_id=USER, settings=chosen)
    await client.call(client.stub.ChangeSettings, request)
    await client.ask_to_forget()
    assert [each.language_code for each in await client.forgettings()] == ["lt"]


async def test_all_that_the_generator_may_have_is_said_by_pages(
    client: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "_PAGE", 2)
    photos = []
    for message in range(1, 6):
        lease = await client.leased(message)
        photos.append((await client.store(lease, f"photo {message}".encode())).photo.image.sha256)
        if message % 2:  # the first two are at the same time, and so are the next
            clock.pass_seconds(1)
        await client.cancel(lease.item.generation.id)
        await client.close(lease)
        if message != 3:
            asked: dict[str, Any] = {"recipe": db.Recipe(dial=db.DIAL_TWIN), "caption": "a cat"}
            await client.create(lease.item.generation.id, 500 + message, **asked)
    await client.ask_to_forget()
    for each in await client.lease():
        await client.close(each)
    found: list[str] = []
    page = await client.uploads()
    found += page.image_sha256
    while page.cursor:
        page = await client.uploads(page.cursor)
        found += page.image_sha256
    assert sorted(found) == sorted({*photos} - {photos[2]})
    assert not (await client.uploads(user=OTHER)).image_sha256


@pytest.mark.sqlite
async def test_an_older_database_is_put_in_place_by_hand(
    settings: DbserviceSettings, clock: Clock
) -> None:
    path = path_of(settings.database)

    async def served(what: Callable[[Client], Awaitable[None]]) -> None:
        async with (
            running(settings, clock, ()) as service,
            grpc.aio.insecure_channel(service.address) as channel,
        ):
            await what(Client(channel))
        clock.pass_seconds(60)

    async def fill(client: Client) -> None:
        for user in (USER, OTHER):
            await client.close(await client.to_state(db.GENERATION_STATE_DELIVERED, user))
        await client.settings(db.DIAL_TWIN)

    async def look(client: Client) -> None:
        assert not (await client.history()).items
        assert await client.settings() == db.DIAL_UNSPECIFIED
        assert len(files(folder_of_bytes(settings))) == 2

    await served(fill)
    older = path.read_bytes()
    await served(lambda client: client.forgotten())
    path.write_bytes(older)
    await served(look)
    assert f"file-{USER}".encode() not in path.read_bytes()
    assert f"file-{OTHER}".encode() in path.read_bytes()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM tombstones").fetchone() == (1,)
        assert connection.execute("SELECT bytes FROM kept_of_users").fetchall() == [(16,)]
    connection.close()


@pytest.mark.sqlite
async def test_a_copy_of_the_first_version_forgets_them_too(
    settings: DbserviceSettings,
) -> None:
    old_home(settings)
    copy = path_of(settings.database).with_name("rows.db.version-0001")
    async with (
        running(settings, observers=()) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        assert b"a-file" in copy.read_bytes()
        await Client(channel).forgotten()
    assert b"a-file" not in copy.read_bytes()


async def test_without_its_key_nobody_serves(settings: DbserviceSettings, clock: Clock) -> None:
    home = settings.lookalike_home
    async with (
        running(settings, clock, ()) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        await Client(channel).forgotten()
    key = home / "forgotten-key"
    assert {path.stat().st_mode & 0o777 for path in (key, home / "forgotten")} == {0o600}
    assert not re.search(rf"\b{USER}\b", (home / "forgotten").read_text())
    key.unlink()
    with pytest.raises(StartError, match="forgotten-key"):
        async with running(settings, clock, ()):
            pass
