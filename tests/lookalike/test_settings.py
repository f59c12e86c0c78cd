"""Settings say what is wrong with them, all at once, before anything is sent or written."""

import os
import stat
from pathlib import Path

import pytest

from bot.settings import BotSettings
from dbservice.settings import DbserviceSettings
from generator.settings import GeneratorSettings
from lookalike.cli.spelling import misspelt
from lookalike.errors import StartError
from lookalike.processes import clean_environment
from lookalike.settings import Settings, folder_of
from sandbox.settings import SandboxSettings
from tests.commands import run, started
from tests.stack import TOKEN, create_stack

KEY = "AZURE_VISION_KEY"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, where `.env` is, and the home of `~`."""
    for name in {*BotSettings.model_fields, *GeneratorSettings.model_fields}:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOOKALIKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)
    return tmp_path


@pytest.mark.parametrize("name", ["SERVICE_TOKEN", KEY, "TELEGRAM_BOT_TOKEN"])
@pytest.mark.parametrize("wrong", ["ü", "\u2026", " ", "\x7f", "\nX-Forged: 1", "\t"])
def test_what_no_header_can_carry_is_refused(
    name: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = f"{TOKEN}{wrong}{'a' * 20}"
    monkeypatch.setenv(name, value)
    with pytest.raises(StartError, match=rf"^{name}: .*\.$") as caught:
        BotSettings.load()
    assert caught.value.exit_code == 78
    assert value not in str(caught.value)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_line_end_is_no_part_of_a_secret(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERVICE_TOKEN", KEY, "TELEGRAM_BOT_TOKEN"):
        monkeypatch.setenv(name, TOKEN + end)
    settings = BotSettings.load()
    assert settings.bearer_token == TOKEN
    assert set(settings.secrets()) == {TOKEN, settings.webhook_secret}
    assert SandboxSettings.load().telegram_bot_token.get_secret_value() == TOKEN


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le"])
def test_an_env_file_that_is_not_utf_8_is_one_sentence(home: Path, encoding: str) -> None:
    (home / ".env").write_bytes("BOT_NOTICE=Grüße\n".encode(encoding))
    with pytest.raises(StartError, match=r"^\.env is not UTF-8; save it as that\.$"):
        Settings.load()


def test_an_env_file_may_begin_with_a_mark(home: Path) -> None:
    (home / ".env").write_bytes("BOT_NOTICE=Grüße\n".encode("utf-8-sig"))
    assert BotSettings.load().bot_notice == "Grüße"


def test_an_env_file_that_cannot_be_read_is_one_sentence(home: Path) -> None:
    (home / ".env").mkdir()
    with pytest.raises(StartError, match=r"^\.env cannot be read: Is a directory\.$"):
        Settings.load()


def test_the_home_folder_is_expanded_in_every_path(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKALIKE_HOME", "~/home")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///~/rows.db")
    monkeypatch.setenv("BLOB_URL", "file:///~/bytes")
    monkeypatch.setenv("GENERATOR_DATABASE_URL", "sqlite:///~/jobs.db")
    monkeypatch.setenv("GENERATOR_RESULTS_URL", "file:///~/results")
    dbservice, generator = DbserviceSettings.load(), GeneratorSettings.load()
    assert dbservice.lookalike_home == home / "home"
    assert dbservice.database == f"sqlite:///{home}/rows.db"
    assert folder_of(dbservice.blobs) == home / "bytes"
    assert generator.database_url == f"sqlite:///{home}/jobs.db"
    assert folder_of(generator.results) == home / "results"
    monkeypatch.setenv("LOOKALIKE_HOME", "~nobody-of-this-name/home")
    with pytest.raises(StartError, match=r"^LOOKALIKE_HOME: there is no home folder for ~nobody"):
        Settings.load()


@pytest.mark.parametrize("name", ["TELEGRAM_API_URL", "GENERATOR_URL", "AZURE_VISION_ENDPOINT"])
def test_plain_http_is_for_loopback(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("http://127.0.0.1:5000", "http://localhost:5000", "https://elsewhere.example"):
        monkeypatch.setenv(name, url)
        BotSettings.load()
    monkeypatch.setenv(name, "http://elsewhere.example")
    with pytest.raises(StartError, match=rf"^{name}: http would send the .* in the clear"):
        BotSettings.load()


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN")
    monkeypatch.setenv("CAPTIONER", "florence")
    monkeypatch.setenv("BOT_LISTEN", "5003")
    monkeypatch.setenv("BOT_POLL_SECONDS", "0")
    with pytest.raises(StartError) as caught:
        BotSettings.load()
    said = str(caught.value)
    assert said.startswith("TELEGRAM_BOT_TOKEN is not set; `lookalike init` asks for it. ")
    for name in ("CAPTIONER: ", "BOT_LISTEN: ", "BOT_POLL_SECONDS: "):
        assert said.count(name) == 1
    assert "\n" not in said


def test_a_misspelt_name_is_told_with_the_nearest_right_one(home: Path) -> None:
    assert misspelt() == []
    (home / ".env").write_text(
        "CAPTONER=blip\nTELEGRAM_TOKEN=1\nHF_TOKEN=x\nPATH=/bin\nGENERATOR_MODEL=emoji\n"
        "generator_preset=fast\n"
    )
    assert misspelt() == [
        "CAPTONER in .env is no setting; do you mean CAPTIONER?",
        "TELEGRAM_TOKEN in .env is no setting; do you mean TELEGRAM_BOT_TOKEN?",
    ]


@pytest.mark.long
@pytest.mark.slow
def test_up_and_the_doctor_warn_of_a_misspelt_name(home: Path) -> None:
    (home / ".env").write_text("CAPTONER=blip\n")
    environment = create_stack(home / "home", {"GENERATOR_MODEL": "./nowhere"}).environment
    sentence = "CAPTONER in .env is no setting; do you mean CAPTIONER?"
    refused = run("up", folder=home, environment=environment)  # it may be why something lacks
    assert refused.stderr.endswith(f"\n  {sentence}\n")
    told = {**environment, "GENERATOR_MODEL": "emoji", "TELEGRAM_API_URL": "http://127.0.0.1:9"}
    with started("up", folder=home, environment=told) as command:
        command.wait_for(f" up WARNING .*{sentence}")
    said = run("doctor", folder=home, environment=environment).stdout
    assert f"warning  .env: {sentence}" in said


@pytest.mark.long
@pytest.mark.slow
def test_a_home_takes_every_character_and_is_its_owners_alone(
    home: Path,
) -> None:
    before = os.umask(0o022)
    try:
        place = home / "what? #1 100% [bold]:cat:"
        with create_stack(place, {"CAPTIONER": "offline"}) as stack:
            stack.start()
            assert set(stack.stop().values()) == {0}
    finally:
        os.umask(before)
    for name in ("dbservice/lookalike.db", "generator/jobs.db", "sandbox/sandbox.db"):
        assert (place / name).exists()
    assert {path.name for path in home.iterdir()} == {place.name}
    for path in [place, *place.rglob("*")]:
        if "logs" not in path.relative_to(home).parts:  # whoever starts the services writes these
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), f"{path}: {mode:o}"


@pytest.mark.long
@pytest.mark.slow
def test_the_demo_shows_names_as_they_are(home: Path) -> None:
    photo = home / "[red]:cat:.jpg"
    photo.write_bytes(b"\xff\xd8\xff and no photo")  # which only decoding tells
    environment = {**clean_environment(), "LOOKALIKE_HOME": str(home / "[bold]home")}
    said = run("demo", str(photo), folder=home, environment=environment).stdout
    assert "[bold]home" in said
    assert "the photo was not accepted" in said
    for path in (home / "[bold]home").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path}: {mode:o}"
