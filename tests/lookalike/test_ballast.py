"""A database that finds the disk full goes on in the room that its ballast leaves."""

import errno
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lookalike import ballast
from lookalike.database import create_engine
from lookalike.transactions import Transactional


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.db.ballast"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Transactional]:
    database = Transactional(create_engine(f"sqlite:///{tmp_path}/rows.db"))
    await database.run(lambda session: session.execute(text("CREATE TABLE rows (n INTEGER)")))
    yield database
    await database.close()


class FullDisk:
    """Adds a row; the disk is full the first few times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, session: Session) -> int:
        session.execute(text("INSERT INTO rows VALUES (1)"))
        if self.times:
            self.times -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return session.scalar(text("SELECT count(*) FROM rows")) or 0


async def test_a_full_disk_costs_the_ballast_and_not_the_transaction(
    database: Transactional, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert file.stat().st_size == ballast.BYTES
    assert file.stat().st_blocks * 512 >= ballast.BYTES
    assert await database.run(FullDisk(1)) == 1
    assert not file.exists()
    monkeypatch.setattr(ballast, "_PAUSE_SECONDS", 0.0)
    with pytest.raises(OSError, match="No space"):
        await database.run(FullDisk(1))  # so soon there is none again
    usage = shutil.disk_usage(file.parent)
    for free, there in ((2 * ballast.BYTES, False), (4 * ballast.BYTES, True)):
        found = usage._replace(free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path, found=found: found)
        await database.run(FullDisk(0))
        assert file.exists() == there


async def test_it_is_tried_again_once_and_half_of_it_is_not_kept(
    database: Transactional, file: Path
) -> None:
    with pytest.raises(OSError, match="No space"):
        await database.run(FullDisk(2))
    assert not file.exists()
    assert await database.run(FullDisk(0)) == 1
