"""Secrets never reach a log: not in a message, its arguments, or a traceback."""

import json
import logging

import pytest

from lookalike import logs

SECRET = "s3cret-key-of-azure"
BOT_TOKEN = "123456789:AAF-abcdefghijklmnopqrstuvwxyz_0123456"


@pytest.fixture
def _root() -> object:
    """The root logger as it was before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs._CHATTY}
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.mark.usefixtures("_root")
def test_everything_that_is_printed_is_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("test", [SECRET])
    logger = logging.getLogger("some.library")
    logger.warning("asking https://api.telegram.org/bot%s/getMe with %s", BOT_TOKEN, SECRET)
    try:
        int(BOT_TOKEN)
    except ValueError:
        logger.exception("it failed with %s", SECRET, stack_info=True)
    printed = capsys.readouterr().err
    assert "getMe" in printed
    assert "Traceback" in printed
    assert SECRET not in printed
    assert BOT_TOKEN not in printed
    assert BOT_TOKEN.partition(":")[2] not in printed


@pytest.mark.usefixtures("_root")
def test_the_http_library_that_prints_addresses_is_quiet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("test", [])
    logging.getLogger("httpx").info("HTTP Request: POST https://api.telegram.org/bot1/getMe")
    assert capsys.readouterr().err == ""


def test_a_secret_within_a_secret_leaves_no_rest() -> None:
    redaction = logs.RedactionFilter(["abc", "abcdef"])
    assert redaction.redact("abcdef abc") == "[redacted] [redacted]"


@pytest.mark.usefixtures("_root")
def test_json_is_one_object_a_line_and_as_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("test", [SECRET], "json")
    try:
        int(SECRET)
    except ValueError:
        logging.getLogger("some.library").exception("it failed:\n%s", SECRET)
    (line,) = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert (record["service"], record["level"]) == ("test", "ERROR")
    assert record["message"] == "it failed:\n[redacted]"
    assert "ValueError" in record["traceback"]
    assert SECRET not in line
    assert logs.message_of(line) == record["message"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2026-01-01 10:00:00,000 bot INFO bot.app: Listening on: x.\n", "Listening on: x."),
        ("no log line\n", ""),
        ("{}\n", ""),
        ("{broken\n", ""),
    ],
)
def test_the_message_is_found_in_a_line(line: str, message: str) -> None:
    assert logs.message_of(line) == message
