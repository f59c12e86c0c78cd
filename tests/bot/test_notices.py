"""One notice a minute in each chat, or whatever else is said how often."""

from bot.notices import Notices


def test_the_first_is_given_whatever_the_clock_says() -> None:
    for tenths in range(10_000):
        notices = Notices(lambda: tenths / 10)  # noqa: B023, asked at once
        assert notices.may_give(1)


def test_there_is_one_a_minute_in_each_chat() -> None:
    now = 1000.0
    notices = Notices(lambda: now)
    assert [notices.may_give(chat) for chat in (1, 2, 1)] == [True, True, False]
    now = 1059.0
    assert not notices.may_give(1)
    now = 1060.0
    assert notices.may_give(1)


def test_another_one_may_be_given_more_often() -> None:
    now = 1000.0
    notices = Notices(lambda: now, 5)
    assert [notices.may_give(key) for key in ("a", "b", "a")] == [True, True, False]
    now = 1005.0
    assert notices.may_give("a")
