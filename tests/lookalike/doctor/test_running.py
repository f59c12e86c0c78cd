"""While everything runs: it finds nothing, or what a test has broken, and disturbs nobody."""

import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from bot import doctor_updates
from lookalike.checks import Mark
from lookalike.cli.doctor import findings
from lookalike.processes.stack import Stack
from lookalike.tokens import service_token
from tests import commands
from tests.azure import AzureServer
from tests.lookalike.doctor.findings import failures, one
from tests.stack import (
    TOKEN,
    create_stack,
    fixed_ports,
    keep_polls_short,
    read_log,
    running_stack,
)
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]
) -> Generator[Stack, None, None]:
    """Everything, up and ready; a test that stops something starts it again."""
    with running_stack(tmp_path_factory.mktemp("home"), settings) as stack:
        yield stack


def examine(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return commands.run("doctor", *arguments, folder=stack.home, environment=stack.environment)


@pytest.mark.long
def test_when_all_is_well_it_says_so_spends_nothing_and_writes_nothing(
    stack: Stack, vision: AzureServer
) -> None:
    vision.requests.clear()
    before = {path for path in stack.home.rglob("*") if not path.name.endswith("-journal")}
    result = examine(stack)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.endswith("Everything is fine.\n")
    assert result.stderr == ""
    for part in (
        "token: The token is that of @",
        "inline: Inline mode is off, so pictures cannot be shared",
        "clock: This machine's clock agrees",
        "updates: Updates come in by polling; no webhook and no other program",
        "warning  access: BOT_ACCESS is not set, so whoever finds the bot may use it.",
        "captioner: Azure AI Vision takes the key; it is retired on 2028-09-25.",
        "dbservice: dbservice answers",
        "lookalike.db is whole",
        "jobs.db is whole",
        "generators: 1 generator works on the queue",
        " MB), under Apache-2.0.",
        "The service itself listens on",
    ):
        assert part in result.stdout, part
    assert [seen.body for seen in vision.requests] == [b"no image"]
    after = {path for path in stack.home.rglob("*") if not path.name.endswith("-journal")}
    assert before == after
    assert "another program polls" not in read_log(stack, "bot")
    for secret in (TOKEN, vision.key, service_token(stack.home)):
        assert secret not in result.stdout


@pytest.mark.long
def test_it_spends_when_asked(stack: Stack, vision: AzureServer) -> None:
    result = examine(stack, "--spend")
    assert result.returncode == 0, result.stdout
    assert f"caption: The azure captioner said: {vision.caption}." in result.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("everyone", "     ok  access: Whoever finds the bot may use it, as BOT_ACCESS says."),
        ("me", "warning  access: The bot is for its owner, and for those in BOT_ADMINS and"),
    ],
)
def test_it_says_whom_the_bot_is_for(stack: Stack, policy: str, said: str) -> None:
    environment = {**stack.environment, "BOT_ACCESS": policy}
    result = commands.run("doctor", folder=stack.home, environment=environment)
    assert result.returncode == 0, result.stdout
    assert said in result.stdout
    assert ("Nobody owns it yet." in result.stdout) == (policy == "me")
    assert ("BOT_PRIVACY_URL is not set" in result.stdout) == (policy != "me")


# Telegram.


def test_a_wrong_token(stack: Stack) -> None:
    wrong = TOKEN[:-1] + "y"
    found = failures(stack.environment, "bot", "telegram", TELEGRAM_BOT_TOKEN=wrong)
    assert "@BotFather" in one(found, "token", "Telegram does not know this TELEGRAM_BOT_TOKEN")
    assert wrong not in str(found)


@contextmanager
def second_poller(stack: Stack) -> Generator[None, None, None]:
    """Another program that polls; it is thrown out and comes back."""
    over = threading.Event()
    polled = threading.Event()

    def poll() -> None:
        with httpx.Client(trust_env=False, timeout=60) as http:
            while not over.is_set():
                polled.set()
                http.get(f"{stack.url('sandbox')}/bot{TOKEN}/getUpdates?timeout=2")

    thread = threading.Thread(target=poll)
    thread.start()
    assert polled.wait(10)
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.long
def test_a_second_poller_while_our_bot_runs_and_while_it_does_not(stack: Stack) -> None:
    summary = "Another program polls Telegram with the same TELEGRAM_BOT_TOKEN"
    with second_poller(stack):
        stack.stop("bot")
        assert "Stop it" in one(failures(stack.environment, "bot", "telegram"), "updates", summary)
        stack.start("bot")
        wait_until(lambda: "another program polls" in read_log(stack, "bot"))
        one(failures(stack.environment, "bot", "telegram"), "updates", summary)
    stack.stop("bot")
    keep_polls_short(stack)
    assert failures(stack.environment, "bot", "telegram") == []
    stack.start("bot")


def test_a_webhook(stack: Stack) -> None:
    stack.stop("bot")
    with httpx.Client(trust_env=False, base_url=f"{stack.url('sandbox')}/bot{TOKEN}") as http:
        http.get("/setWebhook", params={"url": "http://127.0.0.1:9/secret"})
        found = failures(stack.environment, "bot", "telegram")
        http.get("/deleteWebhook")
    stack.start("bot")
    one(found, "updates", "A webhook is set: another program, at 127.0.0.1, gets the updates.")
    assert "secret" not in str(found)


