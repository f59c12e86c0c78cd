"""Backups of a bucket are refused in one sentence, before anything is written."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from dbservice.backups.backup import back_up
from dbservice.backups.restore import restore
from dbservice.settings import DbserviceSettings
from lookalike.errors import StartError
from tests.dbservice.client import TOKEN

pytestmark = pytest.mark.scale


async def test_bytes_in_s3_are_neither_backed_up_nor_restored(tmp_path: Path) -> None:
    settings = DbserviceSettings(
        lookalike_home=tmp_path / "home", service_token=SecretStr(TOKEN), blob_url="s3://bucket"
    )
    for task in (back_up, restore):
        with pytest.raises(StartError, match=r"^BLOB_URL names S3: .+\.md says .+\.$") as caught:
            await task(settings, tmp_path / "backup.tar")
        assert caught.value.exit_code == StartError.EXIT_CODE
    assert [*tmp_path.iterdir()] == []
