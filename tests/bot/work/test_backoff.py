"""Waits double up to a minute, and a Retry-After counts up to five."""

import pytest

from bot.work.backoff import Backoff


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_waits_double_up_to_a_minute() -> None:
    backoff = Backoff(Clock())
    waits = []
    for _ in range(8):
        backoff.put_off()
        waits.append(backoff.seconds)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(("asked", "waited"), [(0.5, 1), (30, 30), (1000, 300)])
def test_somebody_may_ask_for_longer(asked: float, waited: float) -> None:
    backoff = Backoff(Clock())
    backoff.put_off(asked)
    assert backoff.seconds == waited


def test_what_has_gone_on_is_due_and_begins_anew() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    backoff.put_off()
    backoff.errors += 1
    clock.now += 1
    assert backoff.seconds == 0
    backoff.reset()
    assert (backoff.tries, backoff.errors) == (0, 0)
