"""Edits keep a chat's pace, and give way to sends."""

import pytest

from bot.pace import EditPace

PRIVATE, GROUP = 42, -42


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("chat", "gap"), [(PRIVATE, 1.5), (GROUP, 4.0)])
async def test_a_chat_is_edited_at_most_once_in_its_gap(chat: int, gap: float) -> None:
    clock = Clock()
    pace = EditPace(clock)
    assert await pace.may_edit(chat)
    clock.now += gap - 0.01
    assert not await pace.may_edit(chat)
    clock.now += 0.02
    assert await pace.may_edit(chat)


async def test_a_dropped_edit_does_not_delay_the_next() -> None:
    clock = Clock()
    pace = EditPace(clock)
    assert await pace.may_edit(PRIVATE)
    clock.now += 1
    assert not await pace.may_edit(PRIVATE)
    clock.now += 0.6
    assert await pace.may_edit(PRIVATE)


async def test_chats_do_not_slow_one_another() -> None:
    pace = EditPace(Clock())
    assert await pace.may_edit(PRIVATE)
    assert await pace.may_edit(GROUP)


async def test_a_send_under_way_holds_back_the_edits_of_its_chat_alone() -> None:
    pace = EditPace(Clock())
    with pace.sending(GROUP), pace.sending(GROUP):
        assert not await pace.may_edit(GROUP)
        assert await pace.may_edit(PRIVATE)
    assert await pace.may_edit(GROUP)


async def test_after_a_flood_warning_its_chat_is_not_edited_for_so_long() -> None:
    clock = Clock()
    pace = EditPace(clock)
    pace.hold_back(PRIVATE, 5)
    clock.now += 4.9
    assert not await pace.may_edit(PRIVATE)
    assert await pace.may_edit(GROUP)
    clock.now += 0.2
    assert await pace.may_edit(PRIVATE)
