import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from pydantic import SecretStr

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.store import MIGRATIONS
from lookalike.errors import StartError
from lookalike.processes import ServiceProcess, clean_environment
from tests import postgresql
from tests.dbservice.client import TOKEN, Client, folder_of_bytes


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def in_vilnius(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's time zone."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "Europe/Vilnius")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def max_unfinished() -> int:
    """Of one user; a test that needs many rows of one has more."""
    return 10


@pytest.fixture(scope="session")
def template(server: postgresql.Server) -> str:
    """A database with dbservice's tables and no rows, which others begin as."""
    return server.migrated(MIGRATIONS)


@pytest.fixture
def settings(tmp_path: Path, max_unfinished: int, database_url: str) -> DbserviceSettings:
    return DbserviceSettings(
        lookalike_home=tmp_path,
        dbservice_listen="127.0.0.1:0",
        service_token=SecretStr(TOKEN),
        database_url=database_url,
        blob_url=f"file://{tmp_path}/blobs",
        user_max_unfinished=max_unfinished,
    )


@pytest.fixture
async def channel(settings: DbserviceSettings, clock: Clock) -> AsyncIterator[grpc.aio.Channel]:
    async with (
        running(settings, clock) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        yield channel


@pytest.fixture
def client(channel: grpc.aio.Channel) -> Client:
    return Client(channel)


@pytest.fixture
def blobs(settings: DbserviceSettings) -> Path:
    return folder_of_bytes(settings)


def launch(home: Path, log: list[str], **settings: str) -> ServiceProcess:
    """dbservice as its users start it: a process. Its log goes to the list."""
    environment = {
        **clean_environment(),
        "LOOKALIKE_HOME": str(home),
        "DBSERVICE_LISTEN": "127.0.0.1:0",
        "SERVICE_TOKEN": TOKEN,
        **settings,
    }
    return ServiceProcess("dbservice", environment, home, log.append)


@asynccontextmanager
async def process(home: Path, log: list[str]) -> AsyncIterator[tuple[ServiceProcess, Client]]:
    """A process that listens, killed at the end if it still runs then."""
    service = launch(home, log)
    try:
        address = await asyncio.to_thread(service.address)
        async with grpc.aio.insecure_channel(address) as channel:
            yield service, Client(channel)
    finally:
        if service.running:
            await asyncio.to_thread(service.kill)


async def failed_start(home: Path, **settings: str) -> tuple[int, list[str]]:
    """The exit code and the log of a process that cannot start."""
    log: list[str] = []
    service = launch(home, log, **settings)
    with pytest.raises(StartError):
        await asyncio.to_thread(service.address)
    return await asyncio.to_thread(service.stop), log
