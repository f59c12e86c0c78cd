"""What earlier versions left in a home is there after all migrations: every row and every byte."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from pydantic import SecretStr

import dbservice
import generator
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from lookalike.database import create_engine
from lookalike.migrations import migrate
from protos.lookalike.db.v1 import db_pb2 as db
from tests import homes
from tests.dbservice.client import BOT, CHAT, TOKEN, USER, Client, files, folder_of_bytes
from tests.generator.stack import serving

MIGRATIONS = {
    "lookalike.db": Path(dbservice.__file__).parent / "migrations",
    "jobs.db": Path(generator.__file__).parent / "jobs" / "migrations",
}

RENAMED: dict[tuple[str, str], str] = {("generations", "status_after"): "sending_after"}
"""Columns (table and name in a kept home) by the names that later migrations gave them."""

DROPPED = {("generations", "delivery_intended")}
"""Columns that later migrations have made something else of."""

Rows = dict[str, list[dict[str, Any]]]


def rows(path: Path) -> Rows:
    """All rows of all tables, without the version."""
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        found = {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name} ORDER BY 1")]
            for (name,) in tables
            if name != "alembic_version"
        }
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchone() is None
    connection.close()
    return found


def kept(before: Rows, after: Rows) -> Rows:
    """What is there after, cut to what was there before."""
    return {
        table: [
            {
                name: old[name] if (table, name) in DROPPED else row[new]
                for name in old
                for new in [RENAMED.get((table, name), name)]
            }
            for old, row in zip(lines, after[table], strict=True)
        ]
        for table, lines in before.items()
    }


@pytest.fixture(params=homes.ALL, ids=lambda path: path.name)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    homes.restore(request.param, tmp_path)
    return tmp_path


def test_every_row_is_kept(home: Path) -> None:
    paths = homes.databases(home)
    assert {path.name for path in paths} == set(MIGRATIONS)
    for path in paths:
        before = rows(path)
        assert any(before.values())
        engine = create_engine(f"sqlite:///{path}")
        migrate(engine, MIGRATIONS[path.name])
        engine.dispose()
        assert kept(before, rows(path)) == before
        for copy in path.parent.glob(f"{path.name}.version-*"):
            assert rows(copy) == before


async def test_the_services_go_on_with_it(home: Path) -> None:
    states = {row["state"] for row in rows(home / "generator" / "jobs.db")["jobs"]}
    assert len(states) == 6
    before = rows(home / "dbservice" / "lookalike.db")
    settings = DbserviceSettings(
        lookalike_home=home, dbservice_listen="127.0.0.1:0", service_token=SecretStr(TOKEN)
    )
    assert {row["state"] for row in before["generations"]} == {
        db.GenerationState.Name(state).removeprefix("GENERATION_STATE_").lower()
        for state in db.GenerationState.values()
        if state
    }
    stored = files(folder_of_bytes(settings))
    assert stored
    async with (
        running(settings, lambda: datetime(2100, 1, 1, tzinfo=UTC)) as service,  # no lease lasts
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        client = Client(channel)
        unclosed = {row["id"] for row in before["generations"] if row["closed_at"] is None}
        leases = await client.lease()
        assert {lease.item.generation.id for lease in leases} == unclosed
        for row in before["generations"]:
            (owner,) = (one for one in before["photos"] if one["id"] == row["photo_id"])
            request = db.GetGenerationRequest(
                bot_id=BOT, chat_id=CHAT, user_id=owner["user_id"], generation_id=row["id"]
            )
            item = (await client.call(client.stub.GetGeneration, request)).item
            if item.generation.HasField("picture"):
                picture = await client.image(generation_id=item.generation.id)
                assert picture == (item.generation.picture.image, b"a picture")
            if item.photo.HasField("image"):
                assert (await client.image(photo_id=item.photo.id))[1] == b"a photo"
        (first,) = (await client.history()).items
        assert [len(await client.status(user=user)) for user in (1, USER)] == [1, 1]
        (again,) = await client.status()
        assert again.generation.parameters.seed == 3
        assert first.generation.picture.file_id == "sent"
        assert files(folder_of_bytes(settings)) == stored
    async with serving(home) as stack:
        stack.executor.go()
        for row in rows(home / "generator" / "jobs.db")["jobs"]:
            if row["state"] in {"queued", "running"}:
                await stack.reach(UUID(row["id"]), "finished")
        assert len(stack.images) == 3
