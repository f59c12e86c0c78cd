"""What dbservice tells whoever scrapes it, where that is wanted."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import grpc
import pytest
from pydantic import SecretStr

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from lookalike.errors import StartError
from lookalike.lifecycle import address_of, bind
from tests.dbservice.client import TOKEN, Client, refusal
from tests.dbservice.conftest import Clock
from tests.metrics import scrape


@pytest.fixture
def metrics_listen() -> str:
    """An address that was free a moment ago."""
    bound = bind("127.0.0.1:0", "a test")
    address = address_of(bound)
    bound.close()
    return address


def scraped_at(settings: DbserviceSettings, address: str, **more: int) -> DbserviceSettings:
    return settings.model_copy(update={"dbservice_metrics_listen": address, **more})


@pytest.mark.each_database
async def test_calls_transactions_and_what_is_under_way_are_told(
    settings: DbserviceSettings, clock: Clock, metrics_listen: str
) -> None:
    told = scraped_at(settings, metrics_listen, bot_daily_captions=25)

    async def figures() -> Mapping[str, float]:
        return await scrape(metrics_listen)

    async with (
        running(told, clock) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        client = Client(channel)
        lease = await client.leased(1)
        await client.store(lease, b"a photo")
        clock.pass_seconds(30)
        await client.receive(2)
        assert await refusal(client.image(photo_id="x"))
        found = await figures()
    assert found['lookalike_rpc_seconds_count{code="OK",method="ReceivePhoto"}'] == 2
    assert found['lookalike_rpc_seconds_count{code="INVALID_ARGUMENT",method="GetImage"}'] == 1
    assert found['lookalike_rpc_received_bytes_total{method="StorePhoto"}'] > len(b"a photo")
    assert found["lookalike_transaction_seconds_count"] >= 4
    assert found['lookalike_generations_unfinished{state="received"}'] == 1
    assert found['lookalike_generations_unfinished{state="stored"}'] == 1
    assert found['lookalike_generations_unfinished_oldest_seconds{state="stored"}'] == 30
    assert found['lookalike_generations_unfinished{state="running"}'] == 0
    assert found["lookalike_kept_bytes"] == len(b"a photo")
    assert found["lookalike_daily_captions_limit"] == 25
    assert found["lookalike_disk_free_bytes"] > 1_000_000


async def test_a_stranger_makes_no_series(settings: DbserviceSettings, metrics_listen: str) -> None:
    async with (
        running(scraped_at(settings, metrics_listen)) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        for name in ("/lookalike.db.v1.DatabaseService/Anything", "/what.somebody/Wrote"):
            with pytest.raises(grpc.aio.AioRpcError):
                await channel.unary_unary(name, bytes)(b"")
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary("/lookalike.db.v1.DatabaseService/ReceivePhoto", bytes)(b"")
        found = await scrape(metrics_listen)
    methods = {name for name in found if name.startswith("lookalike_rpc_seconds_count")}
    assert methods == {'lookalike_rpc_seconds_count{code="UNAUTHENTICATED",method="ReceivePhoto"}'}


WITHOUT = """
import asyncio, sys
from dbservice.server import running
from dbservice.settings import DbserviceSettings

async def main():
    async with running(DbserviceSettings(dbservice_listen="127.0.0.1:0")):
        assert not {"prometheus_client", "starlette", "uvicorn"} & set(sys.modules)

asyncio.run(main())
"""


@pytest.mark.slow
def test_without_the_setting_they_cost_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "LOOKALIKE_HOME": str(tmp_path), "DBSERVICE_METRICS_LISTEN": ""}
    subprocess.run([sys.executable, "-c", WITHOUT], env=environment, check=True, timeout=60)


async def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    taken = bind("127.0.0.1:0", "a test")
    told = DbserviceSettings(
        lookalike_home=tmp_path,
        dbservice_listen="127.0.0.1:0",
        dbservice_metrics_listen=address_of(taken),
        service_token=SecretStr(TOKEN),
    )
    with pytest.raises(StartError, match=r"^DBSERVICE_METRICS_LISTEN: "):
        async with running(told):
            pass
    taken.close()
