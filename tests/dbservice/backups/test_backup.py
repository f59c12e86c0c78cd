"""`lookalike backup` as somebody types it, while the service works or not."""

import asyncio
import errno
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest

from dbservice.backups.backup import back_up
from dbservice.backups.restore import restore
from lookalike.errors import StartError
from tests import commands
from tests.commands import Command, started
from tests.dbservice.backups.home import (
    beside,
    database_of,
    environment_of,
    fill,
    photo_of,
    rows,
    served,
    settings_of,
    stored,
    unpack,
)
from tests.dbservice.client import Client

pytestmark = pytest.mark.slow


DIES = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode=TRUNCATE")
connection.execute("PRAGMA cache_size=1")
connection.execute("UPDATE photos SET user_text = hex(randomblob(5000))")
os._exit(0)
"""
"""It writes to the database before it commits, as it has no room for all pages, and never does."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept.tar"


def back_up_by_command(home: Path, file: Path) -> tuple[int, str]:
    """The exit code, and what it says."""
    done = commands.run("backup", str(file), folder=file.parent, environment=environment_of(home))
    return done.returncode, done.stdout + done.stderr


@asynccontextmanager
async def in_the_middle(home: Path, file: Path, user: int) -> AsyncIterator[Command]:
    """A backup that waits for the bytes of this user's photo; it goes on at the end."""
    blobs = home / "dbservice" / "blobs"
    (key,) = (key for key, data in stored(home).items() if data == photo_of(user))
    (blobs / key).unlink()
    os.mkfifo(blobs / key)
    with started(
        "backup", str(file), folder=file.parent, environment=environment_of(home)
    ) as command:
        pipe = await asyncio.to_thread(os.open, blobs / key, os.O_WRONLY)
        try:
            yield command
        finally:
            with suppress(BrokenPipeError):  # a command that was killed reads no more
                os.write(pipe, photo_of(user))
            (blobs / key).unlink()
            (blobs / key).write_bytes(photo_of(user))
            os.close(pipe)
        await asyncio.to_thread(command.end)


@pytest.mark.long
async def test_it_holds_all_rows_and_bytes_and_any_tar_can_unpack_it(
    home: Path, file: Path, tmp_path: Path
) -> None:
    async with served(home) as client:
        await fill(client, 1, 2, 3)
        await client.receive(4)  # under way
        code, said = await asyncio.to_thread(back_up_by_command, home, file)
        assert code == 0, said
    assert said.startswith(f"{file} holds ")
    assert " 6 photos and pictures " in said
    assert file.stat().st_mode & 0o777 == 0o600
    assert beside(file) == []
    database = unpack(file, tmp_path / "unpacked")
    assert rows(database) == rows(database_of(home))
    blobs = tmp_path / "unpacked" / "blobs"
    assert {key: (blobs / key).read_bytes() for key in stored(home)} == stored(home)
    assert b"a-token-for-tests" not in file.read_bytes()
    assert back_up_by_command(home, file.with_name("again.tar"))[0] == 0  # nothing runs now


@pytest.mark.long
async def test_who_is_forgotten_meanwhile_is_not_in_it_and_nobody_waits(
    home: Path, file: Path, tmp_path: Path
) -> None:
    users, gone = range(1, 21), (1, 2, 10, 19, 20)
    async with served(home) as client:
        ids = await fill(client, *users)
        async with in_the_middle(home, file, user=11) as command:
            for user in gone:
                await client.forget(user)
            ids |= await fill(client, 30)
        assert command.popen.returncode == 0, command.output
    assert " not in it" not in command.output
    content = file.read_bytes()
    for user in (*users, 30):
        assert (photo_of(user) in content) == (user not in gone), user
        assert (ids[user].encode() in content) == (user not in gone), user
    database = unpack(file, tmp_path / "unpacked")
    assert rows(database) == rows(database_of(home))
    again = settings_of(tmp_path / "again")
    await restore(again, file)
    assert stored(tmp_path / "again") == stored(home)
    async with served(tmp_path / "again") as client:
        assert (await client.image(photo_id=ids[11]))[1] == photo_of(11)


@pytest.mark.long
async def test_a_name_that_is_taken_is_never_written_over(home: Path, file: Path) -> None:
    async with served(home) as client:
        await fill(client, 1, 2)
    async with in_the_middle(home, file, user=1) as command:
        assert back_up_by_command(home, file) == (
            75,
            f"lookalike backup: Another process writes {file}.part.\n",
        )
        file.write_bytes(b"mine")
    assert command.popen.returncode == 78, command.output
    assert f"lookalike backup: {file} cannot be written: File exists." in command.output
    code, said = back_up_by_command(home, file)
    assert (code, said) == (
        78,
        f"lookalike backup: {file} is there already; give another name.\n",
    )
    assert file.read_bytes() == b"mine"
    assert beside(file) == []


