"""Photos of albums wait in memory for words that name the bot: not long, and not very many."""

import datetime as dt

import pytest
from telegram import Chat, Message, User

from bot.albums import Albums

ADA, BOB = (User(number, name, is_bot=False) for number, name in ((1, "Ada"), (2, "Bob")))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def photo(message_id: int, *, album: str = "a", sender: User = ADA, chat: int = -1) -> Message:
    when = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    place = Chat(chat, "group")
    return Message(message_id, when, place, from_user=sender, media_group_id=album)


def test_they_are_of_the_album_the_sender_and_the_chat() -> None:
    albums, wanted = Albums(), [photo(1), photo(2)]
    others = [photo(3, album="b"), photo(4, sender=BOB), photo(1, chat=-2)]
    for each in (*wanted, *others):
        albums.hold(each)
    assert albums.of(photo(9)) == wanted
    albums.drop(wanted[0])
    albums.drop(wanted[0])
    assert albums.of(photo(9)) == wanted[1:]


def test_they_wait_for_a_minute_alone() -> None:
    clock = Clock()
    albums = Albums(clock)
    albums.hold(photo(1))
    clock.now = 59.0
    albums.hold(photo(2))
    assert len(albums.of(photo(9))) == 2
    clock.now = 60.0
    albums.hold(photo(3, album="b"))
    assert albums.of(photo(9)) == [photo(2)]


def test_of_too_many_the_oldest_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.albums._MOST", 2)
    albums = Albums()
    for number in (1, 2, 3):
        albums.hold(photo(number))
    assert albums.of(photo(9)) == [photo(2), photo(3)]


def test_a_few_times_it_is_time_to_look_whether_another_process_has_one() -> None:
    clock = Clock()
    albums = Albums(clock)
    for each in (photo(1), photo(2), photo(3, album="b")):
        albums.hold(each)
    assert albums.due() == []
    looks = []
    for second in range(60):
        clock.now = second
        looks += [(second, each.message_id) for each in albums.due()]
    assert sorted(looks) == [(second, number) for second in (1, 4, 15) for number in (1, 3)]
