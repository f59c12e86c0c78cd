"""`lookalike move`: rows and bytes to another place and back, all of them, whatever is killed."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from dbservice.backups.move import move
from dbservice.backups.places import held
from dbservice.settings import DbserviceSettings
from dbservice.store import MIGRATIONS
from lookalike import postgresql
from lookalike.blobs import new_key
from lookalike.database import create_engine
from lookalike.errors import StartError
from lookalike.migrations import migrate
from lookalike.storage import open_blobs
from tests import commands
from tests.commands import started
from tests.dbservice.backups.elsewhere import all_bytes, all_rows, served_at, settings_at
from tests.dbservice.backups.home import database_of, environment_of, fill, photo_of, stored
from tests.dbservice.client import Client
from tests.dbservice.conftest import failed_start
from tests.postgresql import Server
from tests.s3 import S3
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.scale]

BIG = b"a photo that goes up in parts" * 250_000
"""More than S3 takes at a time."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def empty_url(server: Server) -> Iterator[str]:
    """A database of PostgreSQL that has no tables."""
    name = server.create()
    yield server.url(name)
    server.drop(name)


def move_by_command(home: Path, s3: S3, **settings: str) -> tuple[int, str]:
    """The exit code, and what it says."""
    environment = {**environment_of(home), **s3.environment, **settings}
    done = commands.run("move", folder=home, environment=environment)
    return done.returncode, done.stdout + done.stderr


async def fill_more(client: Client) -> None:
    """Of several people: with pictures, big, under way, banned, forgotten."""
    await fill(client, 1, 2)
    await client.store(await client.leased(3, user=3), BIG)
    await client.receive(4, user=4)
    await client.exported(1)
    await fill(client, 9)  # who has the last numbers
    await client.forgotten(9)


async def test_there_and_back_all_is_as_it_was(
    home: Path, tmp_path: Path, empty_url: str, s3: S3
) -> None:
    here = settings_at(home, s3)
    async with served_at(here) as client:
        await fill_more(client)
    with closing(sqlite3.connect(database_of(home))) as rows, rows:
        (last,) = rows.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = 'generations'"
        ).fetchone()
        assert last > rows.execute("SELECT max(number) FROM generations").fetchone()[0]
        rows.execute("UPDATE photos SET user_text = ? WHERE user_id = 4", ("a\0b",))
    before, bytes_before = all_rows(here.database), await all_bytes(here)
    file_before = database_of(home).read_bytes()

    targets = {"MOVE_DATABASE_URL": empty_url, "MOVE_BLOB_URL": s3.url}
    code, said = await asyncio.to_thread(move_by_command, home, s3, **targets)
    assert code == 0, said
    assert f"{s3.url} has 5 photos and pictures (" in said
    assert "Now set BLOB_URL to what MOVE_BLOB_URL says and DATABASE_URL to what" in said
    assert (database_of(home).read_bytes(), stored(home)) == (file_before, bytes_before)
    there = settings_at(home, s3, database_url=empty_url, blob_url=s3.url)
    after = all_rows(empty_url)
    assert [row for row in before["photos"] if "a\0b" in row]
    assert after == {
        **before,
        "photos": [
            tuple("ab" if each == "a\0b" else each for each in row) for row in before["photos"]
        ],
    }
    assert await all_bytes(there) == bytes_before

    async with served_at(there) as client:
        assert not await client.status(user=9)
        await fill(client, 5)
        await client.receive(6, user=6)
    numbers = [row[0] for row in all_rows(empty_url)["generations"] if row[0] > last]
    assert len(numbers) == 2, "no number is used twice"

    back = settings_at(
        home,
        s3,
        database_url=f"sqlite:///{tmp_path}/back.db",
        blob_url=(tmp_path / "back").as_uri(),
    )
    moving = there.model_copy(
        update={"move_database_url": back.database_url, "move_blob_url": back.blob_url}
    )
    assert "Now set" in await move(moving)
    assert all_rows(back.database_url) == all_rows(empty_url)
    assert await all_bytes(back) == await all_bytes(there)
    assert photo_of(5) in (await all_bytes(back)).values()
    assert not [*tmp_path.glob("back.db.restore-draft*")]
    async with served_at(back) as client:
        await fill(client, 7)


async def test_killed_in_the_middle_nothing_is_there_and_the_same_command_goes_on(
    home: Path, empty_url: str, s3: S3
) -> None:
    here = settings_at(home, s3)
    async with served_at(here) as client:
        await fill(client, *range(1, 12))
    (key,) = (key for key, data in stored(home).items() if data == photo_of(11))
    path = home / "dbservice" / "blobs" / key
    path.unlink()
    os.mkfifo(path)
    targets = {"MOVE_DATABASE_URL": empty_url, "MOVE_BLOB_URL": s3.url}
    environment = {**environment_of(home), **s3.environment, **targets}
    with started("move", folder=home, environment=environment) as command:
        pipe = await asyncio.to_thread(os.open, path, os.O_WRONLY)  # once it is read
        code, log = await failed_start(home)
        assert (code, "Another process uses" in "".join(log)) == (75, True)
        with pytest.raises(OperationalError, match="lock timeout"):
            begin_impatiently(empty_url)
        command.popen.send_signal(signal.SIGKILL)
        command.popen.wait(10)
        os.close(pipe)
    path.unlink()
    path.write_bytes(photo_of(11))
    engine = create_engine(empty_url)
    with engine.connect() as connection:
        assert (
            connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
            == 0
        )
    engine.dispose()
    come = s3.keys()
    assert come
    assert key not in come
    blobs = await open_blobs(s3.url, here)
    await blobs.delete(come[:1])
    await blobs.put(come[0], one_part())

    code, said = await asyncio.to_thread(move_by_command, home, s3, **targets)
    assert code == 0, said
    there = settings_at(home, s3, database_url=empty_url, blob_url=s3.url)
    assert all_rows(empty_url) == all_rows(here.database)
    assert await all_bytes(there) == await all_bytes(here) == stored(home)


