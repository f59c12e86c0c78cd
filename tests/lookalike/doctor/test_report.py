"""`lookalike doctor --report`: what helps is in it, and nothing that is somebody's own."""

import re
import stat
from pathlib import Path
from typing import Final

import click
import pytest

from lookalike.cli import given, report
from tests import commands
from tests.docs.documents import ROOT
from tests.lookalike.doctor.findings import Environment
from tests.stack import TOKEN

MARK: Final = "marked"
"""In every value that must not be told."""

MARKED: Final = {
    "AWS_ENDPOINT_URL": "https://marked-s3.example.org",
    "AZURE_VISION_ENDPOINT": "https://marked-vision.example.org/",
    "BLOB_URL": "s3://marked-bucket/photos",
    "BOT_ADMINS": "81234567,81234568",
    "BOT_ALLOWED": "-1008123456789",
    "BOT_PRIVACY_URL": "https://marked.example.org/privacy?of=marked-query",
    "BOT_PUBLIC_URL": "https://marked-bot.example.org",
    "DATABASE_URL": "postgresql://marked-user:marked%20word@marked-db.example.org/rows?sslkey=marked",
    "DBSERVICE_ADDRESS": "10.81.2.3:5002,10.81.2.4:5002",
    "GENERATOR_DATABASE_URL": "sqlite:////srv/marked/jobs.db",
    "GENERATOR_MODEL": "/srv/marked/model",
    "TELEGRAM_BOT_TOKEN": TOKEN,
}
"""Values of a kind of their own; every other setting that is not told has one of a kind."""

IDS: Final = ("81234567", "81234568", "8123456789", "10.81.2.3", "10.81.2.4", TOKEN)

TOLD: Final = {
    "BOT_LISTEN": "127.0.0.1:5003",
    "GENERATOR_URL": "http://127.0.0.1:5001",
    "GENERATOR_LCM_LORA": "latent-consistency/lcm-lora-sdv1-5",
    "CAPTIONER": "azure",
    "RETENTION_DAYS": "90",
}


def value_of(name: str) -> str:
    return MARKED.get(name) or TOLD.get(name) or f"{MARK}-Value:of/{name}"


