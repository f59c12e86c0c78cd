"""`lookalike restore`: all of a backup or nothing, whatever the file is and whenever it dies."""

import asyncio
import errno
import hashlib
import io
import os
import random
import signal
import sqlite3
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dbservice.backups.backup import back_up
from dbservice.backups.restore import restore
from lookalike.errors import StartError
from tests import commands, homes
from tests.dbservice.backups.home import (
    Rows,
    database_of,
    environment_of,
    fill,
    rows,
    served,
    settings_of,
    stored,
)
from tests.dbservice.conftest import process

pytestmark = pytest.mark.slow

USERS = range(1, 7)

KILLS = 12
"""Of these, evenly spread over all that a restore does to files, at a seed's places."""

DAMAGES = 150


@pytest.fixture
async def original(tmp_path: Path) -> Path:
    """A home with rows and bytes."""
    home = tmp_path / "original"
    async with served(home) as client:
        await fill(client, *USERS)
        await client.receive(99)
    return home


@pytest.fixture
async def file(original: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    file = tmp_path / "kept.tar"
    await back_up(settings_of(original), file)
    return file


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def restore_by_command(home: Path, file: Path) -> tuple[int, str]:
    """The exit code, and what it says."""
    done = commands.run("restore", str(file), folder=file.parent, environment=environment_of(home))
    return done.returncode, done.stdout + done.stderr


async def refused(home: Path, file: Path) -> str:
    """Why it is not restored; nothing is in place."""
    with pytest.raises(StartError) as error:
        await restore(settings_of(home), file)
    assert error.value.exit_code == 78
    assert not database_of(home).exists()
    assert stored(home) == {}
    assert not [*home.rglob("*draft")]
    return str(error.value)


def is_as(home: Path, original: Path) -> bool:
    return (rows(database_of(home)), stored(home)) == (
        rows(database_of(original)),
        stored(original),
    )


def test_all_of_it_is_there_again(home: Path, original: Path, file: Path) -> None:
    code, said = restore_by_command(home, file)
    assert code == 0, said
    assert said.startswith(f"{database_of(home)} and file://{home}/dbservice/blobs have ")
    assert is_as(home, original)
    assert database_of(home).stat().st_mode & 0o777 == 0o600
    assert all(path.stat().st_mode & 0o077 == 0 for path in home.rglob("*") if path.is_file())


@pytest.mark.long
async def test_a_home_in_use_or_with_a_database_is_left_alone(home: Path, file: Path) -> None:
    async with process(home, []):
        code, said = await asyncio.to_thread(restore_by_command, home, file)
        assert (code, said) == (
            75,
            f"lookalike restore: Another process uses {database_of(home)}.\n",
        )
    before = rows(database_of(home))
    code, said = restore_by_command(home, file)
    assert code == 78
    assert said.startswith(f"lookalike restore: {database_of(home)} is there already: move it away")
    assert rows(database_of(home)) == before
    database_of(home).rename(home / "aside.db")
    journal = database_of(home).with_name("lookalike.db-journal")
    journal.write_bytes(b"of the other one")
    code, said = restore_by_command(home, file)
    assert code == 78
    assert said.startswith(f"lookalike restore: {journal} is there already")
    journal.write_bytes(b"")
    assert restore_by_command(home, file)[0] == 0


def test_a_file_that_is_not_there(home: Path, tmp_path: Path) -> None:
    code, said = restore_by_command(home, tmp_path / "none.tar")
    assert code == 78
    assert said == f"lookalike restore: {tmp_path}/none.tar: No such file or directory.\n"


async def test_a_full_disk_passes_and_the_same_command_goes_on(
    home: Path, original: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StartError, match="No space left on device") as error:
            await restore(settings_of(home), file)
    assert error.value.exit_code == StartError.PASSING_EXIT_CODE
    assert not database_of(home).exists()
    assert not [*home.rglob("*draft")]
    await restore(settings_of(home), file)
    assert is_as(home, original)


# An older version's, and a newer one's.


async def test_one_of_an_older_version_is_upgraded_at_the_next_start(
    home: Path, tmp_path: Path
) -> None:
    for kept in homes.ALL:
        old = tmp_path / kept.name
        homes.restore(kept, old)
        file = tmp_path / f"{kept.name}.tar"
        await back_up(settings_of(old), file)
        await restore(settings_of(home / kept.name), file)
        assert is_as(home / kept.name, old)
        async with served(home / kept.name) as client:
            assert len((await client.history()).items) == 1
        copies = database_of(home / kept.name).parent.glob("lookalike.db.version-*")
        assert [rows(copy) for copy in copies] == [rows(database_of(old))]


async def test_one_of_a_newer_version_is_refused(
    home: Path, original: Path, file: Path, tmp_path: Path
) -> None:
    text = file.read_bytes()
    file.write_bytes(text.replace(b'"format": 1', b'"format": 2', 1))
    newer = f"{file} was made by a newer Lookalike."
    assert await refused(home, file) == newer
    with closing(sqlite3.connect(database_of(original))) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StartError, match="was made by a newer Lookalike"):
        await back_up(settings_of(original), tmp_path / "newer.tar")
    (revision,) = text.partition(b'"revision": "')[2].split(b'"')[:1]
    file.write_bytes(text.replace(b'"revision": "' + revision, b'"revision": "9999', 1))
    assert await refused(home, file) == newer


