"""What is asked for in one turn of the event loop is one request."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from bot.clients.batching import Batcher


class Service:
    """Doubles numbers; counts its requests, and may be held."""

    def __init__(self) -> None:
        self.requests: list[list[int]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.error: Exception | None = None

    async def ask(self, keys: Sequence[int]) -> Mapping[int, int]:
        self.requests.append(list(keys))
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return {key: 2 * key for key in keys if key >= 0}


async def test_one_turn_is_one_request() -> None:
    service = Service()
    batcher = Batcher(service.ask, 200)
    assert await asyncio.gather(*map(batcher.get, (1, 2, 3, 2))) == [2, 4, 6, 4]
    assert service.requests == [[1, 2, 3]]
    assert await batcher.get(4) == 8
    assert service.requests == [[1, 2, 3], [4]]


async def test_a_request_has_its_bound() -> None:
    service = Service()
    batcher = Batcher(service.ask, 2)
    await asyncio.gather(*map(batcher.get, range(5)))
    assert service.requests == [[0, 1], [2, 3], [4]]


async def test_what_is_asked_for_meanwhile_waits_for_the_next_request() -> None:
    service = Service()
    service.free.clear()
    batcher = Batcher(service.ask, 200)
    tasks = [asyncio.create_task(batcher.get(1))]
    while not service.requests:  # noqa: ASYNC110, the loop's turns are the point
        await asyncio.sleep(0)
    tasks += [asyncio.create_task(batcher.get(key)) for key in (2, 3)]
    await asyncio.sleep(0)
    service.free.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert service.requests == [[1], [2, 3]]


async def test_all_hear_of_an_error_and_the_next_ask_anew() -> None:
    service = Service()
    service.error = RuntimeError("away")
    batcher = Batcher(service.ask, 200)
    answers = await asyncio.gather(*map(batcher.get, (1, 2)), return_exceptions=True)
    assert answers == [service.error, service.error]
    service.error = None
    assert await batcher.get(1) == 2


async def test_who_goes_away_takes_nobody_along() -> None:
    service = Service()
    service.free.clear()
    batcher = Batcher(service.ask, 200)
    gone, stays = (asyncio.create_task(batcher.get(key)) for key in (1, 2))
    while not service.requests:  # noqa: ASYNC110, as above
        await asyncio.sleep(0)
    gone.cancel()
    service.free.set()
    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_nobody_is_asked_for_whom_nobody_waits() -> None:
    service = Service()
    batcher = Batcher(service.ask, 200)
    task = asyncio.create_task(batcher.get(1))
    await asyncio.sleep(0)
    task.cancel()
    assert await batcher.get(2) == 4
    assert service.requests == [[2]]


async def test_an_answer_may_leave_a_key_out() -> None:
    assert await Batcher(Service().ask, 200).get(-1) is None
