"""What is remembered of a generation lives as long as its lease, and no longer."""

import asyncio

import pytest

from bot.clients.dbservice import DatabaseClient
from bot.clients.documents import Job
from bot.tick import Tick
from bot.work.incarnation import Incarnation
from bot.work.leasing import Leasing
from bot.work.memory import LEASE_SECONDS, Memories, Memory
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, SERVICE_TOKEN, Desk, picture
from tests.generator import scripted


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_leased_again_and_again_is_remembered() -> None:
    clock = Clock()
    memories = Memories(clock)
    memory = memories.lease("a")
    for _ in range(5):
        clock.now += LEASE_SECONDS
        assert memories.lease("a") is memory
        memories.drop_unleased(())
    assert memories.get("a") is memory


def test_what_was_not_leased_for_longer_than_a_lease_is_forgotten() -> None:
    clock = Clock()
    memories = Memories(clock)
    memories.lease("a")
    clock.now += LEASE_SECONDS
    memories.drop_unleased(())
    assert memories.get("a") is not None
    clock.now += 0.1
    memories.drop_unleased({"a"})  # a task of ours still works on it
    assert memories.get("a") is not None
    memories.drop_unleased(())
    assert memories.get("a") is None
    assert len(memories) == 0


def test_times_are_measured_from_look_to_look() -> None:
    clock = Clock()
    memory = Memory(clock)
    memory.job_submitted("a", Job("queued"))
    clock.now += 3
    memory.job_seen("a", Job("running"))
    clock.now += 45
    memory.job_seen("a", Job("finished"))
    assert (memory.waiting_seconds, memory.picture_seconds) == (3, 45)


def test_a_job_that_no_look_saw_run_took_at_most_since_its_submission() -> None:
    clock = Clock()
    memory = Memory(clock)
    memory.job_submitted("a", Job("queued"))
    clock.now += 2
    memory.job_seen("a", Job("finished"))
    assert (memory.waiting_seconds, memory.picture_seconds) == (None, 2)


@pytest.mark.parametrize("states", [("running", "finished"), ("finished",)])
def test_what_was_before_our_start_is_not_known(states: tuple[str, ...]) -> None:
    memory = Memory(Clock())
    for state in states:
        memory.job_seen("a", Job(state))
    assert (memory.waiting_seconds, memory.picture_seconds) == (None, None)


async def test_nothing_is_left_of_what_is_closed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "png_of", lambda _task: picture("PNG"))
    tick = Tick(desk.services, desk.leasing)
    for _ in range(3):
        await desk.received()
    desk.executor.go()
    assert len(desk.services.memories) == 3
    while len(desk.services.memories):
        await tick.run()
        await asyncio.sleep(0.01)
    await tick.stop()
    request = db.GetStatusRequest(bot_id=BOT, chat_id=desk.chat, user_id=desk.chat)
    assert (await desk.database.get_status(request)).count == 0


async def test_nothing_is_left_of_what_is_gone(desk: Desk) -> None:
    """Its user is forgotten while a task of ours works on it."""
    item = await desk.received()
    hold = await desk.people.add_fault("hold", method="getFile")
    tick = Tick(desk.services, desk.leasing)
    await tick.run()
    await desk.people.wait_for_fault(hold)
    await item.fail("internal-error", "as the test says")
    await item.close()
    await desk.database.forget_user(db.ForgetUserRequest(bot_id=BOT, user_id=desk.chat))
    assert len(desk.services.memories) == 1
    await desk.people.release(hold)
    await tick.stop()
    assert len(desk.services.memories) == 0


async def test_nothing_is_forgotten_while_dbservice_is_away() -> None:
    """What Telegram accepted has to be known when the record can be tried again."""
    clock = Clock()
    memories = Memories(clock)
    memory = memories.lease("a")
    nobody = DatabaseClient("127.0.0.1:1", SERVICE_TOKEN)
    clock.now += 10 * LEASE_SECONDS
    assert await Leasing(nobody, memories, BOT, Incarnation(nobody, BOT)).lease({}) == []
    await nobody.disconnect()
    assert memories.get("a") is memory
