"""The order in which calls go to Telegram."""

import asyncio

import pytest

from bot.sending import FairRateLimiter, NotSent


async def always() -> bool:
    return True


class Calls:
    """Calls through the limiter, and which of them have gone."""

    def __init__(self) -> None:
        self._limiter = FairRateLimiter(always)
        self.gone: list[tuple[str, int]] = []

    def call(self, chat: int, endpoint: str = "sendMessage") -> "asyncio.Task[bool]":
        async def go() -> bool:
            self.gone.append((endpoint, chat))
            return True

        request = self._limiter.process_request(go, (), {}, endpoint, {"chat_id": chat}, None)
        return asyncio.create_task(request)

    def stop(self) -> None:
        self._limiter.stop()


async def end(tasks: "list[asyncio.Task[bool]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_chats_take_turns_however_much_one_asks_for() -> None:
    calls = Calls()
    flood = [calls.call(1) for _ in range(200)]
    await asyncio.sleep(0)
    await asyncio.gather(*(calls.call(2) for _ in range(3)))
    assert calls.gone.count(("sendMessage", 1)) <= 30 + 4  # what goes at once, and its turns
    await end(flood)


async def test_pictures_go_before_texts_and_texts_before_edits() -> None:
    calls = Calls()
    await asyncio.gather(*(calls.call(1) for _ in range(30)))
    later = [calls.call(2, "editMessageText"), calls.call(3), calls.call(4, "sendPhoto")]
    await asyncio.gather(*later)
    assert calls.gone[30:] == [("sendPhoto", 4), ("sendMessage", 3), ("editMessageText", 2)]


async def test_news_go_after_all_that_somebody_waits_for() -> None:
    calls = Calls()
    news = [calls.call(chat, "copyMessage") for chat in range(100, 160)]
    await asyncio.sleep(0)
    await asyncio.gather(*(calls.call(chat) for chat in range(1, 20)))
    await calls.call(20, "editMessageText")
    assert len([each for each in calls.gone if each[0] == "copyMessage"]) <= 30 + 2
    await end(news)


async def test_a_group_over_its_rate_holds_up_nobody_else() -> None:
    calls = Calls()
    group = [calls.call(-100) for _ in range(25)]
    await asyncio.gather(*(calls.call(chat) for chat in range(1, 6)))
    assert calls.gone.count(("sendMessage", -100)) == 20
    await end(group)
    await calls.call(7)
    assert calls.gone[-1] == ("sendMessage", 7)


async def test_what_concerns_no_chat_waits_for_nothing() -> None:
    limiter = FairRateLimiter(always)

    async def go() -> bool:
        return True

    async with asyncio.timeout(1):
        for _ in range(100):
            assert await limiter.process_request(go, (), {}, "answerCallbackQuery", {}, None)


async def test_a_stop_waits_for_no_answer_but_lets_pictures_go() -> None:
    calls = Calls()
    flood = [calls.call(1) for _ in range(100)]
    await asyncio.sleep(0)
    calls.stop()
    async with asyncio.timeout(2):
        found = await asyncio.gather(*flood, calls.call(2), return_exceptions=True)
    assert len([error for error in found if isinstance(error, NotSent)]) >= 70
    assert isinstance(found[-1], NotSent)
    assert await calls.call(2, "sendPhoto")


async def test_what_waited_until_another_process_sends_is_not_sent() -> None:
    limiter = FairRateLimiter(lambda: asyncio.sleep(0, result=False))

    async def go() -> bool:
        raise AssertionError

    with pytest.raises(NotSent):
        await limiter.process_request(go, (), {}, "sendPhoto", {"chat_id": 1}, None)


async def test_several_share_the_rate() -> None:
    bots = [2]
    gone: list[float] = []
    loop = asyncio.get_running_loop()

    async def go() -> None:
        gone.append(loop.time())

    def calls(count: int) -> "list[asyncio.Task[None]]":
        return [
            asyncio.create_task(limiter.process_request(go, (), {}, "sendMessage", chat, None))
            for limiter in limiters
            for chat in ({"chat_id": number} for number in range(1, count + 1))
        ]

    limiters = [FairRateLimiter(always, lambda: bots[0]) for _ in range(2)]
    began = loop.time()
    await asyncio.gather(*calls(20))
    assert sum(at - began < 0.02 for at in gone) <= 30 + 2
    assert gone[-1] - began >= 5 / 15 - 0.02, "each beyond its 15 waits for its part of the rate"
    bots[0] = 60  # so many that each has less than one a second at a time
    began = loop.time()
    await asyncio.gather(*calls(1))
    slow = calls(1)
    done, _ = await asyncio.wait(slow, timeout=0.5)
    assert not done
    await asyncio.gather(*slow)
    assert gone[-1] - began >= 1.5
