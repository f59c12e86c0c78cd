"""The migrations make the tables that the models describe, and keep what was there."""

import hashlib
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from dbservice.models import Base, asked_id, generation_id, photo_id
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from lookalike.database import create_engine
from lookalike.migrations import migrate
from protos.lookalike.db.v1 import db_pb2 as db
from tests import postgresql
from tests.dbservice.aging import MIGRATIONS, create_at
from tests.dbservice.client import BOT, CHAT, USER, Client, files, folder_of_bytes
from tests.waiting import until


def test_models_and_migrations_agree(tmp_path: Path) -> None:
    def indexes(connection: Connection) -> Any:
        query = "SELECT name, sql FROM sqlite_master WHERE name LIKE 'ix_%' ORDER BY name"
        return connection.exec_driver_sql(query).all()

    migrated = create_engine(f"sqlite:///{tmp_path}/migrated.db")
    migrate(migrated, MIGRATIONS)
    created = create_engine(f"sqlite:///{tmp_path}/created.db")
    with migrated.connect() as one, created.begin() as other:
        Base.metadata.create_all(other)
        assert compare_metadata(MigrationContext.configure(one), Base.metadata) == []
        assert indexes(one) == indexes(other)
    migrated.dispose()
    created.dispose()


@pytest.mark.slow
@pytest.mark.scale
def test_they_agree_on_postgresql(server: postgresql.Server, template: str) -> None:
    def indexes(connection: Connection) -> Any:
        query = (
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " AND tablename <> 'alembic_version' ORDER BY indexname"
        )
        return [tuple(row) for row in connection.exec_driver_sql(query)]

    def columns(connection: Connection) -> Any:
        query = (
            "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name <> 'alembic_version' ORDER BY 1, 2"
        )
        return [tuple(row) for row in connection.exec_driver_sql(query)]

    names = server.create(template), server.create()
    migrated, created = (create_engine(server.url(name)) for name in names)
    with migrated.connect() as one, created.begin() as other:
        Base.metadata.create_all(other)
        assert compare_metadata(MigrationContext.configure(one), Base.metadata) == []
        assert indexes(one) == indexes(other)
        assert columns(one) == columns(other)
    migrated.dispose()
    created.dispose()
    for name in names:
        server.drop(name)


PHOTO = photo_id(BOT, CHAT, 1)
PICTURE = generation_id(PHOTO)
FORGOTTEN = "11111111-1111-4111-8111-111111111111"
LEFT_OVER = "22222222-2222-4222-8222-222222222222"


def old_home(settings: DbserviceSettings) -> None:
    """What the first version left: a delivered photo, and bytes named by ids in one folder."""
    create_at(settings.lookalike_home / "rows.db", "0001")
    folder_of_bytes(settings).mkdir()
    for name in (PHOTO, PICTURE, FORGOTTEN, LEFT_OVER):
        (folder_of_bytes(settings) / name).write_bytes(name.encode())
    now = "2026-11-22 12:00:00.000000"

    def image(name: str) -> dict[str, Any]:
        return {
            "image_media_type": "image/png",
            "image_width": 8,
            "image_height": 6,
            "image_size": len(name),
            "image_sha256": hashlib.sha256(name.encode()).hexdigest(),
        }

    photo = {
        "id": PHOTO,
        "bot_id": BOT,
        "chat_id": CHAT,
        "message_id": 1,
        "user_id": USER,
        "language_code": "en",
        "file_id": "a-file",
        "file_size": 5,
        "words": "look",
        "received_at": now,
        "caption_text": "a cat",
        "caption_captioner": "offline",
        "caption_model": "m-1",
        **image(PHOTO),
    }
    generation = {
        "id": PICTURE,
        "photo_id": PHOTO,
        "n": 0,
        "state": "delivered",
        "prompt": "a cat",
        "negative_prompt": "",
        "preset": "",
        "delivery_intended": True,
        "told": True,
        "picture_seed": 1,
        "picture_model": "emoji",
        "picture_file_id": "sent",
        "created_at": now,
        "updated_at": now,
        "closed_at": now,
        "fence": 3,
        **image(PICTURE),
    }
    bare = generation | dict.fromkeys(image(PICTURE)) | {"id": asked_id(PHOTO, CHAT, 9, 0), "n": 1}
    with sqlite3.connect(settings.database.removeprefix("sqlite:///")) as connection:
        for table, row in (
            ("photos", photo),
            ("generations", generation),
            ("generations", bare),
            ("removals", {"key": FORGOTTEN}),
        ):
            names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", row)
    connection.close()


