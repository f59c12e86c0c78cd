"""`lookalike doctor --report`: what helps is in it, and nothing that is somebody's own."""

import os
import re
import resource
import stat
from collections.abc import Generator
from pathlib import Path
from typing import Final

import click
import pytest

from bot import doctor_updates
from bot.settings import BotSettings
from bot.web import webhook
from dbservice.settings import DbserviceSettings
from lookalike import database, storage
from lookalike.cli import doctor, given, report
from lookalike.errors import StartError
from tests import commands
from tests.docs.documents import ROOT
from tests.lookalike.doctor.findings import Environment
from tests.stack import TOKEN

MARK: Final = "marked"
"""In every value that must not be shown."""

MARKED: Final = {
    "AWS_ENDPOINT_URL": "https://marked-s3.example.org",
    "AZURE_VISION_ENDPOINT": "https://marked-vision.example.org/",
    "BLOB_URL": "s3://marked-bucket/photos/",
    "BOT_ADMINS": "81234567,81234568",
    "BOT_ALLOWED": "-1008123456789",
    "BOT_PRIVACY_URL": "https://marked.example.org/privacy?of=marked-query",
    "BOT_PUBLIC_URL": "https://Marked-Bot.example.org/marked-path/",
    "DATABASE_URL": "postgresql://ada:marked%20word@marked-db.example.org/club"
    "?host=marked-db.example.org,marked-db2.example.org&port=9,9&hostaddr=127.0.0.1,127.0.0.1",
    "DBSERVICE_ADDRESS": "10.81.2.3:5002,10.81.2.4:5002",
    "GENERATOR_DATABASE_URL": "sqlite:////srv/marked/jobs.db",
    "GENERATOR_MODEL": "/srv/marked/model",
    "TELEGRAM_BOT_TOKEN": TOKEN,
}
"""Values of a kind of their own; every other setting that is not shown has one of a kind."""

IDS: Final = ("81234567", "81234568", "8123456789", "10.81.2.3", "10.81.2.4", TOKEN)

SHOWN: Final = {
    "BOT_LISTEN": "127.0.0.1:5003",
    "GENERATOR_URL": "http://127.0.0.1:5001",
    "GENERATOR_LCM_LORA": "latent-consistency/lcm-lora-sdv1-5",
    "CAPTIONER": "azure",
    "RETENTION_DAYS": "90",
}


def value_of(name: str) -> str:
    return MARKED.get(name) or SHOWN.get(name) or f"{MARK}-Value:of/{name}"


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


def reported(path: Path, *printed: str) -> str:
    with report.create(path):
        report.write(path, printed)
    return path.read_text()


def doctors(text: str) -> str:
    """The part of a report that has what the doctor says."""
    return text.partition("\nDoctor\n")[2].partition("\nLOOKALIKE_HOME\n")[0]


def test_nothing_that_is_somebodys_own_is_shown(all_set: Path) -> None:
    findings = [f"ok  {name}: {value}." for name, value in given.given().items()]
    assert len(findings) == len(given.known())
    findings += [
        "failed  photos: marked word at marked-db.example.org, [10.81.2.3]: marked-in-a-file"
    ]
    findings += [f"ok  token: The token is that of @{MARK}_bot.", f"{all_set.parent}/marked home"]
    text = reported(all_set, *findings)
    assert MARK not in text.lower()
    for each in (*IDS, TOKEN.partition(":")[2], "example.org"):
        assert each not in text
    assert "The token is that of @[redacted]." in text


def refusal(url: str) -> str:
    """What a service says of a database that it cannot reach."""
    engine = database.create_engine(url)
    with pytest.raises(StartError) as caught, database.usable(engine):
        engine.connect()
    return str(caught.value)