# Damaged.


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
async def test_no_byte_can_be_changed_or_missing(home: Path, file: Path, seed: int) -> None:
    whole, chance = file.read_bytes(), random.Random(seed)
    for number in range(DAMAGES // 3):
        position = chance.randrange(len(whole))
        if number % 2:
            file.write_bytes(whole[:position])
        else:
            other = whole[position] ^ 1 << chance.randrange(8)
            file.write_bytes(whole[:position] + bytes([other]) + whole[position + 1 :])
        said = await refused(home, file)
        assert said.endswith(".")
        assert "newer" in said or said.startswith(f"{file} cannot be restored: "), said
    file.write_bytes(whole)
    await restore(settings_of(home), file)


# Made by somebody else.


class Forgery:
    """An archive that somebody makes of a real one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with tarfile.open(file) as archive:
            self.members = [
                (each, source.read())
                for each in archive
                if (source := archive.extractfile(each)) is not None
            ]

    def add(self, name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.size, info.mode, info.linkname = kind, len(data), 0o600, "/etc/passwd"
        if kind == tarfile.REGTYPE:
            info.linkname = ""
        self.members.insert(1, (info, data))

    def change_database(self, *statements: str) -> None:
        path = self.file.with_name("forged.db")
        (at,) = (n for n, (each, _) in enumerate(self.members) if each.name == "lookalike.db")
        info, data = self.members[at]
        path.write_bytes(data)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA writable_schema=ON")
            for statement in statements:
                connection.execute(statement)
        data = path.read_bytes()
        info.size = len(data)
        self.members[at] = (info, data)

    def write(self) -> None:
        """Writes it with checksums that hold."""
        lines = []
        with tarfile.open(self.file, "w", format=tarfile.GNU_FORMAT) as archive:
            for info, data in self.members[:-1]:
                archive.addfile(info, io.BytesIO(data))
                lines.append(f"{hashlib.sha256(data).hexdigest()}  {info.name}\n")
            sums = "".join(lines).encode()
            info = self.members[-1][0]
            info.size = len(sums)
            archive.addfile(info, io.BytesIO(sums))


def test_a_forgery_without_changes_is_as_good(home: Path, original: Path, file: Path) -> None:
    Forgery(file).write()
    asyncio.run(restore(settings_of(home), file))
    assert is_as(home, original)


KEY = "blobs/a/aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa-1-aaaaaaaa"

FORGERIES: dict[str, Callable[[Forgery], None]] = {
    "a folder above": lambda forged: forged.add("blobs/../../../evil"),
    "an absolute path": lambda forged: forged.add("/evil"),
    "another folder": lambda forged: forged.add("evil/a"),
    "no name": lambda forged: forged.add(""),
    "a link": lambda forged: forged.add(KEY, kind=tarfile.SYMTYPE),
    "a hard link": lambda forged: forged.add(KEY, kind=tarfile.LNKTYPE),
    "a folder": lambda forged: forged.add("blobs", kind=tarfile.DIRTYPE),
    "a device": lambda forged: forged.add(KEY, kind=tarfile.CHRTYPE),
    "a pax header": lambda forged: forged.add("x", b"14 path=/evil\n", tarfile.XHDTYPE),
    "a long name": lambda forged: forged.add("x", b"/evil\0", tarfile.GNUTYPE_LONGNAME),
    "a sparse file": lambda forged: forged.add(KEY, kind=tarfile.GNUTYPE_SPARSE),
    "too big a picture": lambda forged: forged.add(KEY, bytes(33 << 20)),
    "a picture too many": lambda forged: forged.add(KEY, b"a picture"),
    "the same twice": lambda forged: forged.members.insert(1, forged.members[1]),
    "a picture too few": lambda forged: forged.members.pop(1) and None,
    "no database": lambda forged: forged.members.pop(-2) and None,
    "a trigger": lambda forged: forged.change_database(
        "CREATE TRIGGER evil AFTER INSERT ON photos BEGIN DELETE FROM photos; END"
    ),
    "a view": lambda forged: forged.change_database("CREATE VIEW evil AS SELECT 1"),
    "a row that names a file elsewhere": lambda forged: forged.change_database(
        "UPDATE photos SET image_key = '../../../service-token' WHERE image_key IS NOT NULL"
    ),
    "a row that names nothing": lambda forged: forged.change_database(
        "UPDATE generations SET image_key = '0' || substr(image_key, 2)"
    ),
    "orphans": lambda forged: forged.change_database(
        "UPDATE generations SET photo_id = 'none' || number"
    ),
    "a row too many": lambda forged: forged.change_database(
        "INSERT INTO pending_deletions VALUES ('a')"
    ),
    "no tables": lambda forged: forged.change_database(
        "DROP TABLE sent_messages", "DROP TABLE generations"
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("name", FORGERIES)
async def test_a_hostile_file_is_refused(home: Path, file: Path, name: str) -> None:
    forged = Forgery(file)
    FORGERIES[name](forged)
    forged.write()
    assert (await refused(home, file)).startswith(f"{file} cannot be restored: ")
    assert not Path("/evil").exists()


@pytest.mark.parametrize("text", [b"", b"x", b"[" * 4096, b'{"format": "x"}', b'{"format": 1}'])
async def test_what_is_no_backup_at_all(home: Path, file: Path, text: bytes) -> None:
    file.write_bytes(text)
    assert await refused(home, file)
    with tarfile.open(file, "w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("manifest.json")
        info.size, info.mode = 4096, 0o600
        archive.addfile(info, io.BytesIO(text.ljust(4096)[:4096]))
    assert await refused(home, file)


# Killed.

MORTAL = """
import os, runpy, signal, sqlite3, sys
left = int(sys.argv.pop(1))
def step(*_statement):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
def count(event, arguments):
    path = str(arguments[0]) if arguments else ""
    if event in {"open", "os.rename", "os.remove", "os.mkdir"} and "/home/" in path:
        step()
sys.addaudithook(count)
connect = sqlite3.connect
def traced(*arguments, **options):
    connection = connect(*arguments, **options)
    connection.set_trace_callback(step)
    return connection
sqlite3.connect = traced
try:
    runpy.run_module("dbservice.backups.restore", run_name="__main__", alter_sys=True)
finally:
    print(-left)
"""
"""A restore that is killed before the n-th thing that it does to a file or asks of SQLite."""


async def mortal(home: Path, file: Path, n: int) -> tuple[int, int]:
    """The exit code, and how many things it did after the n-th."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", MORTAL, str(n), str(file)),
        env=environment_of(home) | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, int(output.split()[-1]) if output.split() else 0


@pytest.mark.long
async def test_a_kill_at_any_moment_leaves_all_or_nothing_and_another_one_goes_on(
    tmp_path: Path, original: Path, file: Path
) -> None:
    code, total = await mortal(tmp_path / "home" / "all", file, 0)
    assert code == 0
    assert total > 50
    wanted: Rows = rows(database_of(original))
    chance = random.Random(15)
    outcomes = []
    for number in range(KILLS):
        home = tmp_path / "home" / str(number)
        first, last = total * number // KILLS + 1, total * (number + 1) // KILLS
        code, _ = await mortal(home, file, chance.randint(first, last))
        assert code == -signal.SIGKILL
        there = database_of(home).exists()
        outcomes.append(there)
        if there:
            assert rows(database_of(home)) == wanted
        elif number % 2:  # and once more
            assert (await mortal(home, file, chance.randint(1, last)))[0] == -signal.SIGKILL
        if not database_of(home).exists():
            await restore(settings_of(home), file)
        assert is_as(home, original)
        assert not [*home.rglob("*draft")]
    assert False in outcomes
