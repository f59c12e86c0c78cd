"""Backups of rows in PostgreSQL and bytes in S3, which can be restored to any kind of place."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dbservice.backups.backup import back_up
from dbservice.backups.live import LiveServer
from dbservice.backups.restore import restore
from lookalike.errors import StartError
from protos.lookalike.db.v1 import db_pb2 as db
from tests import homes
from tests.dbservice.backups.elsewhere import all_bytes, all_rows, served_at, settings_at
from tests.dbservice.backups.home import fill, photo_of, settings_of
from tests.dbservice.client import Client
from tests.dbservice.conftest import Clock
from tests.postgresql import Server
from tests.s3 import S3

pytestmark = [pytest.mark.slow, pytest.mark.scale]

ADA, BEN = 41, 42


@pytest.fixture
def urls(server: Server) -> Iterator[Iterator[str]]:
    """Databases of PostgreSQL that have no tables."""
    names = []

    def each() -> Iterator[str]:
        while True:
            names.append(server.create())
            yield server.url(names[-1])

    yield each()
    for name in names:
        server.drop(name)


def another_home(home: Path, like: Path) -> Path:
    """With what is to be taken along to it."""
    home.mkdir()
    for name in ("forgotten", "forgotten-key"):
        (home / name).write_bytes((like / name).read_bytes())
    return home


async def test_who_is_forgotten_after_a_backup_comes_back_nowhere(
    tmp_path: Path, urls: Iterator[str], s3: S3, clock: Clock
) -> None:
    home, file = tmp_path / "home", tmp_path / "kept.tar"
    original = settings_at(home, s3, database_url=next(urls), blob_url=s3.url)
    async with served_at(original, clock) as client:
        ids = await fill(client, ADA, BEN)
        await client.settings(db.DIAL_TWIN, user=ADA)
        said = await back_up(original, file)  # while it runs
        assert " 4 photos and pictures " in said
        clock.pass_seconds(60)
        await client.forgotten(ADA)
    assert photo_of(ADA) in file.read_bytes()

    second = settings_at(
        another_home(tmp_path / "second", home),
        s3,
        database_url=next(urls),
        blob_url=f"{s3.url}/second",
    )
    file_and_folder = settings_of(another_home(tmp_path / "third", home))
    left = [photo_of(BEN)]
    for restored in (second, file_and_folder):
        assert "2 of these are left out" in await restore(restored, file)
        told = all_rows(restored.database)
        assert ids[ADA] not in str(told)
        assert {row[0] for row in told["photos"]} == {ids[BEN]}
        assert [data for data in (await all_bytes(restored)).values() if b"photo" in data] == left
        assert not [*restored.lookalike_home.rglob("*restore-draft")]
        async with served_at(restored, clock) as client:
            assert await client.settings(user=ADA) == db.DIAL_UNSPECIFIED
            assert (await client.image(photo_id=ids[BEN]))[1] == photo_of(BEN)
            await fill(client, 43)
    with pytest.raises(StartError, match="has rows already"):
        await restore(second, file)
    stranger = settings_at(tmp_path / "stranger", s3, database_url=next(urls))
    (tmp_path / "stranger").mkdir()
    (tmp_path / "stranger" / "forgotten-key").write_text("another key of 32 bytes or more, it is")
    with pytest.raises(StartError, match="made with another home's forgotten-key"):
        await restore(stranger, file)


async def test_one_of_an_older_version_is_upgraded_on_the_way(
    tmp_path: Path, urls: Iterator[str], s3: S3
) -> None:
    for kept in homes.ALL:
        old, file = tmp_path / kept.name, tmp_path / f"{kept.name}.tar"
        homes.restore(kept, old)
        await back_up(settings_of(old), file)
        new = settings_at(
            tmp_path / f"{kept.name}-new", s3, database_url=next(urls), blob_url=f"{s3.url}/new"
        )
        await restore(new, file)
        assert not [*new.lookalike_home.rglob("*restore-draft*.*-*")]
        async with served_at(new) as client:
            assert len((await client.history()).items) == 1


async def test_what_is_deleted_meanwhile_is_not_in_it(
    tmp_path: Path, urls: Iterator[str], s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kept.tar"
    settings = settings_at(tmp_path / "home", s3, database_url=next(urls), blob_url=s3.url)
    async with served_at(settings) as client:
        await fill(client, ADA, BEN)
        forgets_after_the_first_snapshot(client, monkeypatch)
        await back_up(settings, file)
        there = all_rows(settings.database)
    assert photo_of(ADA) not in file.read_bytes()
    restored = settings_of(another_home(tmp_path / "again", tmp_path / "home"))
    await restore(restored, file)
    assert all_rows(restored.database) == {**there, "forgotten_keys": []}


def forgets_after_the_first_snapshot(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    take, rounds = LiveServer.take, []

    async def take_and_forget(self: LiveServer, copy: Path) -> None:
        await take(self, copy)
        rounds.append(copy)
        if len(rounds) == 1:
            await client.forgotten(ADA)

    monkeypatch.setattr(LiveServer, "take", take_and_forget)


async def test_a_store_that_is_away_is_told_and_passes(
    tmp_path: Path, urls: Iterator[str], s3: S3
) -> None:
    file = tmp_path / "kept.tar"
    settings = settings_at(tmp_path / "home", s3, database_url=next(urls), blob_url=s3.url)
    async with served_at(settings) as client:
        await fill(client, ADA)
    s3.go_away()
    with pytest.raises(StartError, match="S3 does not answer") as error:
        await back_up(settings, file)
    s3.come_back()
    assert error.value.exit_code == StartError.PASSING_EXIT_CODE
    assert not [*tmp_path.glob("kept.tar*")]
    gone = settings.model_copy(
        update={"database_url": "postgresql://me:secret-word@127.0.0.1:1/db"}
    )
    with pytest.raises(StartError, match=r"^The database postgresql://me:\*\*\*@") as error:
        await back_up(gone, file)
    assert error.value.exit_code == StartError.PASSING_EXIT_CODE