@pytest.mark.long
async def test_it_can_be_stopped_and_killed(home: Path, file: Path) -> None:
    async with served(home) as client:
        await fill(client, 1, 2)
    async with in_the_middle(home, file, user=2) as command:
        command.popen.kill()
    assert not file.exists()
    assert f"{file.name}.part" in beside(file)
    async with in_the_middle(home, file, user=2) as command:
        command.popen.send_signal(signal.SIGTERM)
    assert command.popen.returncode == 75, command.output
    assert "It was stopped before it was done." in command.output
    assert not file.exists()
    assert beside(file) == []
    assert back_up_by_command(home, file)[0] == 0


async def test_what_was_missing_already_is_left_out_and_said(
    home: Path, file: Path, tmp_path: Path
) -> None:
    async with served(home) as client:
        ids = await fill(client, 1, 2)
    for key, data in stored(home).items():
        if data == photo_of(1):
            (home / "dbservice" / "blobs" / key).write_bytes(b"other bytes")
    code, said = back_up_by_command(home, file)
    assert code == 0
    assert "1 photos or pictures were missing or damaged already and are not in it." in said
    await restore(settings_of(tmp_path / "again"), file)
    assert b"other bytes" not in file.read_bytes()
    async with served(tmp_path / "again") as client:
        assert (await client.image(photo_id=ids[2]))[1] == photo_of(2)
    with closing(sqlite3.connect(database_of(tmp_path / "again"))) as again:
        kept = again.execute("SELECT user_id, bytes FROM kept_of_users ORDER BY user_id").fetchall()
        (total,) = again.execute("SELECT bytes FROM kept_of_all").fetchone()
        (pictures,) = again.execute("SELECT sum(image_size) FROM generations").fetchone()
    assert kept == [(1, pictures // 2), (2, pictures // 2 + len(photo_of(2)))]
    assert total == pictures + len(photo_of(2))
    for key in stored(home):
        (home / "dbservice" / "blobs" / key).unlink()
    code, said = back_up_by_command(home, file.with_name("none.tar"))
    assert code == 78
    assert "does DATABASE_URL belong to BLOB_URL?" in said
    assert not file.with_name("none.tar").exists()


async def test_without_a_database_there_is_nothing_to_do(home: Path, file: Path) -> None:
    code, said = back_up_by_command(home, file)
    assert code == 78
    assert said.startswith(f"lookalike backup: There is no database {database_of(home)}")
    database_of(home).parent.mkdir()
    database_of(home).write_bytes(b"no database at all" * 1000)
    code, said = back_up_by_command(home, file)
    assert code == 78
    assert "cannot be copied: file is not a database." in said
    assert not file.exists()
    assert beside(file) == []


async def test_a_full_disk_leaves_nothing_and_passes(
    home: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with served(home) as client:
        await fill(client, 1)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StartError, match="cannot be written: No space left") as error:
        await back_up(settings_of(home), file)
    assert error.value.exit_code == StartError.PASSING_EXIT_CODE
    assert not file.exists()
    assert beside(file) == []


async def test_what_a_crash_has_left_in_a_journal_is_rolled_back_first(
    home: Path, file: Path, tmp_path: Path
) -> None:
    async with served(home) as client:
        await fill(client, *range(1, 9))
    path = database_of(home)
    before = rows(path)
    dies = await asyncio.create_subprocess_exec(sys.executable, "-c", DIES, str(path))
    assert await dies.wait() == 0
    assert path.with_name(f"{path.name}-journal").stat().st_size
    await back_up(settings_of(home), file)
    assert rows(unpack(file, tmp_path / "unpacked")) == before


@pytest.mark.parametrize("mode", ["wal", "truncate"])
async def test_a_commit_never_waits_for_the_copying_of_bytes(
    home: Path, file: Path, tmp_path: Path, mode: str
) -> None:
    async with served(home) as client:
        await fill(client, 1, 2)
    with closing(sqlite3.connect(database_of(home))) as connection:
        connection.execute(f"PRAGMA journal_mode={mode}")
        async with in_the_middle(home, file, user=1) as command:
            connection.execute("PRAGMA busy_timeout=0")
            connection.execute("UPDATE photos SET user_text = 'written meanwhile'")
            connection.commit()
        assert command.popen.returncode == 0, command.output
    assert "written meanwhile" not in str(rows(unpack(file, tmp_path / "unpacked")))
    await restore(settings_of(tmp_path / "again"), file)


async def test_a_client_is_served_meanwhile(home: Path, file: Path) -> None:
    async with served(home) as client:
        await fill(client, 1, 2)
        async with in_the_middle(home, file, user=2) as command:
            await asyncio.wait_for(_work(client), 20)
        assert command.popen.returncode == 0, command.output


async def _work(client: Client) -> None:
    await fill(client, 3)
    assert len(await client.status(user=3)) == 0


def test_a_link_in_its_place_is_not_followed(home: Path, file: Path, tmp_path: Path) -> None:
    database_of(home).parent.mkdir(parents=True)
    with closing(sqlite3.connect(database_of(home))) as connection:
        connection.execute("CREATE TABLE photos (id)")
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    file.with_name(f"{file.name}.part").symlink_to(victim)
    code, _ = back_up_by_command(home, file)
    assert code == 78
    assert victim.read_bytes() == b"mine"
