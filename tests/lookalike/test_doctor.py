"""`lookalike doctor` names what is wrong, each tried by itself, and disturbs nobody."""

import asyncio
import logging
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from safetensors.numpy import save_file

from bot import doctor as bot_doctor
from generator.models import EMOJI
from lookalike import checks, doctor, integrity
from lookalike.checks import Finding, Mark
from lookalike.settings import Settings
from tests import azure
from tests.azure import AzureServer
from tests.end_to_end.house import TOKEN, House
from tests.lookalike.commands import LOOKALIKE


@pytest.fixture(scope="module")
def vision() -> Generator[AzureServer, None, None]:
    with azure.serve_in_thread() as server:
        yield server


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, vision: AzureServer
) -> Generator[House, None, None]:
    """Everything, up and well; a test that stops something starts it again."""
    settings = {
        "CAPTIONER": "azure",
        "AZURE_VISION_ENDPOINT": vision.url,
        "AZURE_VISION_KEY": vision.key,
        "HF_HUB_CACHE": str(tmp_path_factory.mktemp("hub")),
    }
    house = House(tmp_path_factory.mktemp("house"), settings)
    house.start_all()
    try:
        yield house
    finally:
        house.stop_all()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without a .env."""
    monkeypatch.chdir(tmp_path)


def examine(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LOOKALIKE, "doctor", *arguments],
        env=house.environment,
        cwd=house.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def failures(
    house: House, service: str, only: str = "", **settings: str
) -> list[tuple[str, str, str]]:
    """The failed findings of a service: check, words, remedy."""
    arguments = ["--only", only] if only else []
    found = doctor.findings(service, {**house.environment, **settings}, arguments)
    assert found
    assert all(not finding.words.count("\n") for finding in found)
    return [
        (finding.check, finding.words, finding.remedy)
        for finding in found
        if finding.mark is Mark.FAILED
    ]


def one(found: Sequence[tuple[str, str, str]], check: str, words: str) -> str:
    """The remedy of the only failure, which must be this one."""
    assert len(found) == 1, found
    assert found[0][0] == check
    assert words in found[0][1], found[0][1]
    assert found[0][1].endswith(".")
    return found[0][2]


def test_when_all_is_well_it_says_so_spends_nothing_and_writes_nothing(
    house: House, vision: AzureServer
) -> None:
    vision.requests.clear()
    before = {path for path in house.home.rglob("*") if not path.name.endswith("-journal")}
    result = examine(house)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.endswith("All is well.\n")
    assert result.stderr == ""
    for words in (
        "token: The token is that of @",
        "clock: This machine's clock agrees",
        "updates: No webhook and no other program",
        "captioner: Azure AI Vision takes the key; it is retired on 2028-09-25.",
        "dbservice: dbservice answers",
        "lookalike.db is whole",
        "jobs.db is whole",
        " MB), under Apache-2.0.",
        "The service itself listens on",
    ):
        assert words in result.stdout, words
    assert [seen.body for seen in vision.requests] == [b"no image"]
    after = {path for path in house.home.rglob("*") if not path.name.endswith("-journal")}
    assert before == after
    assert "another program polls" not in house.log("bot")
    for secret in (TOKEN, vision.key, house.token):
        assert secret not in result.stdout


def test_it_spends_when_asked(house: House, vision: AzureServer) -> None:
    result = examine(house, "--spend")
    assert result.returncode == 0, result.stdout
    assert f"caption: The azure captioner said: {vision.caption}." in result.stdout


# Telegram.


def test_no_token(house: House) -> None:
    found = failures(house, "bot", TELEGRAM_BOT_TOKEN="")
    assert ".env" in one(found, "settings", "TELEGRAM_BOT_TOKEN is not set")


def test_a_wrong_token(house: House) -> None:
    wrong = TOKEN[:-1] + "y"
    found = failures(house, "bot", "telegram", TELEGRAM_BOT_TOKEN=wrong)
    assert "@BotFather" in one(found, "token", "Telegram does not know this TELEGRAM_BOT_TOKEN")
    assert wrong not in str(found)


def test_telegram_out_of_reach(house: House) -> None:
    found = failures(house, "bot", "telegram", TELEGRAM_API_URL="http://127.0.0.1:9")
    assert "network" in one(found, "token", "http://127.0.0.1:9 cannot be reached (ConnectError)")


@contextmanager
def second_poller(house: House) -> Generator[None, None, None]:
    """Another program that polls; it is thrown out and comes back."""
    over = threading.Event()
    polled = threading.Event()

    def poll() -> None:
        with httpx.Client(trust_env=False, timeout=60) as http:
            while not over.is_set():
                polled.set()
                http.get(f"{house.sandbox_url}/bot{TOKEN}/getUpdates?timeout=2")

    thread = threading.Thread(target=poll)
    thread.start()
    assert polled.wait(10)
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_second_poller_while_our_bot_runs_and_while_it_does_not(house: House) -> None:
    words = "Another program polls Telegram with the same TELEGRAM_BOT_TOKEN"
    with second_poller(house):
        house.stop("bot")
        assert "Stop it" in one(failures(house, "bot", "telegram"), "updates", words)
        house.start("bot")
        eventually(lambda: "another program polls" in house.log("bot"))
        one(failures(house, "bot", "telegram"), "updates", words)
    house.stop("bot")
    assert failures(house, "bot", "telegram") == []
    house.start("bot")


def eventually(condition: Callable[[], bool]) -> None:
    """Waits for what another process does."""
    for _ in range(600):
        if condition():
            return
        threading.Event().wait(0.05)
    raise AssertionError(condition)


def test_a_webhook(house: House) -> None:
    house.stop("bot")
    with httpx.Client(trust_env=False, base_url=f"{house.sandbox_url}/bot{TOKEN}") as http:
        http.get("/setWebhook", params={"url": "http://127.0.0.1:9/secret"})
        found = failures(house, "bot", "telegram")
        http.get("/deleteWebhook")
    house.start("bot")
    one(found, "updates", "A webhook is set: another program, at 127.0.0.1, gets the updates.")
    assert "secret" not in str(found)


@pytest.mark.parametrize(("seconds", "words"), [(-3600, "s ahead."), (3600, "s behind.")])
def test_a_clock_that_is_wrong(seconds: int, words: str) -> None:
    (found,) = bot_doctor._clock(formatdate(time.time() + seconds, usegmt=True))
    assert found.mark is Mark.FAILED
    assert words in found.words


# Azure and the captioner.


def test_a_wrong_azure_key(house: House) -> None:
    found = failures(house, "bot", "captioner", AZURE_VISION_KEY="not-the-key-at-all")
    remedy = one(found, "captioner", "Azure AI Vision refuses AZURE_VISION_KEY: 401")
    assert "AZURE_VISION_KEY" in remedy
    assert "not-the-key" not in str(found)


def test_an_azure_endpoint_that_nobody_serves(house: House) -> None:
    found = failures(house, "bot", "captioner", AZURE_VISION_ENDPOINT="http://127.0.0.1:9")
    one(found, "captioner", "Azure AI Vision cannot be reached")


def test_a_wrong_region_that_azure_tells(house: House, vision: AzureServer) -> None:
    words = "The feature 'Caption' is not supported in this region"
    vision.script.append(azure.problem(400, "InvalidRequest", words))
    assert "Korea Central" in one(failures(house, "bot", "captioner"), "captioner", words)


@pytest.mark.parametrize(("region", "right"), [("West US 3", False), ("East US", True)])
def test_a_region_in_a_header(
    house: House, vision: AzureServer, region: str, *, right: bool
) -> None:
    refusal = azure.problem(400, "InvalidRequest", "no image", headers={"x-ms-region": region})
    vision.script.append(refusal)
    found = failures(house, "bot", "captioner")
    if right:
        assert found == []
    else:
        one(found, "captioner", "is in West US 3, which has no captions")


def test_an_azure_without_a_key_and_a_captioner_that_works(house: House) -> None:
    one(failures(house, "bot", "captioner", AZURE_VISION_KEY=""), "captioner", "needs AZURE_VISION")
    assert failures(house, "bot", "captioner", CAPTIONER="offline") == []


# The model.


@pytest.mark.parametrize(
    ("model", "check", "remedy"),
    [
        ("./nowhere", "model", "Name another GENERATOR_MODEL"),
        ("owner/nothing", "model missing", "lookalike download"),
    ],
)
def test_a_missing_model(house: House, model: str, check: str, remedy: str) -> None:
    found = failures(house, "generator", "model", GENERATOR_MODEL=model)
    assert remedy in one(found, check, model)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EMOJI, tmp_path / "model"))


def test_a_model_file_that_was_cut(house: House, folder: Path) -> None:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    found = failures(house, "generator", "model", GENERATOR_MODEL=str(folder))
    one(found, "model", "has a broken file")


def test_a_model_that_lacks_a_part(house: House, folder: Path) -> None:
    shutil.rmtree(folder / "vae")
    found = failures(house, "generator", "model", GENERATOR_MODEL=str(folder))
    one(found, "model", "the folder lacks vae")


def test_a_model_that_looks_whole_and_does_not_load(house: House, folder: Path) -> None:
    (folder / "unet" / "config.json").write_text("{")
    nobody = {"GENERATOR_MODEL": str(folder), "GENERATOR_LISTEN": "127.0.0.1:9"}
    one(failures(house, "generator", "model", **nobody), "loading", "is damaged, incomplete")


# The preset.


def test_an_unknown_preset(house: House) -> None:
    found = failures(house, "generator", "preset", GENERATOR_PRESET="best")
    words = "GENERATOR_PRESET: Input should be 'faithful', 'balanced', 'quick' or 'fast'."
    assert ".env" in one(found, "settings", words)


def test_the_preset_fast_without_its_weights(house: House) -> None:
    found = failures(house, "generator", "preset", GENERATOR_PRESET="fast")
    words = "fast lacks its weights: latent-consistency/lcm-lora-sdv1-5 is not on this machine."
    assert "`lookalike download --fast`" in one(found, "preset", words)
    assert failures(house, "generator", "preset") == []  # nobody said that it is wanted


def test_weights_of_the_preset_fast_that_are_nowhere(house: House, tmp_path: Path) -> None:
    missing = str(tmp_path / "lcm.safetensors")
    found = failures(house, "generator", "preset", GENERATOR_LCM_LORA=missing)
    words = f"GENERATOR_LCM_LORA {missing}: there is no such .safetensors file"
    assert "Name others" in one(found, "preset", words)


def test_weights_of_the_preset_fast_that_are_broken_or_of_another_model(
    house: House, tmp_path: Path
) -> None:
    file = tmp_path / "lcm.safetensors"
    file.write_bytes(b"broken")
    fast = {"GENERATOR_PRESET": "fast", "GENERATOR_LCM_LORA": str(file)}
    one(failures(house, "generator", "preset", **fast), "preset", f"{file} is broken: ")
    save_file({"lora_unet_x.lora_down.weight": np.zeros((2, 2), np.float32)}, file)
    assert failures(house, "generator", "preset", **fast) == []
    nobody = {"GENERATOR_LISTEN": "127.0.0.1:9"}
    found = failures(house, "generator", "model", **fast, **nobody)
    assert "Name others" in one(found, "preset", "were made for another model.")


# This machine.


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1_000_000))
    found = checks.folder("disk", tmp_path / "not" / "there" / "yet")
    assert (found.check, found.mark) == ("disk", Mark.FAILED)
    assert found.words.startswith("The disk is full: ")
    assert "1.0 MB free" in found.words
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = checks.folder("photos", tmp_path / "file" / "photos")
    assert found.mark is Mark.FAILED
    assert "cannot be written" in found.words


@pytest.mark.parametrize("service", ["dbservice", "generator", "bot"])
def test_a_port_that_is_taken(house: House, service: str) -> None:
    variable = "BOT_LISTEN" if service == "bot" else f"{service.upper()}_LISTEN"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        only = "bot" if service == "bot" else "port"
        found = failures(house, service, only, **{variable: address})
    assert variable in one(found, "port", f"Another program listens on {address}.")


@pytest.mark.parametrize("service", ["dbservice", "generator"])
def test_a_database_that_is_none(house: House, tmp_path: Path, service: str) -> None:
    (tmp_path / "bad.db").write_bytes(b"this is no database, and longer than a header" * 100)
    variable = "DATABASE_URL" if service == "dbservice" else "GENERATOR_DATABASE_URL"
    settings = {variable: f"sqlite:///{tmp_path / 'bad.db'}"}
    found = failures(house, service, "database", **settings)
    assert "backup" in one(found, "database", "is damaged: file is not a database")


@pytest.fixture(params=["DELETE", "WAL"])
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Ten thousand rows and an index, nobody has it open."""
    path = tmp_path / "a b.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA journal_mode={request.param}")
        connection.execute("CREATE TABLE t (x TEXT UNIQUE)")
        connection.executemany("INSERT INTO t VALUES (?)", ((f"{n:050}",) for n in range(10_000)))
    connection.close()
    return path


