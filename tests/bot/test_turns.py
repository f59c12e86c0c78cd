"""Turns between users."""

import asyncio

from bot.turns import Turns


class Crowd:
    """Users at a place that has turns: who has one, and who has had one."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.has: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._done: dict[str, asyncio.Event] = {}

    async def come(self, *names: str) -> None:
        """Each is a user, by the first letter, with one thing to do."""
        for name in names:
            self._done[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._do(name))
        await self._settle()

    async def leave(self, name: str) -> None:
        self._done[name].set()
        await self._settle()

    async def give_up(self, name: str) -> None:
        self.tasks[name].cancel()
        await self._settle()

    async def _do(self, name: str) -> None:
        async with self._turns.turn(ord(name[0])):
            self.has.append(name)
            try:
                await self._done[name].wait()
            finally:
                self.has.remove(name)

    async def _settle(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)


async def test_one_user_leaves_room_for_another() -> None:
    people = Crowd(Turns(2, 1))
    await people.come("a1", "a2", "a3")
    assert people.has == ["a1"]
    await people.come("b1")
    assert people.has == ["a1", "b1"]
    await people.leave("a1")
    assert people.has == ["b1", "a2"]


async def test_who_waits_gets_turns_by_user_and_ones_own_in_order() -> None:
    people = Crowd(Turns(1, 1))
    await people.come("a1", "a2", "a3", "b1", "b2", "c1")
    order = []
    for _ in range(6):
        (now,) = people.has
        order.append(now)
        await people.leave(now)
    assert order == ["a1", "a2", "b1", "c1", "a3", "b2"]
    assert people.has == []


async def test_who_gives_up_takes_no_place() -> None:
    people = Crowd(Turns(1, 1))
    await people.come("a1", "a2", "b1", "c1")
    await people.give_up("a2")
    await people.give_up("a1")  # in its place
    assert people.has == ["b1"]
    await people.leave("b1")
    await people.leave("c1")
    await people.come("a4")
    assert people.has == ["a4"]


async def test_a_place_that_is_given_to_somebody_who_gave_up_meanwhile_goes_on() -> None:
    people = Crowd(Turns(1, 1))
    await people.come("a1", "b1", "c1")
    people.tasks["a1"].cancel()
    await asyncio.sleep(0)  # the place is b's now, who does not know yet
    people.tasks["b1"].cancel()
    await people.come()
    assert people.has == ["c1"]


async def test_nothing_is_kept_of_those_who_have_left() -> None:
    turns = Turns(2, 1)
    people = Crowd(turns)
    await people.come(*"abcdef")
    for name in "abcdef":
        await people.leave(name)
    assert not turns._waiting
    assert not turns._having
