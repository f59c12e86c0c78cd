"""Room in the generator: given in the order of the line, and asked for once for all that wait."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bot.clients.dbservice import image_info
from bot.clients.documents import Job
from bot.clients.errors import LeaseLost
from bot.clients.generator import GeneratorClient
from bot.stages import submit
from bot.texts import of
from bot.tick import Tick
from bot.work.incarnation import Incarnation
from bot.work.item import WorkItem
from bot.work.leasing import Leasing
from bot.work.memory import Memory
from bot.work.room import NoRoom, Room
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, SERVICE_TOKEN, Desk, open_desk, picture
from tests.waiting import eventually

_MOST = 20
_BUSY = of("en").waiting("generator-busy")


class _Client(GeneratorClient):
    """The real client, which keeps what was asked for and what was taken."""

    def __init__(self, url: str) -> None:
        super().__init__(url, SERVICE_TOKEN)
        self.asked: list[str] = []
        self.taken: list[str] = []

    async def submit(self, job_id: str, parameters: db.Parameters, owner: str, **more: Any) -> Job:
        self.asked.append(job_id)
        job = await super().submit(job_id, parameters, owner, **more)
        self.taken.append(job_id)
        return job


@dataclass
class _Bot:
    """A bot whose generator is full of somebody else's jobs.

    Attributes:
        desk: everything else.
        client: to the generator.
        tick: of the bot.
        now: what its room takes for the time.
        others: the jobs that the generator is full of.
    """

    desk: Desk
    client: _Client
    tick: Tick
    now: list[float]
    others: list[str]

    async def captioned(self, chat: int) -> str:
        """The id of a generation that waits to be submitted."""
        desk = self.desk
        photo = await desk.people.send_photo(chat, picture())
        item = await desk.receive(photo)
        data = picture()
        await item.store_photo(image_info(data, "image/jpeg", 120, 90), data)
        said = db.Caption(text="a cat", captioner="offline", model="scripted")
        await item.advance(db.GENERATION_STATE_CAPTIONED, caption=said, prompt=said.text)
        return item.id

    async def run_tick(self) -> None:
        """A tick, to the end of what it started."""
        await self.tick.run()

        async def over() -> bool | None:
            return None if self.tick._tasks else True

        await eventually(over)

    async def pass_time(self) -> None:
        """As much as the generator asks to wait, at its longest."""
        self.now[0] += 10.0
        await self.run_tick()

    async def make_room(self, count: int) -> None:
        for _ in range(count):
            await self.client.delete(self.others.pop())


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[_Bot]:
    async with open_desk(tmp_path, generator_max_queue=_MOST) as desk:
        client = _Client(desk.settings.generator_url)
        now = [0.0]
        services = replace(desk.services, generator=client, room=Room(lambda: now[0]))
        others = [str(uuid4()) for _ in range(_MOST)]
        for job_id in others:
            await client.submit(job_id, db.Parameters(prompt="another"), "another")
        client.asked.clear()
        client.taken.clear()
        yield _Bot(desk, client, Tick(services, desk.leasing), now, others)
        client.close()


@pytest.mark.long
@pytest.mark.slow
async def test_what_waits_gets_room_in_the_order_of_the_line(bot: _Bot) -> None:
    heavy, second, third = [await bot.desk.people.add_user(name) for name in ("A", "B", "C")]
    many = [await bot.captioned(heavy) for _ in range(50)]
    first = await bot.captioned(second)
    two = [await bot.captioned(third) for _ in range(2)]
    line = [many[0], first, two[0], many[1], two[1], *many[2:]]
    for _ in range(5):
        await bot.run_tick()
    assert bot.client.asked == [line[0]], "one asks for all, and not before its time"
    for _ in range(5):
        await bot.pass_time()
    assert bot.client.asked == line[:1] * 6
    newest = await bot.captioned(third)
    await bot.make_room(7)
    await bot.run_tick()
    assert not bot.client.taken, "Retry-After is not over"
    await bot.pass_time()
    line = [*line[:6], newest, *line[6:]]  # the third of the third
    assert bot.client.taken == line[:7]
    await bot.make_room(3)
    await bot.pass_time()
    assert bot.client.taken == line[:10]
    assert len(bot.client.asked) == 6 + 7 + 1 + 3 + 1


async def test_who_waits_is_told_so_once(bot: _Bot) -> None:
    chat = await bot.desk.people.add_user()
    await bot.captioned(chat)
    await bot.run_tick()
    assert not [message for message in await bot.desk.people.messages(chat) if message.from_bot]
    for _ in range(3):
        await bot.pass_time()
    (told,) = [message for message in await bot.desk.people.messages(chat) if message.from_bot]
    assert told.text == _BUSY
    assert not told.edits


async def test_one_that_is_cancelled_holds_up_nobody(bot: _Bot) -> None:
    chats = [await bot.desk.people.add_user() for _ in range(3)]
    line = [await bot.captioned(chat) for chat in chats]
    await bot.run_tick()
    await bot.desk.database.cancel_generations(
        db.CancelGenerationsRequest(bot_id=BOT, chat_id=chats[0], user_id=chats[0])
    )
    await bot.make_room(2)
    await bot.pass_time()
    assert bot.client.taken == line[1:]


async def test_one_whose_lease_is_lost_holds_up_nobody(bot: _Bot) -> None:
    desk = bot.desk
    chats = [await desk.people.add_user() for _ in range(2)]
    line = [await bot.captioned(chat) for chat in chats]
    lost = await desk.lease(line[0])
    await bot.make_room(2)
    newer = Leasing(desk.database, desk.services.memories, BOT, Incarnation(desk.database, BOT))
    again: Sequence[WorkItem] = await newer.lease({})
    services = replace(desk.services, generator=bot.client)
    with pytest.raises(LeaseLost):
        await submit.run(lost, services)
    for item in again:
        await submit.run(item, services)
    assert set(bot.client.taken) == set(line)


def _memory(place: int) -> Memory:
    memory = Memory()
    memory.place = place
    return memory


async def test_those_behind_one_that_asks_go_in_the_order_of_the_line() -> None:
    room, answered = Room(), asyncio.Event()
    went: list[int] = []

    async def ask(place: int) -> None:
        async with room.turn(_memory(place)):
            went.append(place)
            await answered.wait()

    asking = [asyncio.create_task(ask(place)) for place in (5, 3, 4, 1, 2)]
    await asyncio.sleep(0)
    asking[2].cancel()  # it waits, and leaves
    await asyncio.sleep(0)
    asking[0].cancel()  # it asks, and leaves
    answered.set()
    await asyncio.gather(*asking, return_exceptions=True)
    assert went == [5, 1, 2, 3]


async def test_those_behind_one_that_is_turned_away_do_not_ask() -> None:
    now = [0.0]
    room, answered = Room(lambda: now[0]), asyncio.Event()
    asked: list[int] = []

    async def ask(place: int) -> None:
        async with room.turn(_memory(place)):
            asked.append(place)
            await answered.wait()
            raise room.turned_away("generator-unavailable", None)

    asking = [asyncio.create_task(ask(place)) for place in range(100)]
    await asyncio.sleep(0)
    answered.set()
    ends = await asyncio.gather(*asking, return_exceptions=True)
    assert asked == [0]
    assert all(isinstance(end, NoRoom) and not end.lasts for end in ends)
    for waited in (1, 2, 4, 8, 10, 10):  # without a Retry-After
        now[0] += waited - 0.5
        with pytest.raises(NoRoom):
            await ask(1)
        now[0] += 0.5
        with pytest.raises(NoRoom):
            await ask(0)
    assert asked == [0] * 7


async def test_who_leaves_the_line_holds_up_nobody() -> None:
    room, has_turn = Room(), asyncio.Event()

    async def take(until: asyncio.Event) -> None:
        async with room.turn(Memory()):
            await until.wait()

    async def take_last() -> None:
        async with room.turn(Memory()):
            has_turn.set()

    never = asyncio.Event()
    leaving = [asyncio.create_task(take(never)) for _ in range(3)]
    await asyncio.sleep(0)
    last = asyncio.create_task(take_last())
    await asyncio.sleep(0)
    for task in leaving:  # all at once, as when the process ends: the one whose turn it is as well
        task.cancel()
    outcomes = await asyncio.gather(*leaving, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    await asyncio.wait_for(has_turn.wait(), 5)
    await last
