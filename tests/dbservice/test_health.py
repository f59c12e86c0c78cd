"""The standard health service, and who may hold a connection for how long."""

import asyncio
import contextlib
import resource
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bot import doctor_dbservices
from dbservice import health
from dbservice.interceptors import token
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.transactions import users
from lookalike.checks import Mark
from lookalike.cli.up.health import ask_grpc
from tests.dbservice.client import Client, refusal
from tests.dbservice.conftest import process
from tests.stack import free_port

NAME = "lookalike.db.v1.DatabaseService"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNAUTHENTICATED = (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", list[str]())


def stub(channel: grpc.aio.Channel) -> Any:
    return health_pb2_grpc.HealthStub(channel)


def about(service: str = "") -> health_pb2.HealthCheckRequest:
    return health_pb2.HealthCheckRequest(service=service)


async def test_a_check_is_open_to_all_and_the_rest_is_not(
    channel: grpc.aio.Channel, client: Client
) -> None:
    for service in ("", NAME):
        assert (await stub(channel).Check(about(service), timeout=5)).status == SERVING
    unknown = await refusal(stub(channel).Check(about("nobody"), timeout=5))
    assert unknown == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", [])
    everything: Any = health_pb2.HealthListRequest()  # type: ignore[attr-defined]
    assert await refusal(stub(channel).List(everything, timeout=5)) == UNAUTHENTICATED
    assert await refusal(stub(channel).Watch(about(), timeout=5).read()) == UNAUTHENTICATED
    answer = await stub(channel).List(everything, timeout=5, metadata=client.metadata)
    assert {name: each.status for name, each in answer.statuses.items()} == {
        "": SERVING,
        NAME: SERVING,
    }


async def test_each_of_several_is_asked_whether_it_answers_and_how_new_it_is(
    settings: DbserviceSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = settings.model_copy(
        update={"lookalike_home": tmp_path / "other", "database_url": "", "blob_url": ""}
    )
    async with running(settings) as first, running(other) as second:
        assert await doctor_dbservices.check([second.address]) == []
        (found,) = await doctor_dbservices.check([first.address, second.address])
        assert found.mark == Mark.OK
        assert "All 2 dbservices answer" in found.summary
        nobody = f"127.0.0.1:{free_port()}"
        (found,) = await doctor_dbservices.check([second.address, nobody])
        assert found.mark == Mark.WARNING
        assert found.summary == f"1 of 2 dbservices do not answer: {nobody}."
        monkeypatch.setattr(health, "__version__", "0.0.9")
        (found,) = await doctor_dbservices.check([second.address])
        assert f"{second.address} (0.0.9)" in found.summary


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """/status does not end before this is set."""
    end = threading.Event()
    status = users.status

    def slowly(*arguments: Any) -> Any:
        end.wait(20)
        return status(*arguments)

    monkeypatch.setattr(users, "status", slowly)
    yield end
    end.set()


async def test_a_transaction_that_does_not_end_is_not_well(
    channel: grpc.aio.Channel,
    client: Client,
    stuck: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "STUCK_SECONDS", 0.2)
    monkeypatch.setattr(health, "_WATCH_SECONDS", 0.05)
    watch = stub(channel).Watch(about(NAME), metadata=client.metadata, timeout=20)
    assert (await watch.read()).status == SERVING
    call = asyncio.create_task(client.status())
    assert (await watch.read()).status == NOT_SERVING
    assert (await stub(channel).Check(about(), timeout=5)).status == NOT_SERVING
    stuck.set()
    assert await call == []
    assert (await watch.read()).status == SERVING
    watch.cancel()


async def test_a_supervisor_sees_it(
    settings: DbserviceSettings, stuck: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "STUCK_SECONDS", 0.2)
    async with (
        running(settings) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        host, _, port = service.address.rpartition(":")
        assert await ask_grpc(host, int(port))
        call = asyncio.create_task(Client(channel).status())
        async with asyncio.timeout(10):
            while await ask_grpc(host, int(port)):
                pass
        stuck.set()
        await call
        assert await ask_grpc(host, int(port))


async def test_a_watch_ends_with_the_service(settings: DbserviceSettings) -> None:
    async with running(settings) as service:
        channel = grpc.aio.insecure_channel(service.address)
        metadata = Client(channel).metadata
        watch = stub(channel).Watch(about("nobody"), metadata=metadata, timeout=20)
        unknown = (await watch.read()).status
        assert unknown == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        watch = stub(channel).Watch(about(), metadata=metadata, timeout=20)
        assert (await watch.read()).status == SERVING
        began = time.monotonic()
    assert time.monotonic() - began < 3
    assert (await watch.read()).status == NOT_SERVING
    await channel.close()


async def test_a_call_without_a_token_is_not_held_open(
    channel: grpc.aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token, "_REQUEST_SECONDS", 0.1)

    async def nothing() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    check: Any = channel.stream_unary("/grpc.health.v1.Health/Check")
    answer = await refusal(check(nothing(), timeout=10))
    assert answer == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", ["request"])


# Connections.

SILENT = b""
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""An HTTP/2 connection without a call (RFC 9113, 3.4)."""


@pytest.fixture
def _many_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.usefixtures("_many_files")
@pytest.mark.parametrize("sent", [SILENT, b"PRI * HTTP/2.0\r\n", PREFACE])
async def test_1100_half_open_connections_keep_nobody_out(tmp_path: Path, sent: bytes) -> None:
    async with process(tmp_path, []) as (service, client):
        await client.receive(1)
        host, _, port = service.address().rpartition(":")
        with contextlib.ExitStack() as sockets:
            for _ in range(1100):
                half = sockets.enter_context(socket.create_connection((host, int(port)), 10))
                with contextlib.suppress(OSError):  # closed already
                    half.sendall(sent)
            await client.receive(2)
            files = Path(f"/proc/{service.popen.pid}/fd")
            assert len([*files.iterdir()]) < 1100
            async with asyncio.timeout(40), grpc.aio.insecure_channel(f"{host}:{port}") as other:
                newcomer = Client(other)
                while True:
                    with contextlib.suppress(grpc.aio.AioRpcError):
                        await newcomer.receive(3)
                        break
                    await asyncio.sleep(0.2)
                while len([*files.iterdir()]) > 100:  # noqa: ASYNC110, there is no event
                    await asyncio.sleep(0.2)
        await client.receive(4)
        assert await asyncio.to_thread(service.stop) == 0