@pytest.mark.long
def test_a_bot_by_webhook(stack: Stack) -> None:
    stack.stop("bot")
    by_webhook = {"BOT_PUBLIC_URL": "http://127.0.0.1:0"}
    stack.start("bot", **by_webhook)
    with httpx.Client(trust_env=False, base_url=f"{stack.url('sandbox')}/bot{TOKEN}") as http:
        wait_until(lambda: "by the webhook" in read_log(stack, "bot"))
        environment = {**stack.environment, **by_webhook}
        at = f"http://{stack.address('bot')}/telegram/webhook"
        found = [str(each) for each in findings("bot", environment, ["--only", "telegram"])]
        assert any(f"Updates come in by the webhook {at}; none wait." in each for each in found)
        assert any("BOT_PUBLIC_URL leads to the bot." in each for each in found)
        http.get("/setWebhook", params={"url": "http://127.0.0.1:9/secret"})
        one(
            failures(environment, "bot", "telegram"),
            "updates",
            f"Updates are to come in by the webhook {at}, but another one is set, at 127.0.0.1.",
        )
        elsewhere = {**environment, "BOT_PUBLIC_URL": stack.url("sandbox")}
        found = [str(each) for each in findings("bot", elsewhere, ["--only", "telegram"])]
        assert any("is not the bot (HTTP 404)" in each for each in found)
        http.get("/deleteWebhook")
    stack.stop("bot")
    before = [str(each) for each in findings("bot", environment, ["--only", "telegram"])]
    assert any("as soon as the bot runs" in each for each in before)
    stack.start("bot")


def test_what_telegram_says_of_a_webhook_it_cannot_deliver_to() -> None:
    info = {"url": "https://b/w", "pending_update_count": 3, "last_error_message": "Timed\nout."}
    found = doctor_updates._by_webhook(info, "https://b/w", runs=True)
    assert found.mark is Mark.FAILED
    assert found.summary.endswith("3 wait, and Telegram last met an error there: Timed out.")
    assert doctor_updates._by_webhook(info, "https://b/w", runs=False).mark is Mark.OK
    over = info | {"pending_update_count": 0}
    assert doctor_updates._by_webhook(over, "https://b/w", runs=True).mark is Mark.OK


# Services.


@pytest.mark.long
def test_services_that_are_down_are_named_and_counted(stack: Stack) -> None:
    stack.stop("dbservice", "generator")
    result = examine(stack)
    stack.start("dbservice", "generator")
    assert result.returncode == 2, result.stdout
    assert f"failed  dbservice: dbservice does not answer at {stack.address('dbservice')}." in (
        result.stdout
    )
    assert f"failed  generator: The generator does not answer at {stack.url('generator')}" in (
        result.stdout
    )
    assert "Start everything with `lookalike up`." in result.stdout
    assert result.stdout.endswith("2 checks failed.\n")


@pytest.mark.long
def test_before_the_first_start_it_is_one_line_and_no_failure(
    stack: Stack, settings: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    told = {**settings, **fixed_ports(), "TELEGRAM_API_URL": stack.url("sandbox")}
    fresh = create_stack(home, told)
    stack.stop("bot")
    keep_polls_short(stack)
    result = commands.run("doctor", folder=tmp_path, environment=fresh.environment)
    assert result.returncode == 0, result.stdout
    assert result.stdout.endswith("Nothing runs yet: lookalike up\n")
    assert "failed" not in result.stdout
    assert "does not answer" not in result.stdout
    assert not home.exists()
    service_token(home)  # as the first start makes it
    result = commands.run("doctor", folder=tmp_path, environment=fresh.environment)
    stack.start("bot")
    assert result.returncode == 1, result.stdout
    assert "failed  services: None of them runs." in result.stdout


def test_wrong_settings_are_told_all_at_once_and_once(tmp_path: Path) -> None:
    wrong = {"LOOKALIKE_LOG": "xml", "BOT_POLL_SECONDS": "never", "GENERATOR_DEVICE": "abacus"}
    environment = create_stack(tmp_path / "home", wrong).environment
    result = commands.run("doctor", folder=tmp_path, environment=environment)
    assert result.returncode == 3, result.stdout
    assert all(result.stdout.count(f"failed  settings: {name}: ") == 1 for name in wrong)


def test_a_bot_that_is_down(stack: Stack) -> None:
    found = failures(stack.environment, "bot", "bot", BOT_LISTEN="127.0.0.1:9")
    assert "lookalike up" in one(found, "bot", "The bot does not run")


@pytest.mark.parametrize("service", ["dbservice", "generator"])
def test_a_service_that_does_not_take_the_token(stack: Stack, service: str) -> None:
    found = failures(stack.environment, "bot", service, SERVICE_TOKEN="another-token-than-theirs")
    assert "SERVICE_TOKEN" in one(found, service, "does not take our SERVICE_TOKEN")