_WAIT_IN_THE_MIDDLE = """
CREATE FUNCTION wait() RETURNS trigger AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(4321); RETURN NEW; END $$ LANGUAGE plpgsql;
CREATE TRIGGER wait BEFORE INSERT ON generations FOR EACH STATEMENT EXECUTE FUNCTION wait();
"""


async def test_killed_while_rows_come_none_has_come_and_the_same_command_goes_on(
    home: Path, empty_url: str, s3: S3
) -> None:
    here, there = settings_at(home, s3), settings_at(home, s3, database_url=empty_url)
    async with served_at(here) as client:
        await fill(client, *range(1, 12))
    async with served_at(there):
        pass  # there are tables then, of which one can be told to take its time
    targets = {"MOVE_DATABASE_URL": empty_url}
    environment = {**environment_of(home), **s3.environment, **targets}
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(empty_url, autocommit=True) as other:  # which is none of ours
        other.execute(_WAIT_IN_THE_MIDDLE)
        other.execute("SELECT pg_advisory_lock(4321)")

        async def is_in_the_middle() -> bool | None:
            found = await asyncio.to_thread(lambda: other.execute(waits).fetchone())
            return found == (1,) or None

        with started("move", folder=home, environment=environment) as command:
            await eventually(is_in_the_middle)
            command.popen.send_signal(signal.SIGKILL)
            command.popen.wait(10)
        other.execute("SELECT pg_advisory_unlock(4321)")
        other.execute("DROP FUNCTION wait CASCADE")  # once what was killed has let go of it
        for table in ("photos", "generations", "sent_messages"):
            found = other.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert found == (0,), table

    code, said = await asyncio.to_thread(move_by_command, home, s3, **targets)
    assert code == 0, said
    assert all_rows(empty_url) == all_rows(here.database)


def begin_impatiently(url: str) -> None:
    """As a dbservice that makes its tables, but for how long it waits."""
    engine = create_engine(url)
    try:
        with Session(engine) as session:
            session.execute(text("SET LOCAL lock_timeout = 100"))
            postgresql.take_turn(session, "lookalike: upgrade")
    finally:
        engine.dispose()


async def test_what_it_refuses(home: Path, tmp_path: Path, empty_url: str, s3: S3) -> None:
    async def refused(settings: DbserviceSettings, **targets: str) -> StartError:
        with pytest.raises(StartError) as error:
            await move(settings.model_copy(update=targets))
        return error.value

    here = settings_at(home, s3)
    assert "hence nothing to move" in str(await refused(here, move_blob_url=s3.url))
    async with served_at(here) as client:
        await fill(client, 1)
        error = await refused(here, move_database_url=empty_url)
        assert "Another process uses" in str(error)
        assert error.exit_code == StartError.PASSING_EXIT_CODE
    assert "name no other place" in str(await refused(here))
    assert "name no other place" in str(await refused(here, move_blob_url=here.blobs))

    other = tmp_path / "other.db"
    other.write_bytes(b"mine")
    assert "is there already" in str(await refused(here, move_database_url=f"sqlite:///{other}"))
    blobs = await open_blobs(s3.url, here)
    await blobs.put(new_key("a" * 32, 1), one_part())
    error = await refused(here, move_database_url=empty_url, move_blob_url=s3.url)
    assert "has other photos and pictures already" in str(error)
    assert len(s3.keys()) == 1

    there = settings_at(home, s3, database_url=empty_url)
    async with served_at(there) as client:
        error = await refused(here, move_database_url=empty_url)
        assert "stop every dbservice" in str(error)
        assert str(await refused(there, move_blob_url=s3.url)) == str(error)
        await client.receive(1)
    assert "has rows already" in str(await refused(here, move_database_url=empty_url))


async def one_part() -> AsyncIterator[bytes]:
    yield b"what no row speaks of"


async def test_a_database_that_was_only_started_is_empty(
    home: Path, empty_url: str, s3: S3
) -> None:
    here, there = settings_at(home, s3), settings_at(home, s3, database_url=empty_url)
    async with served_at(here) as client:
        await fill(client, 1)
    async with served_at(there):
        pass
    await move(here.model_copy(update={"move_database_url": empty_url}))
    assert all_rows(empty_url) == all_rows(here.database)


def test_nobody_writes_while_rows_are_held(empty_url: str) -> None:
    engine = create_engine(empty_url)
    migrate(engine, MIGRATIONS)
    engine.dispose()
    with held(empty_url), pytest.raises(OperationalError, match="lock timeout"):
        write(engine)
    write(engine)
    engine.dispose()


def write(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = 100"))
        connection.execute(text("INSERT INTO pending_deletions VALUES ('a')"))
