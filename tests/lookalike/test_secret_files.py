"""Secrets in files: every one that a setting can have, and sentences that tell none."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr

from bot.settings import BotSettings
from dbservice.settings import DbserviceSettings
from generator.settings import GeneratorSettings
from lookalike import secret_files
from lookalike.errors import StartError
from lookalike.settings import Settings
from sandbox.settings import SandboxSettings
from tests.stack import TOKEN

SERVICES: Final = (BotSettings, DbserviceSettings, GeneratorSettings, SandboxSettings)

URL: Final = "postgresql://ada:pa%20ss@db.example.org/rows"

VALUES: Final = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "of-credentials-that-expire",
    "AZURE_VISION_KEY": "0123456789abcdef0123456789abcdef",
    "DATABASE_URL": URL,
    "GENERATOR_DATABASE_URL": URL,
    "MOVE_DATABASE_URL": URL,
    "SERVICE_TOKEN": "a-token-of-our-services",
    "TELEGRAM_BOT_TOKEN": TOKEN,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of `~`; no secret is set but the one that the bot needs."""
    for name in VALUES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)
    return tmp_path


def _has_secret(service: type[Settings], name: str) -> bool:
    """Whether a setting is a secret, or the address of a database, which may have a password."""
    kind = service.model_fields[name].annotation
    return "SecretStr" in str(kind) or name.endswith("database_url")


def test_every_secret_may_be_in_a_file() -> None:
    found: set[str] = set()
    for service in SERVICES:
        secrets = {name for name in service.model_fields if _has_secret(service, name)}
        assert secret_files.variables(service.model_fields).keys() == secrets
        found |= secrets
    assert {name.upper() for name in found} == VALUES.keys()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_the_value_is_what_the_file_has_without_line_ends(
    home: Path, service: type[Settings], end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN")
    for name, value in VALUES.items():
        (home / name).write_bytes((value + end).encode())
        monkeypatch.setenv(f"{name}_FILE", f"~/{name}")
    settings = service.load()
    for field in secret_files.variables(service.model_fields):
        value = getattr(settings, field)
        told = value.get_secret_value() if isinstance(value, SecretStr) else value
        assert told == VALUES[field.upper()]
        redacted = "pa ss" if told == URL else told
        assert redacted in settings.given_secrets()


def test_the_env_file_may_name_it_and_an_editors_mark_is_none_of_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLDER", str(home))  # as systemd sets CREDENTIALS_DIRECTORY
    Path(".env").write_text("SERVICE_TOKEN_FILE=${FOLDER}/token\nSERVICE_TOKEN=\n")
    (home / "token").write_bytes(b"\xef\xbb\xbf" + VALUES["SERVICE_TOKEN"].encode())
    assert Settings.load().bearer_token == VALUES["SERVICE_TOKEN"]


def test_the_environment_names_another_file_than_the_env_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text("SERVICE_TOKEN_FILE=/nowhere\n")
    (home / "token").write_text(VALUES["SERVICE_TOKEN"])
    monkeypatch.setenv("SERVICE_TOKEN_FILE", str(home / "token"))
    assert Settings.load().bearer_token == VALUES["SERVICE_TOKEN"]


def _refused(service: type[Settings] = BotSettings) -> str:
    """The sentences with which a start is refused."""
    with pytest.raises(StartError) as caught:
        service.load()
    assert caught.value.exit_code == 78
    return str(caught.value)


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_both_are_refused(home: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "token").write_text(TOKEN)
    if where == ".env":
        Path(".env").write_text(f"TELEGRAM_BOT_TOKEN_FILE={home}/token\n")
    else:
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN_FILE", str(home / "token"))
    assert _refused() == (
        "TELEGRAM_BOT_TOKEN: TELEGRAM_BOT_TOKEN_FILE is set as well; keep one of them."
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"x" * (64 * 1024 + 1), "has more than 64 KiB, so it is no secret"),
        (b"gr\xfc\xdfe" * 4, "is not UTF-8"),
    ],
)
@pytest.mark.parametrize("name", VALUES)
def test_what_cannot_be_a_secret_is_refused_in_one_sentence(
    home: Path, name: str, content: bytes | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN")
    service = next(each for each in SERVICES if name.lower() in each.model_fields)
    (home / "TELEGRAM_BOT_TOKEN").write_text(TOKEN)
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN_FILE", str(home / "TELEGRAM_BOT_TOKEN"))
    if content is not None:
        (home / "marked").write_bytes(content)
    monkeypatch.setenv(f"{name}_FILE", str(home / "marked"))
    said = _refused(service)
    assert said == f"{name}: the file that {name}_FILE names {reason}."


def test_a_secret_in_place_of_the_file_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_VISION_KEY_FILE", VALUES["AZURE_VISION_KEY"])
    assert VALUES["AZURE_VISION_KEY"] not in _refused()


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_refused_and_not_waited_for(
    home: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    make(home / "marked")
    monkeypatch.setenv("SERVICE_TOKEN_FILE", str(home / "marked"))
    assert _refused(Settings) == (
        "SERVICE_TOKEN: the file that SERVICE_TOKEN_FILE names is no file."
    )


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN_FILE", "/nowhere")
    monkeypatch.setenv("AZURE_VISION_KEY_FILE", "/nowhere")
    monkeypatch.setenv("BOT_LISTEN", "5003")
    said = _refused()
    for name in ("SERVICE_TOKEN: ", "AZURE_VISION_KEY: ", "BOT_LISTEN: "):
        assert said.count(name) == 1
