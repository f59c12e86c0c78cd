"""A dozen kills and cuts that a seed chooses: nothing lost, nothing doubled, no orphan."""

import pytest

from bot import pace
from bot.work import backoff
from tests.bot.chaos import Chaos
from tests.bot.desk import Desk, picture
from tests.generator import scripted

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [1, 17, 25])
async def test_a_dozen_kills_and_cuts_lose_and_double_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for module, name in (
        (pace, "_PRIVATE_SEND_SECONDS"),
        (pace, "_GROUP_SEND_SECONDS"),
        (backoff, "_LONGEST_WAIT"),
    ):
        monkeypatch.setattr(module, name, 0.05)
    monkeypatch.setattr(scripted, "png_of", lambda _task: picture("PNG"))
    desk.executor.go()
    account = await Chaos(desk, seed).run(12)
    assert account.photos >= 12
    assert (account.lost, account.doubled, account.orphans) == (0, 0, 0)
