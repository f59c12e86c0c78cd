"""Webhooks, as Telegram's Bot API server has them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web
from telegram import Bot

from sandbox.telegram import webhook
from tests.sandbox.client import Json, People
from tests.waiting import eventually


class Hook:
    """A bot's web server that answers as a test says.

    Attributes:
        url: where it is.
        taken: what was posted, in order.
        open: how many posts it has not answered.
        most: how many those were at once.
        free: set while it answers.
        answers: statuses, or headers with 503, of the next answers; then 200.
    """

    def __init__(self) -> None:
        self.url = ""
        self.taken: list[Json] = []
        self.open = self.most = 0
        self.free = asyncio.Event()
        self.free.set()
        self.answers: list[int | dict[str, str]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.open += 1
        self.most = max(self.most, self.open)
        self.taken.append(await request.json())
        try:
            await self.free.wait()
        finally:
            self.open -= 1
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.Response(status=503, headers=answer)

    async def holds(self, condition: Callable[["Hook"], bool]) -> None:
        async def look() -> bool | None:
            return condition(self) or None

        await eventually(look)


@asynccontextmanager
async def hooked(bot: Bot, **options: int) -> AsyncIterator[Hook]:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    assert await bot.set_webhook(hook.url, **options)  # type: ignore[arg-type]
    try:
        yield hook
    finally:
        hook.free.set()
        await runner.cleanup()


async def none_wait(people: People) -> None:
    async def look() -> bool | None:
        return (await people.bot())["pending_updates"] == 0 or None

    await eventually(look)


async def test_so_many_come_at_once_and_those_of_a_chat_in_order(bot: Bot, people: People) -> None:
    users = [await people.add_user() for _ in range(6)]
    for number in range(30):
        await people.send_text(users[number % 6], str(number))
    async with hooked(bot, max_connections=4) as hook:
        hook.free.clear()
        await hook.holds(lambda hook: hook.open == 4)
        hook.free.set()
        await none_wait(people)
        assert hook.most == 4
    for index, user in enumerate(users):
        texts = [
            update["message"]["text"]
            for update in hook.taken
            if update["message"]["chat"]["id"] == user
        ]
        assert texts == [str(number) for number in range(index, 30, 6)]
    assert len({update["update_id"] for update in hook.taken}) == 30


async def test_one_that_is_refused_holds_up_its_own_chat_alone(bot: Bot, people: People) -> None:
    one, other = await people.add_user(), await people.add_user()
    async with hooked(bot) as hook:
        hook.answers = [{"Retry-After": "1"}]
        await people.send_text(one, "refused")
        await people.send_text(one, "after it")
        await hook.holds(lambda hook: len(hook.taken) == 1)
        await people.send_text(other, "by another")
        await none_wait(people)
    texts = [update["message"]["text"] for update in hook.taken]
    assert texts == ["refused", "by another", "refused", "after it"]


async def test_lines_are_those_of_telegram() -> None:
    chat = {"chat": {"id": 7}}
    user = {"from": {"id": 7}}
    lines = [
        webhook._line_of({"update_id": 1, kind: payload})
        for kind, payload in (
            ("message", chat | user),
            ("channel_post", chat),
            ("message_reaction", chat),
            ("callback_query", user | {"message": chat}),
            ("inline_query", user),
            ("message", []),
        )
    ]
    assert lines == ["chat 7"] * 3 + ["callback_query 7", "inline_query 7", "message"]
    assert webhook._line_of({"update_id": 1}) == ""


@pytest.mark.parametrize(
    ("asked", "given"), [({}, 40), ({"max_connections": 0}, 1), ({"max_connections": 1000}, 100)]
)
async def test_so_many_connections_are_shown(
    http: httpx.AsyncClient, asked: dict[str, int], given: int
) -> None:
    assert "max_connections" not in (await http.post("/getWebhookInfo")).json()["result"]
    await http.post("/setWebhook", data={"url": "http://127.0.0.1:9/"} | asked)
    assert (await http.post("/getWebhookInfo")).json()["result"]["max_connections"] == given


async def test_a_delivery_whose_answer_is_lost_comes_again(bot: Bot, people: People) -> None:
    user = await people.add_user()
    fault = await people.add_fault("cut", method="delivery", contains="lost")
    async with hooked(bot) as hook:
        await people.send_text(user, "lost")
        await people.wait_for_fault(fault)
        await none_wait(people)
    first, second = hook.taken
    assert first == second


async def test_what_is_set_again_as_it_was_keeps_its_last_error(bot: Bot, people: People) -> None:
    async with hooked(bot) as hook:
        hook.answers = [500]
        await people.send_text(await people.add_user(), "hello")
        await none_wait(people)
        assert (await bot.get_webhook_info()).last_error_message
        await bot.set_webhook(hook.url)
        assert (await bot.get_webhook_info()).last_error_message
        await bot.set_webhook(hook.url, secret_token="another")
        assert not (await bot.get_webhook_info()).last_error_message


@pytest.mark.long
async def test_the_bot_is_there_while_somebody_listens_at_its_webhook(
    bot: Bot, people: People
) -> None:
    async def listening(expected: bool) -> None:  # noqa: FBT001
        async def look() -> bool | None:
            return (await people.bot())["listening"] is expected or None

        await eventually(look)

    async with hooked(bot):
        await listening(True)
    await listening(False)
    await bot.delete_webhook()
    assert (await people.bot())["listening"] is False


async def test_only_a_delay_and_a_cut_make_sense_of_a_delivery(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        order = {"kind": "http_error", "status": 500, "method": "delivery"}
        answer = await http.post("/sandbox/faults", content=json.dumps(order))
    assert answer.status_code == 422
