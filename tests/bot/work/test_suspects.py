"""What a process may have died of is done alone, and given up in the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.tick import Tick
from bot.work.incarnation import Incarnation
from bot.work.leasing import Leasing
from bot.work.memory import Memories
from bot.work.search import PROBE
from bot.work.suspects import MOST_ATTEMPTS
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, picture
from tests.waiting import eventually


@asynccontextmanager
async def process(desk: Desk) -> AsyncIterator[Tick]:
    """The bot's tick as in a process that has just started; it ends without a goodbye."""
    services = replace(desk.services, memories=Memories())
    incarnation = Incarnation(desk.database, BOT)
    tick = Tick(services, Leasing(desk.database, services.memories, BOT, incarnation))
    yield tick
    tasks = [*tick._tasks.values()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def arrived(desk: Desk) -> str:
    """The id of a photo's generation that nobody has leased so far."""
    sent = await desk.people.send_photo(desk.chat, picture())
    request = db.ReceivePhotoRequest(
        bot_id=BOT,
        chat_id=desk.chat,
        message_id=sent.id,
        user_id=desk.chat,
        file_id=sent.photo or "",
    )
    return (await desk.database.receive_photo(request)).item.generation.id


async def generation(desk: Desk, generation_id: str) -> db.Generation:
    request = db.GetGenerationRequest(
        bot_id=BOT, chat_id=desk.chat, user_id=desk.chat, generation_id=generation_id
    )
    return (await desk.database.get_generation(request)).item.generation


async def at_the_captioner(desk: Desk, tick: Tick, number: int) -> None:
    """Ticks until so many photos are with the captioner."""
    async with asyncio.timeout(20):
        while len(desk.captioner.asked) < number:
            await tick.run()
            await asyncio.sleep(0.01)


async def test_each_is_done_alone_and_what_lives_is_innocent(desk: Desk) -> None:
    first, second = [await arrived(desk) for _ in range(2)]
    desk.captioner.free.clear()
    async with process(desk) as tick:
        await at_the_captioner(desk, tick, 2)  # and there it dies
    desk.captioner.asked.clear()
    async with process(desk) as tick:
        await at_the_captioner(desk, tick, 1)
        newer = await arrived(desk)
        await tick.run()
        assert len(desk.captioner.asked) == 1
        found = [(await generation(desk, each)).attempts for each in (first, second, newer)]
        assert found == [2, 1, 0]
        desk.captioner.free.set()
        await at_the_captioner(desk, tick, 3)
        await tick.stop()
    assert [(await generation(desk, each)).attempts for each in (first, second)] == [0, 0]


async def test_what_waits_is_innocent_though_its_state_stays(desk: Desk) -> None:
    item = await desk.queued()
    async with process(desk) as tick:
        await tick.run()
    async with process(desk) as tick:
        await tick.run()

        async def cleared() -> bool | None:
            return (await generation(desk, item.id)).attempts == 0 or None

        assert (await generation(desk, item.id)).attempts <= 2
        assert await eventually(cleared)


async def test_what_begins_with_a_search_holds_up_nobody(desk: Desk) -> None:
    item = await desk.stored()
    await item.fail("not-an-image", "as the test says")
    await item.record(
        sending=db.Sending(kind=db.MESSAGE_KIND_ENDING, after=item.photo.message_id), attempts=1
    )
    newer = await arrived(desk)
    fault = await desk.people.add_fault("hold", method="sendMessage", contains=PROBE)
    async with process(desk) as tick:
        await tick.run()
        await desk.people.wait_for_held(fault, 1)
        await at_the_captioner(desk, tick, 1)
        assert (await generation(desk, item.id)).attempts == 2
        assert (await generation(desk, newer)).state != db.GENERATION_STATE_RECEIVED
        await desk.people.release(fault)
        await tick.stop()


@pytest.mark.parametrize("state", ["stored", "failed"])
async def test_what_ends_the_process_again_and_again_is_given_up(desk: Desk, state: str) -> None:
    item = await desk.stored()
    if state == "failed":  # it is telling the user that the process dies of
        await item.fail("not-an-image", "as the test says")
    await item.record(attempts=MOST_ATTEMPTS + 1)
    async with process(desk) as tick:
        await tick.run()

        async def closed() -> db.Generation | None:
            found = await generation(desk, item.id)
            return found if found.HasField("closed_at") else None

        found = await eventually(closed)
    assert found.state == db.GENERATION_STATE_FAILED
    if state == "stored":
        assert found.error.code == "gave-up"
        assert await desk.texts() == ["I tried several times and couldn't make this picture."]
    else:
        assert await desk.texts() == []


async def test_what_is_not_recorded_does_not_begin(desk: Desk) -> None:
    item = await desk.stored()
    await item.record(attempts=1)
    desk.database.refuse = lambda request: request.patch.HasField("attempts")
    async with process(desk) as tick:
        await tick.run()
        await asyncio.gather(*tick._tasks.values())
        assert desk.captioner.asked == []
        desk.database.refuse = None
        await tick.stop()


async def test_a_clean_stop_counts_for_nothing(desk: Desk) -> None:
    item = await desk.stored()
    await item.record(attempts=1)
    desk.captioner.free.clear()
    async with process(desk) as tick:
        await at_the_captioner(desk, tick, 1)
        assert (await generation(desk, item.id)).attempts == 2
        stopping = asyncio.create_task(tick.stop())
        for task in tick._tasks.values():
            task.cancel()  # what the stop does after a few seconds
        await stopping
    assert (await generation(desk, item.id)).attempts == 0