async def test_what_services_make_of_settings_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BLOB_URL", "BOT_PUBLIC_URL", "DATABASE_URL", "TELEGRAM_BOT_TOKEN"):
        monkeypatch.setenv(name, MARKED[name])
    bot, dbservice = BotSettings.load(), DbserviceSettings.load()
    url = f"{bot.public_url_of(bot.bot_listen)}{webhook.PATH}"
    elsewhere = {"url": "https://bot.other.example/hook"}
    monkeypatch.setattr("lookalike.storage.importlib.util.find_spec", lambda _name: None)
    (photos,) = await storage.check("photos", dbservice.blobs, dbservice)
    said = [
        refusal(dbservice.database).replace("127.0.0.1", "203.0.113.7"),
        photos.summary,
        doctor_updates._by_webhook({"url": url}, url, runs=True).summary,
        doctor_updates._by_webhook(elsewhere, url, runs=True).summary,
    ]
    for each in ("marked-db2.example.org", "203.0.113.7"):
        assert each in said[0]
    for each in ("s3://marked-bucket/photos ", "https://marked-bot.example.org/marked-path/"):
        assert each in "".join(said)
    text = doctors(reported(tmp_path / "report.txt", *said))
    for each in (MARK, "example", "203.0.113", "ada", "club"):
        assert each not in text


ADDRESSES: Final = (
    # libpq, by what a server or a resolver says
    'connection to server at "db1.acme.example" (203.0.113.8), port 5432 failed: FATAL:',
    'no pg_hba.conf entry for host "198.51.100.9", user "ada", database "club", no encryption',
    'could not translate host name "dbhost" to address: Name or service not known',
    "FATAL:  Passwort-Authentifizierung für Benutzer »ada« fehlgeschlagen",
    "FATAL:  authentification par mot de passe échouée pour l'utilisateur « ada »",
    "postgresql://ada:***@[2001:db8::5]/queue cannot be used: timeout expired.",
    "No route to host: 2001:db8::5: 2001:db8::6. [2001:db8::7]:5432, fe80::1%eth0, 10.0.0.1.",
    "A webhook is set: another program, at bot.acme.example, gets the updates.",
    "proxy-1.acme.lan:3128, db_1.acme.internal, bücher.acme.example, acme.xn--p1ai, ACME.DE",
    "HTTPS://acme/path, ftp://acme/path; (s3://acme/path).",
)

READABLE: Final = (
    "http://127.0.0.1:5003/health/ready http://localhost:5001, http://[::1]:5001.",
    "127.0.0.1:5002, [::1]:5003, ::1, 0.0.0.0:5002 and [::]:5002",
    "https://api.telegram.org cannot be reached (ConnectError).",
    "https://huggingface.co/spaces/CompVis/stable-diffusion-license",
    "lookalike.db, lookalike.db.version-0002, jobs.db, .env, up.lost-lines, pg_hba.conf",
    "See docs/running.md, By webhook.",
    "model.fp16.safetensors v1-5-pruned.ckpt, Realistic_Vision_V5.1_noVAE, FLUX.1-dev",
    "torch 2.13.0+cpu, 0.2.0, 1.0.0rc1, 6.8.0-49-generic",
    "PostgreSQL 16.3 (Debian 16.3-1.pgdg120+1)",
    "libcudart.so.12 libcuda.so: cannot open shared object file",
    "No module named opentelemetry.sdk; No module named 'google.rpc'",
    "torch.cuda.OutOfMemoryError: CUDA out of memory, std::bad_alloc, c10::Error",
    "It takes 40.5 s and 5.3 GB, e.g. at 12:30:45; pip install 'lookalike[s3]'",
    'sqlite:////var/lib/lookalike/rows.db, file:///srv/blobs, "lookalike up"',
)


def test_addresses_that_no_setting_has_are_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:secret@dbhost/club")
    text = doctors(reported(tmp_path / "report.txt", *ADDRESSES)).lower()
    for each in ("acme", "ada", "club", "dbhost", "2001", "fe80", "203.0", "198.51", "10.0"):
        assert each not in text
    for each in (
        "port 5432 failed: fatal:",
        "no pg_hba.conf entry for host ",
        ": timeout expired.",
        "s3://",
    ):
        assert each in text


def test_what_is_no_address_stays_readable(tmp_path: Path) -> None:
    text = reported(tmp_path / "report.txt", *READABLE)
    for each in READABLE:
        assert f"    {each}\n" in text


