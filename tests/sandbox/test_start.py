"""What keeps the sandbox from starting, each in one sentence."""

import sqlite3
from pathlib import Path

import pytest

from lookalike.errors import StartError
from sandbox.settings import SandboxSettings
from sandbox.storage.database import Database
from sandbox.telegram.profile import describe_profile
from tests.sandbox.conftest import TOKEN

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("change", "description"),
    [
        (
            {"TELEGRAM_BOT_TOKEN": ""},
            "TELEGRAM_BOT_TOKEN is not set; `lookalike init` asks",
        ),
        ({"TELEGRAM_BOT_TOKEN": "s3cret"}, "TELEGRAM_BOT_TOKEN: write it as Telegram does"),
        ({"SANDBOX_LISTEN": "0.0.0.0:5000"}, "SANDBOX_LISTEN: the sandbox serves this machine"),
        ({"SANDBOX_LISTEN": "here"}, "SANDBOX_LISTEN: write it as host:port"),
    ],
)
def test_settings_that_cannot_be_used(
    change: dict[str, str], description: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TELEGRAM_BOT_TOKEN": TOKEN, **change}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StartError) as error:
        SandboxSettings.load()
    assert str(error.value).startswith(description)
    assert "s3cret" not in str(error.value)


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "sandbox.db").write_bytes(b"no database" * 100)
    with pytest.raises(StartError, match=r"sandbox\.db cannot be used: file is not a database"):
        await Database.open(tmp_path)


async def test_a_database_of_another_version(tmp_path: Path) -> None:
    await (await Database.open(tmp_path)).close()
    connection = sqlite3.connect(tmp_path / "sandbox.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StartError, match="written by another version of the sandbox"):
        await Database.open(tmp_path)


async def test_a_database_from_before_a_table_gets_it(tmp_path: Path) -> None:
    await (await Database.open(tmp_path)).close()
    connection = sqlite3.connect(tmp_path / "sandbox.db")
    for table in ("profile", "client_markups"):
        connection.execute(f"DROP TABLE {table}")
    connection.close()
    database = await Database.open(tmp_path)
    async with database.reading() as tx:
        assert (await describe_profile(tx))["photo"] is None
    await database.close()


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot be made"):
        await Database.open(tmp_path / "file" / "sandbox")


async def test_a_folder_that_another_sandbox_uses(tmp_path: Path) -> None:
    database = await Database.open(tmp_path)
    with pytest.raises(StartError, match=r"^Another process uses .*sandbox\.db\.$"):
        await Database.open(tmp_path)
    await database.close()
