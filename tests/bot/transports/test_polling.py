"""Polling goes on whatever comes; it ends with a sentence, or when it is asked to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.readiness import NotReady, Stuck
from bot.transports import calling
from bot.transports.base import Json
from bot.transports.polling import PollingTransport
from lookalike.errors import StartError
from tests.bot.transports.telegram import (
    Door,
    ScriptedTelegram,
    as_update,
    holds,
    newest,
)

GOOD = as_update(message={"text": "hello"})


@asynccontextmanager
async def polling_from(telegram: ScriptedTelegram, door: Door) -> AsyncIterator[PollingTransport]:
    transport, stop = PollingTransport(telegram.url, newest), asyncio.Event()
    task = asyncio.create_task(transport.receive(door, stop))
    try:
        yield transport
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


@pytest.mark.parametrize(
    "broken",
    [
        b', "message": {"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        b', "message": {"message_id": ' + b"9" * 5000 + b"}}",
        b', "message": {"text": "\xff\xfe"}}',
        b', "message": {{{',
        b', "message": "' + b"x" * 100_000 + b'"}',
    ],
    ids=["nested deeply", "a huge number", "no UTF-8", "no JSON", "too long"],
)
async def test_bytes_that_nobody_can_parse_are_passed_over_alone(
    telegram: ScriptedTelegram, broken: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "MOST_BYTES", 90_000)
    telegram.add(GOOD, GOOD, broken, GOOD, broken, GOOD)
    door = Door()
    async with polling_from(telegram, door):
        await asyncio.wait_for(telegram.idle.wait(), 20)
    assert door.taken == [1, 2, 4, 6]
    assert list(door.passed_over) == [3, 5]
    assert telegram.updates[3][:1000] in door.passed_over[3]


async def goes_on(telegram: ScriptedTelegram, task: "asyncio.Task[None]") -> None:
    """Waits for a few polls more."""
    polls = len(telegram.polls)
    await holds(lambda: len(telegram.polls) > polls + 3)
    assert not task.done()


async def test_what_was_taken_counts_though_the_next_one_has_to_wait(
    telegram: ScriptedTelegram,
) -> None:
    telegram.add(GOOD, GOOD, GOOD)
    door = Door()
    door.not_now = {2}
    async with polling_from(telegram, door):
        await holds(lambda: [poll["offset"] for poll in telegram.polls].count(2) > 2)
        assert door.taken == [1]
        door.not_now.clear()
        await asyncio.wait_for(telegram.idle.wait(), 20)
    assert door.taken == [1, 2, 3]


async def test_the_last_ones_are_confirmed_at_the_stop(telegram: ScriptedTelegram) -> None:
    telegram.add(GOOD)
    door = Door()
    async with polling_from(telegram, door):
        await holds(lambda: door.taken)
    assert (telegram.polls[-1]["offset"], telegram.polls[-1]["timeout"]) == (2, 0)


async def test_updates_that_wait_without_end_are_not_healthy(
    telegram: ScriptedTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.readiness.READY_SECONDS", 0.5)
    telegram.add(GOOD, GOOD)
    door = Door()
    door.not_now = {2}
    async with polling_from(telegram, door) as transport:
        assert transport.check() is NotReady.TELEGRAM_SILENT
        await holds(lambda: transport.check() is None)
        await holds(lambda: transport.check() is NotReady.UPDATES_STUCK)
        door.not_now.clear()
        await holds(lambda: transport.check() is None)


async def test_a_telegram_that_fails_is_asked_again(telegram: ScriptedTelegram) -> None:
    telegram.refusals = {"deleteWebhook": [500], "getUpdates": [502, 404, 429, 500]}
    telegram.add(GOOD)
    door = Door()
    async with polling_from(telegram, door):
        await asyncio.wait_for(telegram.idle.wait(), 20)
    assert door.taken == [1]


async def test_one_401_does_not_end_the_bot_while_getme_knows_it(
    telegram: ScriptedTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "REVOKED_SECONDS", 0.0)
    telegram.refusals = {"getUpdates": [401, 401], "getMe": [500]}
    telegram.add(GOOD)
    door = Door()
    async with polling_from(telegram, door):
        await asyncio.wait_for(telegram.idle.wait(), 20)
    assert door.taken == [1]


async def test_a_token_that_is_refused_for_a_minute_ends_the_bot_with_a_sentence(
    telegram: ScriptedTelegram,
) -> None:
    now = 0.0
    telegram.refusals = {"getUpdates": [401] * 1000, "getMe": [401] * 1000}
    transport = PollingTransport(telegram.url, newest, clock=lambda: now)
    task = asyncio.create_task(transport.receive(Door(), asyncio.Event()))
    await holds(lambda: len(telegram.polls) > 3)
    now = 59.0
    await goes_on(telegram, task)
    now = 61.0
    with pytest.raises(StartError, match="TELEGRAM_BOT_TOKEN"):
        await asyncio.wait_for(task, 20)


async def test_a_conflict_that_goes_on_for_a_minute_ends_the_bot_with_a_sentence(
    telegram: ScriptedTelegram,
) -> None:
    now = 0.0
    telegram.refusals = {"getUpdates": [409]}
    transport = PollingTransport(telegram.url, newest, clock=lambda: now)
    task = asyncio.create_task(transport.receive(Door(), asyncio.Event()))
    await asyncio.wait_for(telegram.idle.wait(), 20)  # it passes
    assert transport.check() is NotReady.POLLING_CONFLICT
    telegram.idle.clear()
    now = 70.0  # another one, much later
    telegram.refusals["getUpdates"] = [409] * 3
    telegram.add(GOOD)
    await asyncio.wait_for(telegram.idle.wait(), 20)
    now = 140.0
    telegram.refusals["getUpdates"] = [409] * 1000
    telegram.add(GOOD)
    await holds(lambda: transport.check() is NotReady.POLLING_CONFLICT)
    now = 190.0
    await goes_on(telegram, task)
    now = 201.0
    with pytest.raises(StartError, match="Another program polls"):
        await asyncio.wait_for(task, 20)


async def test_an_older_process_of_ours_stops_at_the_first_conflict_and_polls_no_more(
    telegram: ScriptedTelegram,
) -> None:
    answers: list[bool | None] = [None, True, None, True, False]

    async def is_newest() -> bool | None:
        return answers.pop(0)

    telegram.refusals = {"getUpdates": [409, 409, 409, 502]}
    transport = PollingTransport(telegram.url, is_newest)
    await asyncio.wait_for(transport.receive(Door(), asyncio.Event()), 20)
    assert answers == []
    assert len(telegram.polls) == 3


async def test_nobody_polls_before_it_is_known_to_be_the_newest(telegram: ScriptedTelegram) -> None:
    asked = 0

    async def is_newest() -> bool | None:
        nonlocal asked
        asked += 1
        return True if asked > 3 else None

    telegram.add(GOOD)
    door, stop = Door(), asyncio.Event()
    task = asyncio.create_task(PollingTransport(telegram.url, is_newest).receive(door, stop))
    await asyncio.wait_for(telegram.idle.wait(), 20)
    assert (asked, door.taken) == (4, [1])
    stop.set()
    await asyncio.wait_for(task, 20)


async def test_while_nobody_says_who_is_the_newest_a_conflict_ends_nobody(
    telegram: ScriptedTelegram,
) -> None:
    now, newest_of_all = 0.0, [True]

    async def is_newest() -> bool | None:
        return newest_of_all.pop() if newest_of_all else None

    telegram.refusals = {"getUpdates": [409] * 1000}
    transport = PollingTransport(telegram.url, is_newest, clock=lambda: now)
    stop = asyncio.Event()
    task = asyncio.create_task(transport.receive(Door(), stop))
    for _ in range(5):
        polls = len(telegram.polls)
        await holds(lambda polls=polls: len(telegram.polls) > polls + 1)  # type: ignore[misc]
        now += 40.0
    assert not task.done()
    newest_of_all += [True] * 1000
    async with asyncio.timeout(20):
        while not task.done():
            await asyncio.wait({task}, timeout=0.1)  # a few polls
            now += 20.0
    with pytest.raises(StartError, match="Another program polls"):
        task.result()


class Watch:
    """A clock that a test sets; 503 comes after so many seconds without progress."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_poll_that_hangs_is_stuck_well_within_a_minute(telegram: ScriptedTelegram) -> None:
    watch, hangs, stop = Watch(), asyncio.Event(), asyncio.Event()

    class Hanging(Door):
        async def put(self, update: Json) -> None:
            if update["update_id"] == 2:
                hangs.set()
                await asyncio.Event().wait()
            await super().put(update)

    telegram.add(GOOD, GOOD)
    transport = PollingTransport(telegram.url, newest, clock=watch)
    assert transport.check_progress() is None  # nothing has begun
    task = asyncio.create_task(transport.receive(Hanging(), stop))
    await asyncio.wait_for(hangs.wait(), 20)
    watch.now = 30.0
    assert transport.check_progress() is None
    watch.now = 31.0
    assert transport.check_progress() is Stuck.UPDATES
    stop.set()
    await asyncio.wait_for(task, 20)


