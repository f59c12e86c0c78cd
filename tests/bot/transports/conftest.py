"""What the transports' tests share."""

from collections.abc import AsyncIterator

import pytest

from bot.transports import calling, webhook
from tests.bot.transports.telegram import ScriptedTelegram, scripted_telegram


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(calling, "_LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(webhook, "_LOOK_SECONDS", 0.1)


@pytest.fixture
async def telegram() -> AsyncIterator[ScriptedTelegram]:
    async with scripted_telegram() as telegram:
        yield telegram
