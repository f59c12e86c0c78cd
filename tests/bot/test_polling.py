"""A second poller is given a minute; a revoked token none."""

from bot.transports.polling import Polls


class Watched:
    def __init__(self) -> None:
        self.now = 0.0
        self.polls = Polls(clock=lambda: self.now)

    def see(self, status: int, *, after: float = 0.0) -> None:
        self.now += after
        self.polls.observe(status)


def test_a_conflict_that_goes_on_for_a_minute_ends_the_bot_with_a_sentence() -> None:
    watched = Watched()
    watched.see(409)
    watched.see(409, after=30)
    assert not watched.polls.hopeless.is_set()
    watched.see(200, after=10)  # the two throw each other out in turn
    watched.see(409, after=20)
    assert watched.polls.hopeless.is_set()
    assert "TELEGRAM_BOT_TOKEN" in watched.polls.sentence


def test_a_conflict_that_passes_does_not() -> None:
    watched = Watched()
    watched.see(409)
    watched.see(200, after=10)
    watched.see(409, after=70)  # another one, much later
    watched.see(409, after=30)
    assert not watched.polls.hopeless.is_set()


def test_a_revoked_token_ends_the_bot_at_once() -> None:
    watched = Watched()
    watched.see(401)
    assert watched.polls.hopeless.is_set()


def test_success_is_remembered_for_the_health_check() -> None:
    watched = Watched()
    watched.see(200, after=7)
    assert watched.polls.last_success == 7
