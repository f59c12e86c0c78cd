"""A dozen kills and cuts that a seed chooses: nothing lost, nothing doubled, no orphan."""

import pytest

from tests.bot.chaos import Chaos, hurry
from tests.bot.desk import Desk

pytestmark = pytest.mark.slow


@pytest.mark.long
@pytest.mark.parametrize(("seed", "pictures"), [(1, 1), (17, 1), (25, 1), (2, 2), (3, 4)])
async def test_a_dozen_kills_and_cuts_lose_and_double_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, seed: int, pictures: int
) -> None:
    hurry(monkeypatch)
    account = await Chaos(desk, seed, pictures).run(12)
    assert account.photos >= 12
    assert (account.lost, account.doubled, account.orphans) == (0, 0, 0)
