"""Secrets never reach a log: not in a message, its arguments, or a traceback."""

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
