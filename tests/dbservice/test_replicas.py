"""Several dbservices on one PostgreSQL database, as a bot sees them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest
from pydantic import SecretStr

from bot.clients.dbservice import DatabaseClient
from bot.clients.errors import DatabaseUnavailable
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from protos.lookalike.db.v1 import db_pb2 as db
from tests import postgresql
from tests.dbservice.client import BOT, CHAT, TOKEN, USER, Client
from tests.dbservice.conftest import launch
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.scale]

_PHOTOS = 120


@pytest.fixture
def own_server() -> Iterator[postgresql.Server]:
    """One that a test may stop."""
    with postgresql.running() as server:
        yield server


def receive(number: int, user: int = USER) -> db.ReceivePhotoRequest:
    return db.ReceivePhotoRequest(
        bot_id=BOT, chat_id=CHAT, message_id=number, user_id=user, file_id="f"
    )


@pytest.fixture
async def two(
    server: postgresql.Server, template: str, tmp_path: Path
) -> AsyncIterator[tuple[str, str]]:
    name = server.create(template)
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(2):
            settings = DbserviceSettings(
                lookalike_home=tmp_path,
                dbservice_listen="127.0.0.1:0",
                service_token=SecretStr(TOKEN),
                database_url=server.url(name),
                user_max_unfinished=1000,
            )
            service = await stack.enter_async_context(running(settings))
            found.append(service.address)
        yield found[0], found[1]
    server.drop(name)


async def test_what_one_records_the_other_knows(two: tuple[str, str]) -> None:
    async with AsyncExitStack() as stack:
        here, there = [
            Client(await stack.enter_async_context(grpc.aio.insecure_channel(address)))
            for address in two
        ]
        item = (await here.receive()).item
        (lease,) = await there.lease("a")
        assert lease.item.generation.id == item.generation.id
        assert await here.lease("b") == []
        (again,) = await here.lease("a")
        assert again.fence == lease.fence
        await here.store(lease)
        assert (await there.image(photo_id=item.photo.id))[1] == b"a photo"


async def test_a_killed_one_costs_the_bot_no_call(
    server: postgresql.Server, template: str, tmp_path: Path
) -> None:
    name, log = server.create(template), list[str]()
    settings = {"DATABASE_URL": server.url(name), "USER_MAX_UNFINISHED": "1000"}
    services = [launch(tmp_path, log, **settings) for _ in range(2)]
    client = None
    try:
        addresses = [await asyncio.to_thread(each.address) for each in services]
        client = DatabaseClient(",".join(addresses), TOKEN)
        for number in range(1, _PHOTOS + 1):
            if number == _PHOTOS // 2:
                services[0].kill()
            assert (await client.receive_photo(receive(number))).item.photo.message_id == number
        status = await client.get_status(
            db.GetStatusRequest(bot_id=BOT, chat_id=CHAT, user_id=USER)
        )
        assert status.count == _PHOTOS
    finally:
        if client is not None:
            await client.disconnect()
        for each in services:
            if each.running:
                await asyncio.to_thread(each.kill)
    server.drop(name)


class Load:
    """Photos that come one after the other, each until it is acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: list[tuple[int, int]] = []
        self.unavailable = 0
        self.ended = False

    async def send(self, client: DatabaseClient, user: int) -> None:
        number = 1000 * user
        while not self.ended:
            try:
                await client.receive_photo(receive(number, user))
            except DatabaseUnavailable:
                self.unavailable += 1
                await asyncio.sleep(0.02)
            else:
                self.acknowledged.append((number, user))
                number += 1

    def has_gone_on(self, count: int) -> Callable[[], bool]:
        target = len(self.acknowledged) + count
        return lambda: len(self.acknowledged) >= target


async def test_a_server_that_crashes_under_load_loses_nothing(
    own_server: postgresql.Server, tmp_path: Path
) -> None:
    settings = DbserviceSettings(
        lookalike_home=tmp_path,
        dbservice_listen="127.0.0.1:0",
        service_token=SecretStr(TOKEN),
        database_url=own_server.url(own_server.create()),
        user_max_unfinished=1000,
    )
    load = Load()
    async with running(settings) as service:
        client = DatabaseClient(service.address, TOKEN)
        senders = [asyncio.create_task(load.send(client, user)) for user in range(1, 9)]
        for _ in range(2):
            await until(load.has_gone_on(40))
            await asyncio.to_thread(own_server.crash)
            await asyncio.to_thread(own_server.start)
        await until(load.has_gone_on(40))
        load.ended = True
        await asyncio.gather(*senders)  # anything but "unavailable" is raised here
        assert load.unavailable
        for number, user in load.acknowledged:
            assert not (await client.receive_photo(receive(number, user))).created
        await client.disconnect()
