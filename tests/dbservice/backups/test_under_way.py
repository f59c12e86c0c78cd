"""What was under way when a backup was made has gone on since: it is not begun again."""

from pathlib import Path

import pytest

from dbservice.backups.backup import back_up
from dbservice.backups.restore import restore
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice import test_broadcasts
from tests.dbservice.backups.home import (
    served,
    settings_of,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


async def test_a_broadcast_under_way_has_gone_on_since(tmp_path: Path, home: Path) -> None:
    original = tmp_path / "original"
    async with served(original) as client:
        await test_broadcasts.members(client, 1, 2, 3)
        begun = (await test_broadcasts.begin(client)).broadcast
        await test_broadcasts.advance(client, begun.step, limit=1)
    file = tmp_path / "kept.tar"
    await back_up(settings_of(original), file)
    await restore(settings_of(home), file)
    async with served(home) as client:
        assert await test_broadcasts.get(client) is None
        again = (await test_broadcasts.begin(client)).broadcast
        assert again.state == db.BROADCAST_STATE_CANCELLED


async def test_an_export_under_way_has_gone_on_since(tmp_path: Path, home: Path) -> None:
    original = tmp_path / "original"
    async with served(original) as client:
        await client.ask_to_export(1)
        await client.exported(2)
    file = tmp_path / "kept.tar"
    await back_up(settings_of(original), file)
    await restore(settings_of(home), file)
    async with served(home) as client:
        assert not await client.exports()
        for user, answer in (
            (1, db.EXPORT_ANSWER_BEGUN),
            (2, db.EXPORT_ANSWER_TOO_SOON),
        ):
            assert (await client.ask_to_export(user, message=951)).answer == answer
