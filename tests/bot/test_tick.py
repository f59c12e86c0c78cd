"""The tick against a real dbservice: one request when there is nothing to do, one task an item."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from grpc.aio import UnaryUnaryMultiCallable
from pydantic import SecretStr

from bot.captioners.base import Caption
from bot.clients.dbservice import DatabaseClient, image_info
from bot.clients.generator import GeneratorClient
from bot.messenger import Messenger
from bot.pace import EditPace
from bot.refusals import CannotDeliver
from bot.services import Services
from bot.tick import Tick
from bot.work.backoff import Backoff
from bot.work.incarnation import Incarnation
from bot.work.item import WorkItem
from bot.work.leasing import Leasing
from bot.work.memory import Memory
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import lose

BOT = 10001
TOKEN = "the-token-between-the-services"

_Q = TypeVar("_Q")
_A = TypeVar("_A")


class CountingClient(DatabaseClient):
    """The real client, which counts its requests."""

    requests = 0

    async def _call(
        self, method: UnaryUnaryMultiCallable[_Q, _A], request: _Q, deadline: float = 5.0
    ) -> _A:
        self.requests += 1
        return await super()._call(method, request, deadline)


class NoCaptioner:
    name = "offline"

    async def caption(self, image: bytes) -> Caption:
        raise AssertionError(image)

    async def close(self) -> None:
        pass


class ChatOfAnotherKind(Messenger):
    """Takes no message and gives no file; counts how often it was asked."""

    def __init__(self, error: Exception) -> None:
        super().__init__(None, EditPace())  # type: ignore[arg-type] # it is never asked
        self.error = error
        self.asked = 0
        self.replies = 0
        self.reply_error: Exception = CannotDeliver("blocked")
        self.go_on = asyncio.Event()

    async def download(self, file_id: str, most: int) -> bytes:
        del file_id, most
        self.asked += 1
        await self.go_on.wait()
        raise self.error

    async def reply(self, *_args: Any, **_kwargs: Any) -> Any:
        self.asked += 1
        self.replies += 1
        raise self.reply_error


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[CountingClient]:
    settings = DbserviceSettings(
        lookalike_home=tmp_path, dbservice_listen="127.0.0.1:0", service_token=SecretStr(TOKEN)
    )
    async with running(settings) as service:
        client = CountingClient(service.address, TOKEN)
        yield client
        await client.disconnect()


def services(database: DatabaseClient, messenger: Messenger) -> Services:
    return Services(
        database=database,
        generator=GeneratorClient("http://127.0.0.1:1", TOKEN),
        captioner=NoCaptioner(),
        messenger=messenger,
    )


def tick_of(parts: Services) -> Tick:
    incarnation = Incarnation(parts.database, BOT)
    return Tick(parts, Leasing(parts.database, parts.memories, BOT, incarnation))


async def receive(database: DatabaseClient, message_id: int = 1) -> None:
    await database.receive_photo(
        db.ReceivePhotoRequest(
            bot_id=BOT, chat_id=42, message_id=message_id, user_id=42, file_id="a-file"
        )
    )


async def unfinished(database: DatabaseClient) -> list[db.Item]:
    request = db.GetStatusRequest(bot_id=BOT, chat_id=42, user_id=42)
    return list((await database.get_status(request)).items)


async def test_a_tick_with_nothing_to_do_is_one_request(database: CountingClient) -> None:
    tick = tick_of(services(database, ChatOfAnotherKind(RuntimeError())))
    await tick.run()
    before = database.requests  # it was the first one
    await tick.run()
    assert database.requests == before + 1


async def test_an_item_has_one_task_however_many_ticks_find_it(database: CountingClient) -> None:
    messenger = ChatOfAnotherKind(CannotDeliver("blocked"))
    tick = tick_of(services(database, messenger))
    await receive(database)
    for _ in range(3):
        await tick.run()
    messenger.go_on.set()
    await tick.stop()
    assert messenger.asked == 1


async def state(database: DatabaseClient) -> db.GenerationState:
    """Of the photo that `receive` records."""
    request = db.GetGenerationRequest(bot_id=BOT, chat_id=42, user_id=42, message_id=1)
    return (await database.get_generation(request)).item.generation.state


async def test_a_chat_that_takes_no_message_is_given_up_and_closed(
    database: CountingClient,
) -> None:
    messenger = ChatOfAnotherKind(CannotDeliver("blocked"))
    messenger.go_on.set()
    tick = tick_of(services(database, messenger))
    await receive(database)
    while await unfinished(database):
        await tick.run()
    await tick.stop()
    assert await state(database) == db.GENERATION_STATE_UNDELIVERABLE


async def test_errors_of_ours_are_logged_and_end_in_a_failure(
    database: CountingClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.work.backoff._LONGEST_WAIT", 0.0)
    messenger = ChatOfAnotherKind(ZeroDivisionError("a bug"))
    messenger.go_on.set()
    tick = tick_of(services(database, messenger))
    await receive(database)
    while await unfinished(database):
        await tick.run()
    await tick.stop()
    # Failing has to be told, which this chat does not take.
    assert await state(database) == db.GENERATION_STATE_UNDELIVERABLE
    tracebacks = [record for record in caplog.records if record.exc_info]
    assert len(tracebacks) == 5


async def test_errors_while_a_failure_is_told_are_put_off_too(
    database: CountingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.work.backoff._LONGEST_WAIT", 0.0)
    messenger = ChatOfAnotherKind(ZeroDivisionError("a bug"))
    messenger.reply_error = ZeroDivisionError("another bug")
    messenger.go_on.set()
    tick = tick_of(services(database, messenger))
    await receive(database)
    async with asyncio.timeout(20):
        while not messenger.replies:
            await tick.run()
        await tick.stop()
    assert messenger.replies == 1
    (item,) = await unfinished(database)
    assert item.generation.state == db.GENERATION_STATE_FAILED


async def test_a_restarted_bot_takes_over_at_once_and_the_old_one_is_fenced_off(
    database: CountingClient,
) -> None:
    old_messenger = ChatOfAnotherKind(CannotDeliver("blocked"))
    old = tick_of(services(database, old_messenger))
    await receive(database)
    await old.run()  # it hangs in the download

    new_messenger = ChatOfAnotherKind(CannotDeliver("blocked"))
    new = tick_of(services(database, new_messenger))
    await new.run()
    old_messenger.go_on.set()
    await old.stop()
    (item,) = await unfinished(database)
    assert item.generation.state == db.GENERATION_STATE_RECEIVED, "the old one wrote"

    new_messenger.go_on.set()
    while await unfinished(database):
        await new.run()
    await new.stop()


async def test_backoff_has_no_end() -> None:
    """A wrong key over a long weekend is thousands of tries."""
    backoff = Backoff()
    for _ in range(2000):
        backoff.put_off()
    assert 59 < backoff.seconds <= 60


async def test_a_picture_whose_bytes_are_lost_is_told(
    database: CountingClient, tmp_path: Path
) -> None:
    messenger = ChatOfAnotherKind(CannotDeliver("blocked"))
    running_services = services(database, messenger)
    tick = tick_of(running_services)
    await receive(database)
    (lease,) = (
        await database.lease_generations(db.LeaseGenerationsRequest(bot_id=BOT, holder="here"))
    ).leases
    item = WorkItem(database, lease, Memory())
    photo, png = b"a photo", b"a picture"
    await item.store_photo(image_info(photo, "image/jpeg", 60, 60), photo)
    said = db.Caption(text="a cat", captioner="offline", model="m")
    await item.advance(db.GENERATION_STATE_CAPTIONED, caption=said)
    await item.advance(db.GENERATION_STATE_QUEUED)
    picture = db.Picture(image=image_info(png, "image/png", 64, 64), seed=1, model="emoji")
    await item.finalize(item.parts[0], png, picture=picture)
    lose(tmp_path, png)
    while await unfinished(database):
        await tick.run()
    await tick.stop()
    assert messenger.asked == 1, "the ending, which this chat does not take"