@pytest.fixture
def all_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each setting has a value, half of them in `.env`; gives where the report goes."""
    secret = tmp_path / "secret"
    secret.write_text("postgresql://ada:marked-in-a-file@marked-other.example.org/rows\n")
    lines = []
    for number, name in enumerate(given.known()):
        value = str(secret) if name.endswith("_FILE") else value_of(name)
        if number % 2:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name, raising=False)
            lines.append(f"{name}={value}\n")
    Path(".env").write_text("".join(lines))
    home = tmp_path / "marked home"
    monkeypatch.setenv("LOOKALIKE_HOME", str(home))
    monkeypatch.setenv("HTTPS_PROXY", "http://marked:marked@proxy.example.org:3128")
    (home / "dbservice" / "blobs" / "ab").mkdir(parents=True)
    (home / "dbservice" / "blobs" / "ab" / "marked.jpg").write_bytes(b"x" * 2_000)
    (home / "dbservice" / "lookalike.db").write_bytes(b"x" * 5_000)
    return tmp_path / "report.txt"


def test_nothing_that_is_somebodys_own_is_told(all_set: Path) -> None:
    findings = [f"ok  {name}: {value}." for name, value in given.given().items()]
    assert len(findings) == len(given.known())
    findings += [
        "failed  photos: marked word at marked-db.example.org, [10.81.2.3]: marked-in-a-file"
    ]
    findings += [f"ok  token: The token is that of @{MARK}_bot.", f"{all_set.parent}/marked home"]
    report.write(all_set, findings)
    text = all_set.read_text()
    assert MARK not in text.lower()
    for each in (*IDS, TOKEN.partition(":")[2], "example.org"):
        assert each not in text
    assert "The token is that of @[redacted]." in text


def test_what_is_set_is_told_and_values_that_are_nobodys(all_set: Path) -> None:
    report.write(all_set, ["machine", "     ok  disk: there is room."])
    lines = {line.strip() for line in all_set.read_text().splitlines()}
    assert {line.partition("=")[0] for line in lines if "=" in line} == set(given.known())
    assert lines >= {f"{name}={value}" for name, value in TOLD.items()}
    assert lines >= {
        "TELEGRAM_BOT_TOKEN=[redacted]",
        "DATABASE_URL=postgresql://[redacted]",
        "BLOB_URL=s3://[redacted]",
        "GENERATOR_MODEL=[redacted]",
        "HTTPS_PROXY",
        "ok  disk: there is room.",
    }
    assert stat.S_IMODE(all_set.stat().st_mode) == 0o600


def test_how_much_is_kept_is_told(
    all_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in given.known():
        monkeypatch.delenv(name, raising=False)
    Path(".env").unlink()
    monkeypatch.setenv("LOOKALIKE_HOME", str(tmp_path / "marked home"))
    report.write(all_set, [])
    text = all_set.read_text()
    assert "dbservice/lookalike.db: 5.0 kB\n" in text
    assert "dbservice/blobs/: 2.0 kB in 1 file\n" in text
    assert "generator/jobs.db: not there\n" in text


def test_what_is_measured_lies_where_the_documents_say() -> None:
    page = (ROOT / "docs" / "running.md").read_text()
    for name in report.KEPT:
        assert re.search(rf"^\| .*`{name}`", page, re.MULTILINE), name


def test_settings_that_are_told_exist_and_are_no_secrets() -> None:
    assert set(given.known()) >= report.PLAIN | report.MODELS
    for name in report.PLAIN:
        assert not re.search("TOKEN|KEY|URL|FILE|ADMINS|ALLOWED|NOTICE|NOTE|LISTEN|ADDRESS", name)


def test_a_secret_in_the_wrong_place_is_not_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CAPTIONER", "0123456789abcdef0123456789abcdef")
    report.write(tmp_path / "report.txt", [])
    assert "0123456789abcdef" not in (tmp_path / "report.txt").read_text()


@pytest.mark.parametrize("there", ["a file", "a link to nowhere"])
def test_what_is_there_is_not_written_over(there: str, tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    if there == "a file":
        path.touch()
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(click.ClickException, match="cannot be written: File exists"):
        report.write(path, [])


@pytest.mark.slow
def test_the_doctor_writes_it_once_and_tells_no_secret(
    environment: Environment, tmp_path: Path
) -> None:
    (tmp_path / "url").write_text("postgresql://ada:marked-word@127.0.0.1:9/rows\n")
    (tmp_path / "url").chmod(0o644)
    told = {
        **environment,
        "TELEGRAM_API_URL": "http://127.0.0.1:9",
        "DATABASE_URL_FILE": str(tmp_path / "url"),
        "SERVICE_TOKEN": "marked-token-of-the-services",
        "BOT_ADMINS": "81234567",
    }
    arguments = ("doctor", "--report", "report.txt")
    first = commands.run(*arguments, folder=tmp_path, environment=told)
    assert "Written to report.txt, without secrets; read it before you pass it on." in first.stdout
    text = (tmp_path / "report.txt").read_text()
    for part in (
        "lookalike ",
        "torch ",
        "TELEGRAM_BOT_TOKEN=[redacted]",
        "DATABASE_URL_FILE=[redacted]",
        "warning  secrets: Other users of this machine can read the file that DATABASE_URL_FILE",
        "failed  token: http://127.0.0.1:9 cannot be reached",
        "failed  database: ",
        "captioner: Azure AI Vision takes the key",
        "emoji loads",
    ):
        assert part in text, part
    for secret in (MARK, "81234567", TOKEN.partition(":")[2], told["AZURE_VISION_KEY"]):
        assert secret not in text
    assert str(tmp_path) not in text

    second = commands.run(*arguments, folder=tmp_path, environment=told)
    assert second.returncode == 1
    assert second.stderr == "Error: report.txt is there already; name another file.\n"
    assert second.stdout == ""
    assert (tmp_path / "report.txt").read_text() == text