async def test_an_update_that_is_not_taken_though_dbservice_answers_is_stuck(
    telegram: ScriptedTelegram,
) -> None:
    watch, says, stop = Watch(), [True], asyncio.Event()

    async def is_newest() -> bool | None:
        return True if says[0] else None

    telegram.add(GOOD, GOOD)
    door = Door()
    door.not_now = {2}
    transport = PollingTransport(telegram.url, is_newest, clock=watch)
    task = asyncio.create_task(transport.receive(door, stop))

    async def two_more_polls() -> None:
        polls = len(telegram.polls)
        await holds(lambda: len(telegram.polls) > polls + 2)

    await two_more_polls()
    says[0] = False  # dbservice is away: that is not for a restart to mend
    for _ in range(3):
        watch.now += 25.0
        await two_more_polls()
        assert transport.check_progress() is None
    says[0] = True
    watch.now += 25.0
    await two_more_polls()
    assert transport.check_progress() is None
    watch.now += 10.0
    await two_more_polls()
    assert transport.check_progress() is Stuck.UPDATES
    door.not_now.clear()
    await holds(lambda: transport.check_progress() is None)
    stop.set()
    await asyncio.wait_for(task, 20)


async def test_a_telegram_that_is_away_leaves_the_poll_alive(telegram: ScriptedTelegram) -> None:
    watch, stop = Watch(), asyncio.Event()
    telegram.refusals = {"getUpdates": [502] * 1000}
    transport = PollingTransport(telegram.url, newest, clock=watch)
    task = asyncio.create_task(transport.receive(Door(), stop))
    for _ in range(4):
        polls = len(telegram.polls)
        await holds(lambda polls=polls: len(telegram.polls) > polls + 2)  # type: ignore[misc]
        assert transport.check_progress() is None
        watch.now += 25.0
    stop.set()
    await asyncio.wait_for(task, 20)
