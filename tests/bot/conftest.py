"""A desk for whoever tests what the bot does with a generation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot import app, captioners
from tests.bot.club import Club, found
from tests.bot.desk import Desk, open_desk, picture
from tests.bot.front import EN, told
from tests.bot.group import Group
from tests.generator import scripted


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk


@pytest.fixture
def quick(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captioners, "create", lambda *_args, **_options: desk.captioner)
    monkeypatch.setattr(scripted, "png_of", lambda _task: picture("PNG"))
    monkeypatch.setattr("bot.pace._PRIVATE_SECONDS", 0.0)
    monkeypatch.setattr("bot.pace._GROUP_SECONDS", 0.0)
    monkeypatch.setattr("bot.transports.calling._FIRST_PAUSE", 0.01)
    monkeypatch.setattr("bot.transports.calling._LONGEST_PAUSE", 0.05)


@pytest.fixture
async def bot(
    desk: Desk, quick: None, request: pytest.FixtureRequest
) -> AsyncIterator[app.RunningBot]:
    """It polls, unless the test is `IN_BOTH_WAYS`."""
    assert quick is None
    async with _running(desk, **getattr(request, "param", {})) as running:
        yield running


@pytest.fixture
async def bot_for_all(desk: Desk, quick: None) -> AsyncIterator[app.RunningBot]:
    """To which every photo in a group is one for it."""
    assert quick is None
    async with _running(desk, bot_groups="all") as running:
        yield running


@pytest.fixture
async def group(desk: Desk, bot: app.RunningBot) -> Group:
    assert bot.address
    return await Group.new(desk)


@pytest.fixture
async def people(desk: Desk, quick: None) -> Club:
    assert quick is None
    return await found(desk)


@asynccontextmanager
async def _running(desk: Desk, **settings: Any) -> AsyncIterator[app.RunningBot]:
    async with app.running(desk.settings.model_copy(update=settings)) as running:
        await desk.people.send_text(desk.chat, "/start")  # opens the chat
        await told(desk, desk.chat, EN.start)
        yield running
