"""What is known of the ids of messages."""

import pytest

from bot.work import message_ids
from bot.work.message_ids import MessageIds

USER, GROUP, SUPERGROUP = 42, -4000000001, -1002000000001


def test_all_chats_of_a_bot_share_a_count_but_supergroups() -> None:
    ids = MessageIds()
    ids.see(USER, 7)
    ids.see(SUPERGROUP, 900)
    ids.see(GROUP, 5)
    assert [ids.newest(chat) for chat in (USER, GROUP, SUPERGROUP, SUPERGROUP - 1)] == [
        7,
        7,
        900,
        0,
    ]


def test_what_is_settled_in_one_count_is_not_in_another() -> None:
    ids = MessageIds()
    ids.settle(USER, 7)
    settled = [ids.is_settled(chat, 7) for chat in (USER, GROUP, SUPERGROUP)]
    assert settled == [True, True, False]
    assert ids.newest(GROUP) == 7


def test_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_ids, "_REMEMBERED", 3)
    monkeypatch.setattr(message_ids, "_MOST_CHATS", 3)
    ids = MessageIds()
    for n in range(5):
        ids.settle(SUPERGROUP - n, n)
    assert [ids.is_settled(SUPERGROUP - n, n) for n in range(5)] == [False, False, True, True, True]
    assert [ids.newest(SUPERGROUP - n) for n in range(5)] == [0, 0, 2, 3, 4]


async def test_one_at_a_time_looks_in_a_chat() -> None:
    ids = MessageIds()
    async with ids.looking(USER):
        assert ids.looking(USER).locked()
        assert not ids.looking(GROUP).locked()
    assert not ids.looking(USER).locked()
