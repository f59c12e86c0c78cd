"""How many updates are handled at a time."""

import asyncio
from datetime import UTC, datetime

from telegram import Chat, Message, Update, User

from bot.handing import Handing
from bot.processing import FairUpdateProcessor


def update(user: int) -> Update:
    sender = User(user, "Ada", is_bot=False)
    chat = Chat(user, Chat.PRIVATE)
    return Update(1, message=Message(1, datetime.now(UTC), chat, from_user=sender))


async def test_one_users_updates_leave_room_for_anothers() -> None:
    processor = FairUpdateProcessor(Handing())
    handled: list[int] = []
    go_on = asyncio.Event()

    async def handle(user: int) -> None:
        handled.append(user)
        await go_on.wait()

    def process(user: int) -> "asyncio.Task[None]":
        return asyncio.create_task(processor.process_update(update(user), handle(user)))

    flood, other = [process(1) for _ in range(900)], process(2)
    for _ in range(5):
        await asyncio.sleep(0)
    assert handled.count(1) < 20
    assert handled.count(2) == 1
    go_on.set()
    await asyncio.gather(other, *flood)
    assert len(handled) == 901


async def test_what_has_no_user_is_handled_too() -> None:
    handled = asyncio.Event()

    async def handle() -> None:
        handled.set()

    await FairUpdateProcessor(Handing()).process_update(object(), handle())
    assert handled.is_set()
