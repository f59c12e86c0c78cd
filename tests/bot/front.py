"""The bot's front in tests: updates of any shape, and what comes of them."""

from typing import Any, Final

import pytest

from bot.clients.errors import NotFound
from bot.texts import of
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk
from tests.sandbox.client import Json, ShownMessage
from tests.waiting import eventually

EN = of("en")

NAME = "@lookalike_sandbox_bot"

BY_WEBHOOK: Final = {"bot_public_url": "http://127.0.0.1:0"}
"""Settings of a bot that gets its updates so; without them it polls."""

IN_BOTH_WAYS: Final = pytest.mark.parametrize(
    "bot", [{}, BY_WEBHOOK], ids=["polling", "webhook"], indirect=True
)
"""For a test that uses the fixture `bot`."""


def message(chat: int, /, **fields: Any) -> Json:
    """An update with a private message."""
    sender = {"id": chat, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    place = {"id": chat, "type": "private", "first_name": "Ada"}
    given = {"message_id": 1, "date": 1, "chat": place, "from": sender, "text": "x"} | fields
    return {"message": {name: value for name, value in given.items() if value is not None}}


def press(chat: int, data: Any, /, **fields: Any) -> Json:
    """An update with a pressed button."""
    sender = {"id": chat, "is_bot": False, "first_name": "Ada"}
    query = {"id": "1", "from": sender, "chat_instance": "1", "data": data}
    given = query | message(chat) | fields
    return {"callback_query": {name: value for name, value in given.items() if value is not None}}


async def has_file(desk: Desk, chat: int, *photos: ShownMessage) -> None:
    """Waits until the photos are rows."""

    async def look() -> bool | None:
        try:
            for photo in photos:
                await desk.database.get_generation(
                    db.GetGenerationRequest(
                        bot_id=BOT, chat_id=chat, user_id=chat, message_id=photo.id
                    )
                )
        except NotFound:
            return None
        return True

    await eventually(look)


async def pictured(desk: Desk, chat: int, *, times: int = 1) -> list[ShownMessage]:
    """Waits until the bot has sent so many pictures."""

    def look(messages: list[ShownMessage]) -> list[ShownMessage] | None:
        found = [m for m in messages if m.sender_id == BOT and m.photo]
        return found if len(found) >= times else None

    return await desk.people.wait_for(chat, look)


async def all_is_closed(desk: Desk, chat: int, owner: int) -> None:
    """Waits until nothing of the owner's is unfinished."""
    request = db.GetStatusRequest(bot_id=BOT, chat_id=chat, user_id=owner)

    async def look() -> bool | None:
        return (await desk.database.get_status(request)).count == 0 or None

    await eventually(look)


async def nothing_waits(desk: Desk) -> None:
    """Waits until Telegram has had every update confirmed."""

    async def look() -> bool | None:
        return (await desk.people.bot())["pending_updates"] == 0 or None

    await eventually(look)


async def told(desk: Desk, chat: int, text: str, *, times: int = 1) -> list[ShownMessage]:
    """Waits until the bot has said something so often."""

    def look(messages: list[ShownMessage]) -> list[ShownMessage] | None:
        found = [m for m in messages if m.sender_id == BOT and text in (m.text or m.caption)]
        return found if len(found) >= times else None

    return await desk.people.wait_for(chat, look)


async def states(desk: Desk, chat: int, owner: int) -> list[int]:
    """How the owner's generations are: the unfinished ones, newest first, and the pictures."""
    whose: dict[str, Any] = {"bot_id": BOT, "chat_id": chat, "user_id": owner}
    unfinished = (await desk.database.get_status(db.GetStatusRequest(**whose))).items
    pictures = (await desk.database.list_history(db.ListHistoryRequest(**whose))).items
    found = {item.generation.id: item.generation.state for item in (*unfinished[::-1], *pictures)}
    return [*found.values()]
