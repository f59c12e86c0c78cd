"""A home with rows and bytes, and what a backup of it is worth."""

import hashlib
import sqlite3
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import grpc
from pydantic import SecretStr

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from lookalike.processes import clean_environment
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import CAPTION, TOKEN, Client
from tests.dbservice.conftest import Clock

_PATCH = db.GenerationPatch(caption=CAPTION, prompt=CAPTION.text)

Rows = dict[str, list[tuple[Any, ...]]]


def settings_of(home: Path) -> DbserviceSettings:
    return DbserviceSettings(
        lookalike_home=home, dbservice_listen="127.0.0.1:0", service_token=SecretStr(TOKEN)
    )


def environment_of(home: Path) -> dict[str, str]:
    return {**clean_environment(), "LOOKALIKE_HOME": str(home), "SERVICE_TOKEN": TOKEN}


def database_of(home: Path) -> Path:
    return home / "dbservice" / "lookalike.db"


@asynccontextmanager
async def served(home: Path) -> AsyncIterator[Client]:
    async with (
        running(settings_of(home), Clock(), ()) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        yield Client(channel)


def photo_of(user: int) -> bytes:
    """Bytes that nobody else has."""
    return f"the photo of user {user:06}".encode() * 100


async def fill(client: Client, *users: int) -> dict[int, str]:
    """A photo and a picture of each user, told and closed; gives the photos' ids."""
    ids = {}
    for user in users:
        lease = await client.leased(user, user=user)
        item = await client.store(lease, photo_of(user))
        here = db.GENERATION_STATE_STORED
        for step in (db.GENERATION_STATE_CAPTIONED, db.GENERATION_STATE_QUEUED):
            await client.advance(lease, here, step, _PATCH)
            here = step
        await client.finish(lease, f"the picture of user {user:06}".encode() * 100)
        await client.advance(lease, db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED)
        await client.close(lease)
        ids[user] = item.photo.id
    return ids


def rows(database: Path) -> Rows:
    """All rows of all tables."""
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr)
            for (name,) in tables.fetchall()
            if name != "wall_clock"
        }


def stored(home: Path) -> dict[str, bytes]:
    """All bytes by their keys, without the drafts that a kill leaves until they are old."""
    blobs = home / "dbservice" / "blobs"
    return {
        path.relative_to(blobs).as_posix(): path.read_bytes()
        for path in blobs.rglob("*")
        if path.is_file() and path.parent.name != "drafts"
    }


def unpack(file: Path, folder: Path) -> Path:
    """Unpacks a backup as anybody can, and looks whether its checksums hold; gives its database."""
    with tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        sha256, _, name = line.partition("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256
    return folder / "lookalike.db"


def beside(file: Path) -> list[str]:
    """What a command has left next to its file."""
    return sorted(path.name for path in file.parent.glob(f"{file.name}.*"))