def test_an_ordinary_name_is_struck_only_where_it_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://lookalike:secret@127.0.0.1/postgres")
    said = "Start everything with `lookalike up`; postgresql has a user"
    text = reported(tmp_path / "report.txt", f'{said} "lookalike", a database "postgres".')
    assert f'{said} "[redacted]", a database "[redacted]".' in text


def test_what_is_set_is_shown_and_values_that_are_nobodys(all_set: Path) -> None:
    text = reported(all_set, "machine", "     ok  disk: there is room.")
    lines = {line.strip() for line in text.splitlines()}
    assert {line.partition("=")[0] for line in lines if "=" in line} == set(given.known())
    assert lines >= {f"{name}={value}" for name, value in SHOWN.items()}
    assert lines >= {
        "TELEGRAM_BOT_TOKEN=[redacted]",
        "DATABASE_URL=postgresql://[redacted]",
        "BLOB_URL=s3://[redacted]",
        "GENERATOR_MODEL=[redacted]",
        "HTTPS_PROXY",
        "ok  disk: there is room.",
    }
    assert stat.S_IMODE(all_set.stat().st_mode) == 0o600


def test_how_much_is_kept_is_shown(
    all_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in given.known():
        monkeypatch.delenv(name, raising=False)
    Path(".env").unlink()
    monkeypatch.setenv("LOOKALIKE_HOME", str(tmp_path / "marked home"))
    text = reported(all_set)
    assert "dbservice/lookalike.db: 5.0 kB\n" in text
    assert "dbservice/blobs/: 2.0 kB in 1 file\n" in text
    assert "generator/jobs.db: not there\n" in text


def test_a_home_that_cannot_be_read_is_no_reason_for_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKALIKE_HOME", str(tmp_path / ("x" * 300)))
    text = reported(tmp_path / "report.txt", "     ok  disk: there is room.")
    for name in report.KEPT:
        assert f"{name}: cannot be read: File name too long\n" in text


def test_what_is_measured_lies_where_the_documents_say() -> None:
    page = (ROOT / "docs" / "running.md").read_text()
    for name in report.KEPT:
        assert re.search(rf"^\| .*`{name}`", page, re.MULTILINE), name


def test_settings_that_are_shown_exist_and_are_no_secrets() -> None:
    assert set(given.known()) >= report.PLAIN | report.MODELS
    for name in report.PLAIN:
        assert not re.search("TOKEN|KEY|URL|FILE|ADMINS|ALLOWED|NOTICE|NOTE|LISTEN|ADDRESS", name)


@pytest.mark.parametrize("name", ["acme.safetensors", "clients/acme.ckpt", "clients/acme"])
def test_a_relative_path_is_no_id_on_the_hub(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path(name).suffix:
        Path(name).mkdir(parents=True)
    monkeypatch.setenv("GENERATOR_MODEL", name)
    text = reported(tmp_path / "report.txt", f"failed  model: {name} is damaged.")
    assert "acme" not in text
    assert "GENERATOR_MODEL=[redacted]\n" in text


def test_a_secret_in_the_wrong_place_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CAPTIONER", "0123456789abcdef0123456789abcdef")
    assert "0123456789abcdef" not in reported(tmp_path / "report.txt")


@pytest.mark.parametrize("there", ["a file", "a link to nowhere"])
def test_what_is_there_is_not_written_over(there: str, tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    if there == "a file":
        path.touch()
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(click.ClickException, match="is there already; name another file"):
        doctor.run(spend=False, report_file=path)  # before any check
    assert os.path.lexists(path)


def test_a_folder_that_is_not_there_is_noticed_before_the_checks(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="cannot be written: No such file or directory"):
        doctor.run(spend=False, report_file=tmp_path / "nowhere" / "report.txt")


@pytest.fixture
def _full() -> Generator[None, None, None]:
    """No file can have more than a few bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("_full")
def test_a_report_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    with pytest.raises(click.ClickException, match="cannot be written: File too large"):
        reported(path)
    assert list(tmp_path.iterdir()) == []


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
