"""An older backup brings nobody back who was forgotten since, and everybody else is all there."""

import asyncio
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from dbservice.backups.backup import back_up
from dbservice.backups.restore import restore
from dbservice.burying import OF_USERS
from dbservice.models import Base
from dbservice.server import running
from protos.lookalike.db.v1 import db_pb2 as db
from tests import commands
from tests.dbservice import test_broadcasts
from tests.dbservice.backups.home import (
    database_of,
    environment_of,
    fill,
    photo_of,
    rows,
    settings_of,
    stored,
    unpack,
)
from tests.dbservice.backups.test_restore import mortal
from tests.dbservice.client import BOT, Client, files, folder_of_bytes
from tests.dbservice.conftest import Clock

ADA, BEN = 41, 42

OF_SOMEBODY = {table.name for table in Base.metadata.tables.values() if "user_id" in table.columns}
"""The tables whose rows name a user."""

KILLS = 16
"""Evenly spread over all that a restore does."""


async def invited(client: Client, user: int) -> None:
    made = await client.call(
        client.stub.CreateInvite,
        db.CreateInviteRequest(bot_id=BOT, max_uses=1, lifetime_seconds=3600),
    )
    redeem = db.RedeemInviteRequest(bot_id=BOT, user_id=user, secret=made.secret)
    answer = await client.call(client.stub.RedeemInvite, redeem)
    assert answer.redemption == db.REDEMPTION_ACCEPTED


async def cancelled(client: Client, user: int) -> None:
    """A broadcast that this user has not begun."""
    request = db.CancelBroadcastRequest(bot_id=BOT, user_id=user, message_id=5)
    await client.call(client.stub.CancelBroadcast, request)


