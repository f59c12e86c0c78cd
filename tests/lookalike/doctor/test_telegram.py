"""Telegram, as the bot's checks see it without a bot."""

import time
from email.utils import formatdate
from typing import Literal

import pytest
from pydantic import SecretStr

from bot import doctor
from bot.settings import BotSettings
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


@pytest.mark.parametrize(
    ("groups", "sees_all", "mark", "part"),
    [
        ("mention", True, Mark.OK, "its privacy mode is off"),
        ("mention", False, Mark.OK, "of an album only the photo with the words"),
        ("all", True, Mark.OK, "its privacy mode is off"),
        ("all", False, Mark.WARNING, "BOT_GROUPS is all"),
    ],
)
def test_what_telegram_hides_of_groups(
    groups: Literal["mention", "all"], mark: Mark, part: str, *, sees_all: bool
) -> None:
    token = SecretStr("10001:a-token-that-looks-like-one")
    settings = BotSettings(telegram_bot_token=token, bot_groups=groups)
    found = doctor._groups(settings, sees_all=sees_all)
    assert found.mark is mark
    assert part in found.summary
    assert ("/setprivacy" in found.remedy) == (not sees_all)
