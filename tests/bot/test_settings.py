"""Wrong settings are refused in one sentence that names the variable."""

from pathlib import Path

import pytest

from bot.settings import BotSettings
from lookalike.errors import StartError

TOKEN = "12345678:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOOKALIKE_HOME", str(tmp_path))
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_BOT_TOKEN", ""),
        ("TELEGRAM_BOT_TOKEN", "hunter2"),
        ("CAPTIONER", "florence"),
        ("BOT_POLL_SECONDS", "0"),
        ("BOT_LISTEN", "5003"),
        ("DBSERVICE_ADDRESS", "10.0.0.1:5002,db.example.org:5002"),
        ("DBSERVICE_ADDRESS", "10.0.0.1:5002,10.0.0.2"),
        ("DBSERVICE_ADDRESS", "10.0.0.1:5002,[::1]:5002"),
        ("BOT_PUBLIC_URL", "bot.example.org"),
        ("BOT_PUBLIC_URL", "ftp://bot.example.org"),
        ("BOT_PUBLIC_URL", "https://"),
        ("BOT_PUBLIC_URL", "https://:443"),
        ("BOT_PUBLIC_URL", "https://ada:hunter2@bot.example.org"),
        ("BOT_PUBLIC_URL", "https://bot.example.org?x=hunter2"),
        ("BOT_PUBLIC_URL", "https://bot.example.org#hunter2"),
        ("BOT_PUBLIC_URL", "https://bot.example.org/a/../hunter2"),
        ("BOT_PUBLIC_URL", "https://bot.example.org/a b"),
        ("BOT_PUBLIC_URL", "https://bot.example.org:99999"),
        ("BOT_PUBLIC_URL", "https://bücher.example"),
        ("BOT_PUBLIC_URL", "http://bot.example.org"),
        ("BOT_PUBLIC_URL", "http://127.0.0.1:0"),
        ("BOT_PUBLIC_URL", "https://bot.example.org:5003"),
        ("BOT_PUBLIC_URL", "https://localhost"),
        ("BOT_ACCESS", "nobody"),
        ("BOT_ADMINS", "ada"),
        ("BOT_ADMINS", "0"),
        ("BOT_ALLOWED", "1,,2"),
        ("BOT_ALLOWED", "12345678901234567890"),
        ("GENERATOR_URL", "127.0.0.1:5001"),
    ],
)
def test_a_wrong_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartError, match=f"^{name}.*\\.$") as caught:
        BotSettings.load()
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_azure_is_not_asked_over_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_VISION_ENDPOINT", "http://vision.example.org")
    with pytest.raises(StartError, match=r"^AZURE_VISION_ENDPOINT: "):
        BotSettings.load()


@pytest.mark.parametrize(
    ("value", "telegram", "found"),
    [
        ("https://bot.example.org", None, "https://bot.example.org"),
        ("https://Bot.Example.org:443/", None, "https://bot.example.org"),
        (
            "https://bot.example.org:8443/look/alike/",
            None,
            "https://bot.example.org:8443/look/alike",
        ),
        ("https://bot.example.org:5003", "http://127.0.0.1:8081", "https://bot.example.org:5003"),
        ("http://bot.lan:80", "http://127.0.0.1:8081", "http://bot.lan"),
        ("http://127.0.0.1:0", "http://localhost:5000", "http://127.0.0.1:7"),
        ("http://[::1]:0/bot", "http://localhost:5000", "http://[::1]:7/bot"),
        ("http://[::1]", "http://localhost:5000", "http://[::1]"),
    ],
)
def test_the_public_address_has_one_form(
    monkeypatch: pytest.MonkeyPatch, value: str, telegram: str | None, found: str
) -> None:
    monkeypatch.setenv("BOT_PUBLIC_URL", value)
    if telegram is not None:
        monkeypatch.setenv("TELEGRAM_API_URL", telegram)
    assert BotSettings.load().public_url_of("0.0.0.0:7") == found


def test_without_a_public_address_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_PUBLIC_URL", "")
    assert BotSettings.load().public_url_of("127.0.0.1:7") is None


def test_a_port_that_telegram_does_not_deliver_to_is_told_with_those_that_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BOT_PUBLIC_URL", "https://bot.example.org:5003")
    with pytest.raises(StartError, match="443, 80, 88 and 8443"):
        BotSettings.load()


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("BOT_POLL_SECONDS=3\nCAPTIONER=offline\n")
    monkeypatch.setenv("BOT_POLL_SECONDS", "1.5")
    settings = BotSettings.load()
    assert settings.bot_poll_seconds == 1.5
    assert settings.captioner == "offline"


def test_several_dbservices_have_commas_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBSERVICE_ADDRESS", "10.0.0.1:5002, 10.0.0.2:5002")
    assert BotSettings.load().dbservice_address == "10.0.0.1:5002,10.0.0.2:5002"


def test_ids_have_commas_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_ADMINS", "1234567")
    monkeypatch.setenv("BOT_ALLOWED", "42, -1001234567890")
    settings = BotSettings.load()
    assert settings.bot_admins == {1234567}
    assert settings.bot_allowed == {42, -1001234567890}
    monkeypatch.setenv("BOT_ALLOWED", "")
    assert BotSettings.load().bot_allowed == frozenset()


def test_a_bot_of_which_nobody_has_said_whom_it_is_for_is_for_everyone() -> None:
    settings = BotSettings.load()
    assert settings.bot_access is None
    assert settings.access.policy == "everyone"


def test_secrets_are_known_to_the_redaction() -> None:
    settings = BotSettings.load()
    assert TOKEN in settings.secrets()
    assert settings.bearer_token in settings.secrets()
    assert settings.webhook_secret in settings.secrets()
    assert TOKEN not in repr(settings)