async def forget_after_a_backup(home: Path, file: Path, clock: Clock) -> dict[int, str]:
    """Ada and Ben have pictures, which are backed up, and then Ada is forgotten; photos' ids.

    Just then a broadcast is sent to both of them; Ada has asked for one before.
    """
    async with (
        running(settings_of(home), clock, ()) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        client = Client(channel)
        ids = await fill(client, ADA, BEN)
        for user in (ADA, BEN):
            await client.settings(db.DIAL_TWIN, user=user)
            await invited(client, user)
            await client.exported(user)
            await client.cancel(user=user, before=1)
        await cancelled(client, ADA)
        begun = (await test_broadcasts.begin(client)).broadcast
        await test_broadcasts.advance(client, begun.step)
        await back_up(settings_of(home), file)
        clock.pass_seconds(60)
        await client.forgotten(ADA)
    return ids


def users(database: Path) -> dict[str, set[int]]:
    """Whom the rows of each table name that name somebody."""
    with closing(sqlite3.connect(database)) as connection:
        return {
            table: {user for (user,) in connection.execute(f"SELECT user_id FROM {table}")}
            for table in OF_SOMEBODY
        }


def put_aside(home: Path) -> None:
    """As docs/running.md says."""
    (home / "dbservice").rename(home / "dbservice-aside")


def traces(home: Path) -> bytes:
    """All bytes of a home's database and photos, whatever the files are called."""
    found = (path for path in (home / "dbservice").rglob("*") if path.is_file())
    return b"".join(path.read_bytes() for path in found)


async def test_nothing_of_who_was_forgotten_since_is_in_what_is_restored(
    tmp_path: Path, clock: Clock
) -> None:
    home, file = tmp_path / "home", tmp_path / "kept.tar"
    ids = await forget_after_a_backup(home, file, clock)
    assert photo_of(ADA) in file.read_bytes()
    assert photo_of(ADA) not in traces(home)
    put_aside(home)
    said = await restore(settings_of(home), file)
    assert "2 of these are left out" in said
    left = traces(home)
    for trace in (ids[ADA].encode(), b"user 000041", f"file-{ADA}".encode()):
        assert trace not in left
    for trace in (ids[BEN].encode(), photo_of(BEN), f"file-{BEN}".encode()):
        assert trace in left
    assert not [*home.rglob("*restore-draft*")]


def test_all_that_names_a_user_is_known() -> None:
    stays = {
        "owners",  # whose a bot is: a setting more than somebody's data
        "bans",  # or who is banned would come back by being forgotten
    }
    otherwise = {
        "generations",  # with their photos
        "kept_of_users",  # is counted anew
        "forgettings",  # one that is in a backup is carried through once it is restored
    }
    assert {*OF_USERS} == OF_SOMEBODY - stays - otherwise


async def test_in_a_database_put_in_place_by_hand_nothing_names_them_either(
    tmp_path: Path, clock: Clock
) -> None:
    home, file = tmp_path / "home", tmp_path / "kept.tar"
    await forget_after_a_backup(home, file, clock)
    backed_up = unpack(file, tmp_path / "unpacked")
    before = users(backed_up)
    assert all(ADA in before[table] for table in OF_USERS)
    database_of(home).write_bytes(backed_up.read_bytes())
    async with running(settings_of(home), clock, ()):
        pass
    assert users(database_of(home)) == {table: named - {ADA} for table, named in before.items()}


async def test_of_everybody_else_all_is_there(tmp_path: Path, clock: Clock) -> None:
    home, file = tmp_path / "home", tmp_path / "kept.tar"
    await forget_after_a_backup(home, file, clock)
    before, bytes_before = rows(database_of(home)), stored(home)
    put_aside(home)
    await restore(settings_of(home), file)
    after = rows(database_of(home))
    for table in (
        "photos",
        "generations",
        "user_settings",
        "members",
        "exports",
        "kept_of_users",
        "kept_of_all",
    ):
        assert len(after[table]) == 1, table
        assert after[table] == before[table], table
    assert stored(home) == bytes_before


async def test_what_they_have_sent_since_stays(tmp_path: Path, clock: Clock) -> None:
    home, file, later = tmp_path / "home", tmp_path / "kept.tar", tmp_path / "later.tar"
    await forget_after_a_backup(home, file, clock)
    clock.pass_seconds(60)
    async with (
        running(settings_of(home), clock, ()) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        client = Client(channel)
        await fill(client, ADA)
        await client.settings(db.DIAL_COUSIN, user=ADA)
        await test_broadcasts.cancel(client)
        await test_broadcasts.close(client)
    await back_up(settings_of(home), later)
    before, bytes_before = rows(database_of(home)), stored(home)
    put_aside(home)
    await restore(settings_of(home), later)
    assert rows(database_of(home)) == before
    assert stored(home) == bytes_before


async def test_a_home_learns_from_a_backup_who_was_forgotten(tmp_path: Path, clock: Clock) -> None:
    """The home is another one; the key was taken along."""
    home, file, later = tmp_path / "home", tmp_path / "kept.tar", tmp_path / "later.tar"
    await forget_after_a_backup(home, file, clock)
    await back_up(settings_of(home), later)
    new = tmp_path / "new"
    new.mkdir()
    (new / "forgotten-key").write_bytes((home / "forgotten-key").read_bytes())
    await restore(settings_of(new), later)
    put_aside(new)
    await restore(settings_of(new), file)
    assert photo_of(ADA) not in traces(new)
    async with (
        running(settings_of(new), clock, ()) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        assert await Client(channel).settings(user=ADA) == db.DIAL_UNSPECIFIED
        assert await Client(channel).settings(user=BEN) == db.DIAL_TWIN
    assert len(files(folder_of_bytes(settings_of(new)))) == 2


@pytest.mark.long
@pytest.mark.slow
async def test_killed_at_any_moment_a_restore_brings_nobody_back(
    tmp_path: Path, clock: Clock
) -> None:
    """Whether it is run again then, or dbservice is started as it is."""
    original, file = tmp_path / "original", tmp_path / "kept.tar"
    ids = await forget_after_a_backup(original, file, clock)

    def new_home(name: str) -> Path:
        home = tmp_path / "home" / name
        home.mkdir(parents=True)
        for known in ("forgotten", "forgotten-key"):
            (home / known).write_bytes((original / known).read_bytes())
        return home

    code, total = await mortal(new_home("all"), file, 0)
    assert code == 0
    was_left = set()
    for number in range(KILLS):
        home = new_home(str(number))
        code, _ = await mortal(home, file, total * number // KILLS + 1)
        assert code == -signal.SIGKILL
        was_left.add(f"file-{ADA}".encode() in traces(home))
        is_restored = number % 2 == 1
        if is_restored and not database_of(home).exists():
            await restore(settings_of(home), file)
        async with (
            running(settings_of(home), clock, ()) as service,
            grpc.aio.insecure_channel(service.address) as channel,
        ):
            assert await Client(channel).settings(user=ADA) == db.DIAL_UNSPECIFIED
            assert not await Client(channel).status(user=ADA)
        left = traces(home)
        for trace in (ids[ADA].encode(), b"user 000041", f"file-{ADA}".encode()):
            assert trace not in left, number
        assert (photo_of(BEN) in left) or not is_restored
    assert was_left == {True, False}, "some of these kills were before the burying, some after"


@pytest.mark.slow
async def test_the_command_says_how_much_it_leaves_out(tmp_path: Path, clock: Clock) -> None:
    home, file = tmp_path / "home", tmp_path / "kept.tar"
    await forget_after_a_backup(home, file, clock)
    put_aside(home)
    done = await asyncio.to_thread(
        commands.run, "restore", str(file), folder=tmp_path, environment=environment_of(home)
    )
    assert done.returncode == 0
    assert "of people who were forgotten since" in done.stdout
