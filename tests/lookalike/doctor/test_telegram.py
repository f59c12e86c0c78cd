"""Telegram, as the bot's checks see it without a bot."""

import time
from email.utils import formatdate

import pytest

from bot import doctor
from lookalike.checks import Mark
from tests.lookalike.doctor.findings import Environment, failures, one

pytestmark = pytest.mark.slow


def test_no_token(environment: Environment) -> None:
    found = failures(environment, "bot", TELEGRAM_BOT_TOKEN="")
    assert ".env" in one(found, "settings", "TELEGRAM_BOT_TOKEN is not set")


def test_telegram_out_of_reach(environment: Environment) -> None:
    found = failures(environment, "bot", "telegram", TELEGRAM_API_URL="http://127.0.0.1:9")
    assert "network" in one(found, "token", "http://127.0.0.1:9 cannot be reached (ConnectError)")


@pytest.mark.parametrize(("seconds", "part"), [(-3600, "s ahead."), (3600, "s behind.")])
def test_a_clock_that_is_wrong(seconds: int, part: str) -> None:
    (found,) = doctor._clock(formatdate(time.time() + seconds, usegmt=True))
    assert found.mark is Mark.FAILED
    assert part in found.summary
