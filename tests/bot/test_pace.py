"""Edits keep a chat's pace, and give way to sends."""

import asyncio

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


async def test_of_those_who_ask_at_once_the_longest_wait_comes_first() -> None:
    pace = EditPace(Clock())
    asked = [pace.may_edit(PRIVATE, since) for since in (7.0, 3.0, 5.0)]
    assert await asyncio.gather(*asked) == [False, True, False]


async def test_chats_are_asked_for_at_once_without_slowing_one_another() -> None:
    pace = EditPace(Clock())
    asked = [pace.may_edit(chat, since) for chat in (PRIVATE, GROUP) for since in (2.0, 1.0)]
    assert await asyncio.gather(*asked) == [False, True, False, True]


async def test_who_has_gone_keeps_nobody_from_editing() -> None:
    pace = EditPace(Clock())
    first, second = (asyncio.create_task(pace.may_edit(PRIVATE, since)) for since in (1.0, 2.0))
    await asyncio.sleep(0)
    first.cancel()
    assert await second


async def test_a_send_that_begins_in_the_same_turn_comes_before_the_edit() -> None:
    pace = EditPace(Clock())
    edit = asyncio.create_task(pace.may_edit(PRIVATE))
    await asyncio.sleep(0)
    with pace.sending(PRIVATE):
        assert not await edit


@pytest.mark.parametrize(("chat", "gap"), [(PRIVATE, 1.0), (GROUP, 3.0)])
async def test_a_probe_waits_for_what_went_out_before(
    chat: int, gap: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    clock = Clock()
    pace = EditPace(clock)
    await pace.wait(chat)
    with pace.sending(chat):
        pass
    await pace.wait(-chat)
    assert waited == []
    clock.now += 0.25
    await pace.wait(chat)
    assert waited == [gap - 0.25]


async def test_what_was_refused_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(seconds: float) -> None:
        raise AssertionError(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    pace = EditPace(Clock())
    with pytest.raises(ValueError, match="refused"), pace.sending(PRIVATE):
        raise ValueError("refused")
    await pace.wait(PRIVATE)
