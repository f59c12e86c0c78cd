"""Rows in PostgreSQL and bytes in S3, or not: what there is, and a service on it."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from pydantic import SecretStr
from sqlalchemy import create_engine, select

from dbservice.models import Base
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from lookalike.storage import open_blobs
from tests.dbservice.client import TOKEN, Client
from tests.dbservice.conftest import Clock
from tests.s3 import S3


def settings_at(home: Path, s3: S3, **settings: str) -> DbserviceSettings:
    """With the bucket's endpoint and credentials, whether the bytes are in it or not."""
    return DbserviceSettings.model_validate(
        {
            "lookalike_home": home,
            "dbservice_listen": "127.0.0.1:0",
            "service_token": SecretStr(TOKEN),
            **s3.settings,
            **settings,
        }
    )


@asynccontextmanager
async def served_at(
    settings: DbserviceSettings, clock: Clock | None = None
) -> AsyncIterator[Client]:
    async with (
        running(settings, clock or Clock(), ()) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        yield Client(channel)


def all_rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, in the order of what is in them."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.connect() as connection:
            return {
                table.name: sorted(
                    (_plain(row) for row in connection.execute(select(table))), key=repr
                )
                for table in Base.metadata.sorted_tables
            }
    finally:
        engine.dispose()


def _plain(row: Any) -> tuple[Any, ...]:
    return tuple(str(value) if hasattr(value, "tzinfo") else value for value in row)


async def all_bytes(settings: DbserviceSettings) -> dict[str, bytes]:
    """All bytes by their keys."""
    blobs = await open_blobs(settings.blobs, settings, read_only=True)
    found = {}
    async for key in blobs.list():
        async with aclosing(blobs.open(key)) as parts:
            found[key] = b"".join([part async for part in parts])
    return found
