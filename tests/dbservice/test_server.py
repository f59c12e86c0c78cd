"""The server around the RPCs: who may call, health, reflection, start and stop."""

import asyncio
import logging
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from grpc_reflection.v1alpha import reflection_pb2
from pydantic import SecretStr
from sqlalchemy.orm import Session

from dbservice.errors import Reason
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.status import CODES
from dbservice.store import Store
from dbservice.transactions import photos
from lookalike.errors import StartError
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import TOKEN, Client, folder_of_bytes, refusal, store_parts
from tests.dbservice.conftest import failed_start, process

NAME = "lookalike.db.v1.DatabaseService"
UNAUTHENTICATED = (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", list[str]())


def told_of_photo(caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """The one error of a photo's RPC; maintenance may have met with the same."""
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    (record,) = [each for each in errors if each.getMessage().startswith("ReceivePhoto")]
    return record


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x"])
async def test_a_wrong_token_is_refused(channel: grpc.aio.Channel, token: str) -> None:
    stranger = Client(channel, token)
    assert await refusal(stranger.receive()) == UNAUTHENTICATED


@pytest.mark.parametrize("header", [None, TOKEN, f"Basic {TOKEN}", f"bearer{TOKEN}"])
async def test_the_token_comes_as_bearer_or_not_at_all(
    channel: grpc.aio.Channel, header: str | None
) -> None:
    stranger = Client(channel)
    stranger.metadata = () if header is None else (("authorization", header),)
    assert await refusal(stranger.receive()) == UNAUTHENTICATED
    assert await refusal(stranger.image(photo_id="x")) == UNAUTHENTICATED
    call = stranger.send(stranger.stub.StorePhoto, iter([db.StorePhotoRequest(chunk=b"x")]))
    assert await refusal(call) == UNAUTHENTICATED


async def test_reflection_is_for_those_with_the_token(
    channel: grpc.aio.Channel, client: Client
) -> None:
    info: grpc.aio.StreamStreamMultiCallable[
        reflection_pb2.ServerReflectionRequest, reflection_pb2.ServerReflectionResponse
    ] = channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )

    async def names(metadata: tuple[tuple[str, str], ...]) -> list[str]:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        return [
            service.name
            async for response in info(iter([request]), metadata=metadata, timeout=5)
            for service in response.list_services_response.service
        ]

    assert NAME in await names(client.metadata)
    assert await refusal(names(())) == UNAUTHENTICATED


async def test_an_unknown_method_is_unimplemented(
    channel: grpc.aio.Channel, client: Client
) -> None:
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{NAME}/Nothing")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call(b"", metadata=client.metadata, timeout=5)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_a_message_over_the_limit_is_refused(client: Client) -> None:
    lease = await client.leased()
    huge = db.StorePhotoRequest(chunk=bytes(4 * 1024 * 1024 + 1))
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await client.send(client.stub.StorePhoto, iter([next(store_parts(lease, b"photo")), huge]))
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_every_reason_has_its_code() -> None:
    assert set(CODES) == set(Reason)
    assert grpc.StatusCode.UNKNOWN not in CODES.values()


async def test_what_nobody_expected_is_internal_and_tells_no_details(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: object) -> None:
        raise KeyError("a detail")

    monkeypatch.setattr(photos, "receive", fail)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await client.receive()
    assert error.value.code() == grpc.StatusCode.INTERNAL
    assert "detail" not in str(error.value.details())
    record = told_of_photo(caplog)
    assert record.exc_info is not None


@pytest.mark.long
@pytest.mark.slow  # it waits as long as the service does for a lock
async def test_a_locked_database_is_unavailable(
    client: Client, settings: DbserviceSettings, caplog: pytest.LogCaptureFixture
) -> None:
    await client.status()  # by now the maintenance at the start has had its turn
    other = sqlite3.connect(settings.database.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    unavailable = (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE", list[str]())
    assert await refusal(client.receive()) == unavailable
    other.execute("ROLLBACK")
    other.close()
    await client.receive()
    record = told_of_photo(caplog)
    assert record.exc_info is None


async def test_a_damaged_database_is_unavailable(
    client: Client, settings: DbserviceSettings, caplog: pytest.LogCaptureFixture
) -> None:
    await client.receive()
    file = Path(settings.database.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("BEGIN EXCLUSIVE")  # a transaction under way would mend what it has read
        file.write_bytes(b"nonsense" * (file.stat().st_size // 8))
    unavailable = (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE", list[str]())
    assert await refusal(client.receive(2)) == unavailable
    record = told_of_photo(caplog)
    assert record.exc_info is None


@pytest.mark.slow
async def test_a_second_process_on_one_home_is_refused(tmp_path: Path) -> None:
    async with process(tmp_path, []):
        code, log = await failed_start(tmp_path)
    assert code == 75
    assert f"Another process uses {tmp_path / 'dbservice'}" in log[-1]


async def test_a_full_database_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    await client.receive()
    limit = "PRAGMA max_page_count = 1"
    held: list[Store] = []
    original = Store.run

    async def note(self: Store, work: Callable[[Session], Any], name: str) -> Any:
        held.append(self)
        return await original(self, work, name)

    monkeypatch.setattr(Store, "run", note)
    await client.receive()
    with held[0]._engine.connect() as connection:
        connection.exec_driver_sql(limit)
    full = (grpc.StatusCode.RESOURCE_EXHAUSTED, "DISK_FULL", list[str]())
    user_text = "\N{GRINNING FACE}" * 4096  # more than the pages that the migrations freed
    request = db.ReceivePhotoRequest(
        bot_id=1, chat_id=1, message_id=9, user_id=9, file_id="f", user_text=user_text
    )
    assert await refusal(client.call(client.stub.ReceivePhoto, request)) == full
    with held[0]._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    await client.call(client.stub.ReceivePhoto, request)


@pytest.mark.slow
async def test_a_process_starts_answers_and_stops(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log: list[str] = []
    async with process(tmp_path, log) as (service, client):
        await client.receive()
        assert psutil.Process(service.popen.pid).memory_info().rss < 150 * 1024 * 1024
        assert await asyncio.to_thread(service.stop) == 0
    assert [line for line in log if "Listening on" in line] == log[-1:]
    assert capfd.readouterr().out == ""


@pytest.mark.slow
async def test_a_stop_lets_running_calls_end(tmp_path: Path) -> None:
    async with process(tmp_path, []) as (service, client):
        lease = await client.leased()
        info, chunk = store_parts(lease, b"photo")
        call = client.stub.StorePhoto(metadata=client.metadata, timeout=20)
        await call.write(info)
        await client.receive()  # answered on the same connection, so the call has arrived as well
        service.ask_to_stop()
        await call.write(chunk)
        await call.done_writing()
        assert (await call).item.generation.state == db.GENERATION_STATE_STORED
        assert await asyncio.to_thread(service.stop) == 0


@pytest.mark.slow
async def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, log = await failed_start(tmp_path, DBSERVICE_LISTEN=address)
    assert code == 75
    (line,) = log
    assert line == (
        f"lookalike dbservice: DBSERVICE_LISTEN: cannot listen on {address}:"
        " Address already in use.\n"
    )


@pytest.mark.slow
async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    async with process(tmp_path, []) as (service, client):
        code, log = await failed_start(tmp_path, DBSERVICE_LISTEN=service.address())
        assert code == 75
        assert "Address already in use." in log[-1]
        await client.receive()


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DATABASE_URL", "mysql://somewhere/db", "DATABASE_URL: write it as sqlite:///"),
        ("BLOB_URL", "s3://key:secret@bucket", "BLOB_URL: write it as s3://bucket or s3://bucket/"),
        ("BLOB_URL", "/var/blobs", "BLOB_URL: write it as file:///"),
        ("BLOB_URL", "file:///proc/nothing", "The folder /proc/nothing cannot be"),
        ("DATABASE_URL", "sqlite:////proc/nothing/rows.db", "The database folder /proc/nothing"),
        ("DBSERVICE_LISTEN", "5002", "DBSERVICE_LISTEN: write it as host:port"),
        ("USER_MAX_UNFINISHED", "0", "USER_MAX_UNFINISHED: "),
    ],
)
async def test_a_wrong_setting_is_one_sentence(
    tmp_path: Path, name: str, value: str, words: str
) -> None:
    code, (*log, sentence) = await failed_start(tmp_path, **{name: value})
    assert code == 78
    assert sentence.startswith(f"lookalike dbservice: {words}")
    assert not [line for line in log if " INFO " not in line]


def damage(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)


async def test_a_damaged_database_is_one_sentence(settings: DbserviceSettings) -> None:
    damage(Path(settings.database.removeprefix("sqlite:///")))
    with pytest.raises(StartError, match="cannot be used: file is not a database"):
        async with running(settings):
            pass


async def test_a_database_of_a_newer_program_is_one_sentence(settings: DbserviceSettings) -> None:
    async with running(settings):
        pass
    with sqlite3.connect(settings.database.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StartError, match=r"rows\.db"):
        async with running(settings):
            pass


async def test_listening_beyond_loopback_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = DbserviceSettings(
        lookalike_home=tmp_path,
        dbservice_listen="0.0.0.0:0",
        service_token=SecretStr(TOKEN),
    )
    async with running(settings):
        pass
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["Calls to 0.0.0.0 are not encrypted: keep the network private."]


async def test_the_data_goes_below_the_home_folder(tmp_path: Path) -> None:
    settings = DbserviceSettings(lookalike_home=tmp_path)
    assert settings.database == f"sqlite:///{tmp_path}/dbservice/lookalike.db"
    assert folder_of_bytes(settings) == tmp_path / "dbservice" / "blobs"
    spaced = DbserviceSettings(lookalike_home=tmp_path, blob_url="file:///srv/my%20blobs")
    assert folder_of_bytes(spaced) == Path("/srv/my blobs")
