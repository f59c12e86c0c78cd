import asyncio

import httpx
import pytest
from aiohttp import web
from telegram import Bot, Update
from telegram.error import Conflict

from tests.sandbox.client import People
from tests.sandbox.conftest import make_bot

BY_OTHER = (
    "Conflict: terminated by other getUpdates request;"
    " make sure that only one bot instance is running"
)
BY_WEBHOOK = (
    "Conflict: can't use getUpdates method while webhook is active;"
    " use deleteWebhook to delete the webhook first"
)


async def send_texts(people: People, count: int) -> int:
    user = await people.add_user()
    for number in range(count):
        await people.send_text(user, f"text {number}")
    return user


def texts(updates: tuple[Update, ...]) -> list[str | None]:
    return [update.message.text for update in updates if update.message]


async def test_updates_stay_until_confirmed(bot: Bot, people: People) -> None:
    await send_texts(people, 3)
    first = await bot.get_updates(limit=2)
    assert texts(first) == ["text 0", "text 1"]
    assert [update.update_id for update in first] == [1, 2]
    assert await bot.get_updates(limit=2) == first
    assert texts(await bot.get_updates(offset=first[-1].update_id + 1)) == ["text 2"]
    assert texts(await bot.get_updates(offset=0)) == ["text 2"]
    assert await bot.get_updates(offset=4) == ()
    assert (await people.bot())["pending_updates"] == 0


async def test_a_negative_offset_keeps_the_newest(bot: Bot, people: People) -> None:
    await send_texts(people, 4)
    assert texts(await bot.get_updates(offset=-2)) == ["text 2", "text 3"]
    assert texts(await bot.get_updates(offset=-10)) == ["text 2", "text 3"]


async def test_a_long_poll_ends_with_the_first_update(bot: Bot, people: People) -> None:
    user = await people.add_user()
    poll = asyncio.create_task(bot.get_updates(timeout=30))
    await asyncio.sleep(0)
    await people.send_text(user, "there")
    assert texts(await asyncio.wait_for(poll, 10)) == ["there"]


async def test_a_long_poll_ends_empty_when_its_time_is_over(bot: Bot) -> None:
    assert await asyncio.wait_for(bot.get_updates(timeout=1), 10) == ()


async def test_the_older_of_two_polls_is_ended(bot: Bot, people: People, url: str) -> None:
    user = await people.add_user()
    older = asyncio.create_task(bot.get_updates(timeout=30))
    async with make_bot(url) as other:
        # Which of the two arrives first is not ours to say until the first is known to be open.
        newer: asyncio.Task[tuple[Update, ...]] | None = None
        while not older.done():
            newer = newer or asyncio.create_task(other.get_updates(timeout=30))
            await asyncio.wait({older, newer}, return_when=asyncio.FIRST_COMPLETED)
            if newer.done():
                assert isinstance(newer.exception(), Conflict)
                newer = None
        with pytest.raises(Conflict) as conflict:
            await older
        assert conflict.value.message == BY_OTHER
        assert newer is not None
        await people.send_text(user, "for the newer")
        assert texts(await asyncio.wait_for(newer, 10)) == ["for the newer"]


async def test_allowed_updates_are_remembered(bot: Bot, people: People, chat: int) -> None:
    await bot.get_updates(offset=2, allowed_updates=["edited_message"])
    message = await people.send_text(chat, "not this")
    await people.edit(message, "but this")
    (update,) = await bot.get_updates()
    assert update.edited_message is not None
    assert update.edited_message.text == "but this"

    await bot.get_updates(offset=update.update_id + 1, allowed_updates=[])
    await people.send_text(chat, "now this")
    assert texts(await bot.get_updates()) == ["now this"]


@pytest.mark.parametrize(
    "form",
    [{"offset": "x"}, {"limit": "many"}, {"timeout": "1.5"}, {"allowed_updates": "message"}],
)
async def test_malformed_numbers_are_refused(http: httpx.AsyncClient, form: dict[str, str]) -> None:
    assert (await http.post("/getUpdates", data=form)).status_code == 400


async def test_a_webhook_gets_updates_with_its_secret(bot: Bot, people: People) -> None:
    user = await people.add_user()
    answers = [500, 200, 200]
    taken: asyncio.Queue[tuple[str | None, dict[str, object]]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        await taken.put((secret, await request.json()))
        return web.Response(status=answers.pop(0))

    hook = web.Application()
    hook.router.add_post("/hook", take)
    runner = web.AppRunner(hook)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    _, port = runner.addresses[0]
    try:
        assert await bot.set_webhook(f"http://127.0.0.1:{port}/hook", secret_token="s3cret")
        with pytest.raises(Conflict) as conflict:
            await bot.get_updates()
        assert conflict.value.message == BY_WEBHOOK

        sent = await people.send_text(user, "by webhook")
        refused = await asyncio.wait_for(taken.get(), 10)
        again = await asyncio.wait_for(taken.get(), 10)
        assert refused == again
        assert again[0] == "s3cret"
        update = Update.de_json(dict(again[1]), bot)
        assert update.message is not None
        assert update.message.message_id == sent.id

        await people.send_text(user, "the next")
        assert (await asyncio.wait_for(taken.get(), 10))[1]["update_id"] == 2
        info = await bot.get_webhook_info()
        assert info.url.endswith("/hook")
        assert info.last_error_message == (
            "Wrong response from the webhook: 500 Internal Server Error"
        )
        assert await bot.delete_webhook()
        await people.send_text(user, "by polling")
        assert texts(await bot.get_updates())[-1] == "by polling"
    finally:
        await runner.cleanup()


async def test_setting_a_webhook_ends_an_open_poll(bot: Bot, people: People) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=30, allowed_updates=["message"]))
    url = "http://127.0.0.1:9/"  # nobody listens there
    while not poll.done():  # the poll may reach the sandbox after the webhook was set
        await bot.set_webhook(url)
        await asyncio.wait({poll}, timeout=0.2)
    with pytest.raises(Conflict, match=r"terminated by setWebhook request|webhook is active"):
        await poll
    await people.send_text(await people.add_user(), "x")
    assert await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates() == ()


@pytest.mark.parametrize(
    ("form", "description"),
    [
        ({"url": "ftp://127.0.0.1/"}, "invalid webhook URL specified"),
        ({"url": "http://127.0.0.1:x/"}, "invalid webhook URL specified"),
        ({"url": "http://example.org/"}, "bad webhook: failed to resolve host"),
        ({"url": "http://127.0.0.1/", "secret_token": "a b"}, "secret token contains unallowed"),
    ],
)
async def test_bad_webhooks_are_refused(
    http: httpx.AsyncClient, form: dict[str, str], description: str
) -> None:
    answer = await http.post("/setWebhook", data=form)
    assert answer.status_code == 400
    assert description in answer.json()["description"]