async def test_a_home_of_the_first_version_goes_on_with_its_bytes(
    settings: DbserviceSettings,
) -> None:
    old_home(settings)
    young = folder_of_bytes(settings) / LEFT_OVER
    then = time.time() - 2 * 3600
    for name in (PHOTO, PICTURE):
        os.utime(folder_of_bytes(settings) / name, (then, then))
    async with running(settings) as service, grpc.aio.insecure_channel(service.address) as channel:
        client = Client(channel)
        (whole,) = (await client.history()).items
        assert (whole.photo.user_text, whole.generation.user_notified) == ("look", True)
        bare = (await client.get(generation_id=asked_id(PHOTO, CHAT, 9, 0))).item.generation
        assert not bare.HasField("picture")
        request = db.GetStatusRequest(bot_id=BOT, chat_id=CHAT, user_id=USER)
        status = await client.call(client.stub.GetStatus, request)
        assert status.kept_bytes == len(PHOTO) + len(PICTURE)
        for source, name in (("photo_id", PHOTO), ("generation_id", PICTURE)):
            _, data = await client.image(**{source: name})
            assert data == name.encode()
        await until(lambda: not (folder_of_bytes(settings) / FORGOTTEN).exists())
        assert files(folder_of_bytes(settings)) == sorted([PHOTO, PICTURE, LEFT_OVER])
        lease = await client.leased(2)
        item = await client.store(lease)
        assert item.generation.state == db.GENERATION_STATE_STORED
    os.utime(young, (then, then))
    async with running(settings) as service, grpc.aio.insecure_channel(service.address) as channel:
        await until(lambda: not young.exists())
        client = Client(channel)
        assert (await client.image(photo_id=item.photo.id))[1] == b"a photo"
        await client.cancel(item.generation.id)
        await client.close(lease)
        assert (await client.forget()).photos == 2
        assert files(folder_of_bytes(settings)) == []


def test_what_was_about_to_be_sent_still_is(tmp_path: Path) -> None:
    path = tmp_path / "lookalike.db"
    create_at(path, "0004")
    states = {
        # state, status_after, delivery_intended, result_message_id
        1: ("queued", 12, 0, None),
        2: ("finished", 13, 1, None),
        3: ("delivered", None, 1, 99),
        4: ("delivered", None, 1, 99),  # a group that moved counts anew
    }
    with sqlite3.connect(path) as connection:
        for number, (state, after, intended, result) in states.items():
            connection.execute(
                "INSERT INTO photos (id, bot_id, chat_id, message_id, user_id, language_code,"
                " file_id, file_size, user_text, received_at, caption_message_id)"
                " VALUES (?, 1, -100, ?, 42, 'en', 'a', 0, '', '2026-11-22 12:00:00', ?)",
                (str(number), 10 * number, 10 * number + 1),
            )
            connection.execute(
                "INSERT INTO generations (number, id, photo_id, bot_id, chat_id, user_id, n, state,"
                " prompt, negative_prompt, preset, status_after, delivery_intended,"
                " result_message_id, user_notified, created_at, fence)"
                " VALUES (?, ?, ?, 1, -100, 42, 0, ?, '', '', '', ?, ?, ?, 0,"
                " '2026-11-22 12:00:00', 1)",
                (number, f"g{number}", str(number), state, after, intended, result),
            )
    connection.close()
    engine = create_engine(f"sqlite:///{path}")
    migrate(engine, MIGRATIONS)
    engine.dispose()
    with sqlite3.connect(path) as connection:
        sending = connection.execute(
            "SELECT sending, sending_after, sending_unseen FROM generations ORDER BY number"
        ).fetchall()
        sent = connection.execute(
            "SELECT message_id, generation, kind FROM sent_messages ORDER BY message_id"
        ).fetchall()
    connection.close()
    assert sending == [("status", 12, 0), ("picture", 20, 0), (None, None, 0), (None, None, 0)]
    captions = [(10 * number + 1, number, "caption") for number in states]
    assert sent == [*captions, (99, 3, "picture")]