def test_a_database_with_damaged_pages(database: Path) -> None:
    data = bytearray(database.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = b"\xaa" * 4096
    database.write_bytes(data)
    found = integrity.database(database)
    assert found.mark is Mark.FAILED
    assert "is damaged: " in found.words


def test_a_whole_database_is_read_and_nothing_is_written(database: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in database.parent.iterdir()}
    assert integrity.database(database).mark is Mark.OK
    assert {path: path.stat().st_mtime_ns for path in database.parent.iterdir()} == before


def test_a_database_in_use_is_read_beside_its_owner(database: Path) -> None:
    with sqlite3.connect(database, isolation_level=None) as owner:
        owner.execute("BEGIN IMMEDIATE")
        owner.execute("INSERT INTO t VALUES ('new')")
        assert integrity.database(database).mark is Mark.OK
        owner.execute("COMMIT")
    owner.close()


def test_a_database_that_takes_too_long_is_let_go(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "_SECONDS", 0.0)
    found = integrity.database(database)
    assert found.mark is Mark.WARNING
    assert "too large to check" in found.words


# Services.


def test_services_that_are_down_are_named_and_counted(house: House) -> None:
    house.stop("dbservice")
    house.stop("generator")
    result = examine(house)
    house.start("generator")
    house.start("dbservice")
    assert result.returncode == 2, result.stdout
    assert f"failed  dbservice: dbservice does not answer at {house.dbservice_address}." in (
        result.stdout
    )
    assert f"failed  generator: The generator does not answer at {house.generator_url}" in (
        result.stdout
    )
    assert "Start everything with `lookalike up`." in result.stdout
    assert result.stdout.endswith("2 checks failed.\n")


def test_a_bot_that_is_down(house: House) -> None:
    found = failures(house, "bot", "bot", BOT_LISTEN="127.0.0.1:9")
    assert "lookalike up" in one(found, "bot", "The bot does not run")


@pytest.mark.parametrize("service", ["dbservice", "generator"])
def test_a_service_that_does_not_take_the_token(house: House, service: str) -> None:
    found = failures(house, "bot", service, SERVICE_TOKEN="another-token-than-theirs")
    assert "SERVICE_TOKEN" in one(found, service, "does not take our SERVICE_TOKEN")


# The format.


def test_a_finding_survives_the_way() -> None:
    found = Finding("a check", Mark.WARNING, "Füß.", "Do it.")
    assert Finding.from_json(found.to_json()) == found


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"mark": "odd"}', '{"mark": "ok", "x": 1}'])
def test_what_is_no_finding_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"^This is no finding: "):
        Finding.from_json(line)


def test_a_check_that_breaks_or_hangs_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(_settings: Any) -> list[Finding]:
        raise RuntimeError("no luck")

    async def hanging(_settings: Any) -> list[Finding]:
        await asyncio.Event().wait()
        return []

    async def good(_settings: Any) -> list[Finding]:
        return [checks.ok("good", "It works.")]

    monkeypatch.setattr(checks, "_CHECK_SECONDS", 0.1)
    monkeypatch.setattr("sys.argv", ["x.doctor"])
    try:
        with pytest.raises(SystemExit) as ended:
            checks.run("x", Settings, {"broken": broken, "hanging": hanging, "good": good})
    finally:
        logging.disable(logging.NOTSET)  # the process of a doctor ends silent
    assert ended.value.code == 0
    said = {
        found.check: found for found in map(Finding.from_json, capsys.readouterr().out.splitlines())
    }
    assert said["good"].mark is Mark.OK
    assert "no luck" in said["broken"].words
    assert "took more than" in said["hanging"].words


def test_checks_that_cannot_start_are_a_failure(house: House) -> None:
    (found,) = doctor.findings("sandbox", house.environment)  # it has none
    assert found.mark is Mark.FAILED
    assert "No module named sandbox.doctor" in found.words
